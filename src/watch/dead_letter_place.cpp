// See dead_letter_place.hpp. The daemon has the same rules: daemon/DEAD_LETTERS.md.
#include "watch/dead_letter_place.hpp"

#include <algorithm>
#include <cstdint>

#include "base/tool_command.hpp"
#include "beltway/limits.hpp"

namespace beltway::watch {

namespace {

/// How many names are tried for a new queue.
constexpr unsigned k_most_names = 20;

std::uint64_t largest_message(const QueueOptions& options) {
  const std::uint64_t in_slot = options.slot_bytes - std::min(options.slot_bytes, k_slot_overhead_bytes);
  return std::max<std::uint64_t>(in_slot, std::min<std::uint64_t>(options.lane_bytes, k_max_message_bytes));
}

bool sends_to(const QueueOptions& options, const std::string& target) {
  return options.dead_letter == target || std::ranges::any_of(options.groups, [&target](const NamedGroup& group) {
           return group.options.dead_letter == target;
         });
}

/// The largest dead letter of `source` and of all queues that name `target`.
std::uint64_t largest_dead_letter(const QueueInfo& source, const std::string& target, const LookContext& around) {
  std::uint64_t largest = largest_message(source.options);
  if (around.queues != nullptr) {
    for (const QueueView& queue : *around.queues) {
      if (sends_to(queue.info.options, target)) largest = std::max(largest, largest_message(queue.info.options));
    }
  }
  return largest + k_max_dead_letter_bytes;
}

const QueueInfo* find(const std::string& name, const LookContext& around) {
  if (around.queues == nullptr) return nullptr;
  const auto found =
      std::ranges::find_if(*around.queues, [&name](const QueueView& queue) { return queue.info.name == name; });
  return found == around.queues->end() ? nullptr : &found->info;
}

bool takes(const QueueInfo& target, std::uint64_t bytes) {
  const QueueOptions& options = target.options;
  const bool loses = options.exclusive || options.expire_after.count() != 0 || options.groups.empty();
  return !loses && options.type == TypeTag{} && largest_message(options) >= bytes;
}

}  // namespace

DeadLetterPlace dead_letter_queue(const QueueInfo& source, const std::string& name, const LookContext& around) {
  DeadLetterPlace place{.name = name};
  const std::uint64_t needed = largest_dead_letter(source, name, around);
  if (const QueueInfo* const target = find(name, around); target != nullptr) {
    place.exists = takes(*target, needed);
    return place;
  }
  const std::uint64_t granules = (needed + k_lane_granule_bytes - 1) / k_lane_granule_bytes;
  const std::uint64_t lane = std::max<std::uint64_t>(granules * k_lane_granule_bytes, QueueOptions{}.lane_bytes);
  if (lane > k_max_lane_bytes || needed > k_max_message_bytes) return place;
  place.declare = tool_command("declare", {name}, "--lane-bytes " + std::to_string(lane) + " --group operators");
  return place;
}

DeadLetterPlace place_for_failed(const QueueInfo& source, const std::string& of_group, const LookContext& around) {
  if (!of_group.empty()) {
    const bool is_missing = std::ranges::count(source.missing_dead_letter_queues, of_group) != 0;
    if (is_missing) return dead_letter_queue(source, of_group, around);
    return {.name = of_group, .exists = true};
  }
  static constexpr std::string_view k_ending = ".failed";
  static constexpr std::size_t k_number_characters = 4;
  const std::string begin =
      source.name.substr(0, k_max_name_length - k_ending.size() - k_number_characters) + std::string(k_ending);
  DeadLetterPlace place;
  for (unsigned i = 1; i <= k_most_names && !place.can_be_had(); ++i) {
    place = dead_letter_queue(source, begin + (i == 1 ? "" : "-" + std::to_string(i)), around);
  }
  return place;
}

}  // namespace beltway::watch
