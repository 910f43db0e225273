#include "wire/validate.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <set>

#include "beltway/error.hpp"
#include "beltway/limits.hpp"

namespace beltway {

using namespace std::chrono_literals;

namespace {

constexpr std::string_view k_name_characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/";

[[noreturn]] void refuse(const std::string& what, std::string_view option, const std::string& value,
                         const std::string& range) {
  throw Error(Errc::invalid_option, what + ": " + std::string(option) + " is " + value + "; it must be " + range);
}

struct Range {
  std::uint64_t least;
  std::uint64_t most;
};

void check_range(const std::string& what, std::string_view option, std::uint64_t value, Range range) {
  if (value >= range.least && value <= range.most) return;
  refuse(what, option, std::to_string(value), std::to_string(range.least) + " to " + std::to_string(range.most));
}

void check_sizes(const std::string& what, const QueueOptions& options) {
  if (options.slots < k_min_slots || options.slots > k_max_slots || !std::has_single_bit(options.slots)) {
    refuse(what, "slots", std::to_string(options.slots),
           "a power of two from " + std::to_string(k_min_slots) + " to " + std::to_string(k_max_slots));
  }
  if (options.slot_bytes < k_min_slot_bytes || options.slot_bytes > k_max_slot_bytes ||
      (options.slot_bytes != k_min_slot_bytes && options.slot_bytes % k_cache_line_bytes != 0)) {
    refuse(what, "slot_bytes", std::to_string(options.slot_bytes),
           std::to_string(k_min_slot_bytes) + " or a multiple of 64 up to " + std::to_string(k_max_slot_bytes));
  }
  const std::uint64_t ring_bytes = std::uint64_t{options.slots} * options.slot_bytes;
  if (ring_bytes > k_max_ring_bytes) {
    refuse(what, "slots times slot_bytes", std::to_string(ring_bytes), "at most " + std::to_string(k_max_ring_bytes));
  }
  if (options.lane_bytes > k_max_lane_bytes || options.lane_bytes % k_lane_granule_bytes != 0) {
    refuse(what, "lane_bytes", std::to_string(options.lane_bytes),
           "0 or a multiple of " + std::to_string(k_lane_granule_bytes) + " up to " + std::to_string(k_max_lane_bytes));
  }
}

void check_type(const std::string& what, const QueueOptions& options) {
  const TypeTag& type = options.type;
  if (type == TypeTag{}) return;
  if (type.name.empty() || type.name.size() > k_max_type_name_length) {
    refuse(what, "type.name", std::to_string(type.name.size()) + " characters long",
           "1 to " + std::to_string(k_max_type_name_length) + " characters long");
  }
  if (std::any_of(type.name.begin(), type.name.end(), [](char c) { return c < ' ' || c > '~'; })) {
    refuse(what, "type.name", "not printable", "printable ASCII");
  }
  if (!std::has_single_bit(type.alignment) || type.alignment > k_payload_alignment) {
    refuse(what, "type.alignment", std::to_string(type.alignment),
           "a power of two up to " + std::to_string(k_payload_alignment));
  }
  const std::uint64_t room = std::max<std::uint64_t>(options.slot_bytes - k_slot_overhead_bytes, options.lane_bytes);
  check_range(what, "type.size", type.size, {1, std::min(room, k_max_message_bytes)});
}

void check_evict_after(const std::string& what, std::chrono::milliseconds evict_after_ms) {
  const std::int64_t value = evict_after_ms.count();
  if (value == 0 || (value >= k_min_evict_after_ms && value <= k_max_evict_after_ms)) return;
  refuse(what, "evict_after_ms", std::to_string(value),
         "0 or " + std::to_string(k_min_evict_after_ms) + " to " + std::to_string(k_max_evict_after_ms));
}

/// `"x"`, or `byte 0x1b` for what a terminal would not show.
std::string character_text(char character) {
  if (character >= ' ' && character <= '~') return std::string("\"") + character + "\"";
  constexpr std::string_view digits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(character);
  return std::string("byte 0x") + digits[byte >> 4] + digits[byte & 15];
}

std::string text_of(const TypeTag& type) {
  if (type.size == 0) return "untyped";
  return type.name + " (" + std::to_string(type.size) + " bytes, aligned to " + std::to_string(type.alignment) + ")";
}

}  // namespace

std::string error_subject(std::string_view operation, std::string_view name) {
  std::string text = std::string(operation) + " \"";
  for (const char c : name.substr(0, k_max_name_length)) text += c >= ' ' && c <= '~' ? c : '?';
  return text + (name.size() > k_max_name_length ? "...\"" : "\"");
}

void check_name(std::string_view operation, std::string_view kind, std::string_view name) {
  const std::size_t wrong = name.find_first_not_of(k_name_characters);
  if (!name.empty() && name.size() <= k_max_name_length && wrong == std::string_view::npos) return;
  std::string fault = std::to_string(name.size()) + " characters";
  if (!name.empty() && name.size() <= k_max_name_length)
    fault = character_text(name[wrong]) + " at character " + std::to_string(wrong + 1);
  throw Error(Errc::invalid_option, error_subject(operation, name) + ": a " + std::string(kind) + " name has 1 to " +
                                        std::to_string(k_max_name_length) +
                                        " characters of A-Z a-z 0-9 . _ - /; this one has " + fault);
}

void check_group(const std::string& what, const NamedGroup& group) {
  check_name(what + ": group", "group", group.name);
  check_evict_after(error_subject(what + ": group", group.name), group.options.evict_after.value_or(0ms));
}

void check_options(const std::string& what, const QueueOptions& options) {
  check_sizes(what, options);
  check_range(what, "max_producers", options.max_producers, {1, k_max_producers});
  check_range(what, "max_consumers", options.max_consumers, {1, k_max_consumers});
  check_range(what, "max_groups", options.max_groups, {0, k_max_groups});
  if (options.groups.size() > options.max_groups) {
    refuse(what, "groups", std::to_string(options.groups.size()) + " names",
           "at most max_groups, " + std::to_string(options.max_groups));
  }
  std::set<std::string_view> names;
  for (const NamedGroup& group : options.groups) {
    check_group(what, group);
    names.insert(group.name);
  }
  if (names.size() != options.groups.size()) {
    refuse(what, "groups", "a list that names one twice", "a list of different names");
  }
  if ((options.mode & ~0666U) != 0) {
    refuse(what, "mode", octal(options.mode), "made of read (consume) and write (produce) bits, 0000 to 0666");
  }
  if (options.fence != Fence::asymmetric && options.fence != Fence::symmetric) {
    refuse(what, "fence", std::to_string(static_cast<unsigned>(options.fence)), "asymmetric or symmetric");
  }
  check_evict_after(what, options.evict_after);
  check_type(what, options);
}

void check_options(const std::string& what, const ConsumerOptions& options) {
  if (!options.group.empty()) {
    check_name(what + ": group", "group", options.group);
    if (options.lossy) refuse(what, "lossy", "set", "unset for a named group: only private groups can be lossy");
    return;
  }
  if (options.create_group) refuse(what, "create_group", "set", "unset where no group is named");
  if (options.prefetch != 0) {
    refuse(what, "prefetch", std::to_string(options.prefetch), "0 where no group is named");
  }
}

std::vector<Difference> differences(const QueueOptions& there, const QueueOptions& wanted) {
  std::vector<Difference> found;
  const auto* name = k_option_names.begin();
  const auto compare = [&](const auto& old_value, const auto& new_value, const auto& text) {
    if (old_value != new_value) found.push_back({std::string(*name), text(old_value), text(new_value)});
    ++name;
  };
  const auto number = [](auto value) { return std::to_string(value); };
  compare(there.slots, wanted.slots, number);
  compare(there.slot_bytes, wanted.slot_bytes, number);
  compare(there.lane_bytes, wanted.lane_bytes, number);
  compare(there.max_producers, wanted.max_producers, number);
  compare(there.max_consumers, wanted.max_consumers, number);
  compare(there.max_groups, wanted.max_groups, number);
  compare(there.mode, wanted.mode, octal);
  compare(there.fence, wanted.fence, [](Fence fence) { return std::string(to_string(fence)); });
  compare(there.evict_after.count(), wanted.evict_after.count(), number);
  compare(there.type, wanted.type, [](const TypeTag& type) { return text_of(type); });
  return found;
}

std::string text_of(const std::vector<Difference>& differences) {
  std::string text;
  for (const Difference& each : differences) {
    text += (text.empty() ? "" : "; ") + each.option + " " + each.there + ", not " + each.wanted;
  }
  return text;
}

Geometry geometry_of(const QueueOptions& options) noexcept {
  Geometry geometry;
  geometry.slots = options.slots;
  geometry.slot_bytes = options.slot_bytes;
  geometry.lane_bytes = options.lane_bytes;
  geometry.max_producers = options.max_producers;
  geometry.max_consumers = options.max_consumers;
  geometry.max_groups = options.max_groups;
  return geometry;
}

std::uint64_t shared_bytes_of(const Geometry& geometry) noexcept {
  return geometry.ring_bytes() + geometry.heap_bytes() + geometry.control_bytes();
}

std::string_view to_string(Fence fence) noexcept { return fence == Fence::symmetric ? "symmetric" : "asymmetric"; }

std::string octal(std::uint32_t mode) {
  std::string digits;
  for (std::uint32_t rest = mode; rest != 0; rest >>= 3)
    digits.insert(digits.begin(), static_cast<char>('0' + (rest & 7)));
  return "0" + std::string(digits.size() < 3 ? 3 - digits.size() : 0, '0') + digits;
}

}  // namespace beltway
