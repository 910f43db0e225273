// See options_checks.hpp.
#include "wire/options_checks.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <set>
#include <string_view>

#include "base/utf8.hpp"
#include "beltway/error.hpp"
#include "beltway/limits.hpp"
#include "ring/layout.hpp"
#include "wire/options_schema.hpp"
#include "wire/validate.hpp"

namespace beltway::wire {

namespace {

[[noreturn]] void refuse(const std::string& context, std::string_view option, const std::string& value,
                         const std::string& range) {
  throw Error(Errc::invalid_option, context + ": " + std::string(option) + " is " + value + "; it must be " + range);
}

void check_range(const std::string& context, std::string_view option, std::uint64_t value, std::uint64_t least,
                 std::uint64_t most) {
  if (value >= least && value <= most) return;
  refuse(context, option, std::to_string(value), std::to_string(least) + " to " + std::to_string(most));
}

/// A time that is 0 or lies between the two.
void check_time(const std::string& context, std::string_view option, std::chrono::milliseconds time,
                std::int64_t least_ms, std::int64_t most_ms) {
  const std::int64_t value = time.count();
  if (value == 0 || (value >= least_ms && value <= most_ms)) return;
  refuse(context, option, std::to_string(value), "0 or " + std::to_string(least_ms) + " to " + std::to_string(most_ms));
}

void check_delay(const std::string& context, std::string_view option, std::chrono::milliseconds time) {
  const std::int64_t value = time.count();
  if (value >= 0 && value <= k_max_retry_delay_ms) return;
  refuse(context, option, std::to_string(value), "0 to " + std::to_string(k_max_retry_delay_ms));
}

}  // namespace

void check_slots(const std::string& context, const QueueOptions& options) {
  if (options.slots >= k_min_slots && options.slots <= k_max_slots && std::has_single_bit(options.slots)) return;
  refuse(context, "slots", std::to_string(options.slots),
         "a power of two from " + std::to_string(k_min_slots) + " to " + std::to_string(k_max_slots));
}

void check_slot_bytes(const std::string& context, const QueueOptions& options) {
  if (options.slot_bytes < k_min_slot_bytes || options.slot_bytes > k_max_slot_bytes ||
      (options.slot_bytes != k_min_slot_bytes && options.slot_bytes % ring::k_cache_line_bytes != 0)) {
    refuse(context, "slot_bytes", std::to_string(options.slot_bytes),
           std::to_string(k_min_slot_bytes) + " or a multiple of 64 up to " + std::to_string(k_max_slot_bytes));
  }
  const std::uint64_t ring_bytes = std::uint64_t{options.slots} * options.slot_bytes;
  if (ring_bytes > k_max_ring_bytes) {
    refuse(context, "slots times slot_bytes", std::to_string(ring_bytes),
           "at most " + std::to_string(k_max_ring_bytes));
  }
}

void check_lane_bytes(const std::string& context, const QueueOptions& options) {
  if (options.lane_bytes <= k_max_lane_bytes && options.lane_bytes % k_lane_granule_bytes == 0) return;
  refuse(context, "lane_bytes", std::to_string(options.lane_bytes),
         "0 or a multiple of " + std::to_string(k_lane_granule_bytes) + " up to " + std::to_string(k_max_lane_bytes));
}

void check_max_producers(const std::string& context, const QueueOptions& options) {
  check_range(context, "max_producers", options.max_producers, 1, k_max_producers);
}
void check_max_consumers(const std::string& context, const QueueOptions& options) {
  check_range(context, "max_consumers", options.max_consumers, 1, k_max_consumers);
}
void check_max_groups(const std::string& context, const QueueOptions& options) {
  check_range(context, "max_groups", options.max_groups, 0, k_max_groups);
}

void check_groups(const std::string& context, const QueueOptions& options) {
  if (options.groups.size() > options.max_groups) {
    refuse(context, "groups", std::to_string(options.groups.size()) + " names",
           "at most max_groups, " + std::to_string(options.max_groups));
  }
  std::set<std::string_view> names;
  for (const NamedGroup& group : options.groups) {
    check_group(context, group);
    names.insert(group.name);
  }
  if (names.size() != options.groups.size()) {
    refuse(context, "groups", "a list that names one twice", "a list of different names");
  }
}

void check_mode(const std::string& context, const QueueOptions& options) {
  if ((options.mode & ~0666U) == 0) return;
  refuse(context, "mode", octal(options.mode), "made of read (consume) and write (produce) bits, 0000 to 0666");
}

void check_fence(const std::string& context, const QueueOptions& options) {
  if (options.fence == Fence::asymmetric || options.fence == Fence::symmetric) return;
  refuse(context, "fence", std::to_string(static_cast<unsigned>(options.fence)), "asymmetric or symmetric");
}

void check_evict_after(const std::string& context, const QueueOptions& options) {
  check_time(context, "evict_after_ms", options.evict_after, k_min_evict_after_ms, k_max_evict_after_ms);
}
void check_own_evict_after(const std::string& context, const GroupOptions& options) {
  if (options.evict_after)
    check_time(context, "evict_after_ms", *options.evict_after, k_min_evict_after_ms, k_max_evict_after_ms);
}

void check_retry_delay(const std::string& context, const QueueOptions& options) {
  check_delay(context, "retry_delay_ms", options.retry_delay);
}
void check_own_retry_delay(const std::string& context, const GroupOptions& options) {
  if (options.retry_delay) check_delay(context, "retry_delay_ms", *options.retry_delay);
}
void check_retry_delay_max(const std::string& context, const QueueOptions& options) {
  check_delay(context, "retry_delay_max_ms", options.retry_delay_max);
}
void check_own_retry_delay_max(const std::string& context, const GroupOptions& options) {
  if (options.retry_delay_max) check_delay(context, "retry_delay_max_ms", *options.retry_delay_max);
}
void check_max_deliveries(const std::string& context, const QueueOptions& options) {
  check_range(context, "max_deliveries", options.max_deliveries, 0, k_max_deliveries);
}
void check_own_max_deliveries(const std::string& context, const GroupOptions& options) {
  if (options.max_deliveries) check_range(context, "max_deliveries", *options.max_deliveries, 0, k_max_deliveries);
}

void check_dead_letter(const std::string& context, const QueueOptions& options) {
  if (!options.dead_letter.empty()) check_name(context + ": dead_letter", "queue", options.dead_letter);
}
void check_own_dead_letter(const std::string& context, const GroupOptions& options) {
  if (options.dead_letter && !options.dead_letter->empty())
    check_name(context + ": dead_letter", "queue", *options.dead_letter);
}
void check_ttl(const std::string& context, const QueueOptions& options) {
  check_time(context, "ttl_ms", options.ttl, k_min_ttl_ms, k_max_ttl_ms);
}
void check_own_ttl(const std::string& context, const GroupOptions& options) {
  if (options.ttl) check_time(context, "ttl_ms", *options.ttl, k_min_ttl_ms, k_max_ttl_ms);
}
void check_lease_timeout(const std::string& context, const QueueOptions& options) {
  check_time(context, "lease_timeout_ms", options.lease_timeout, k_min_lease_timeout_ms, k_max_lease_timeout_ms);
}
void check_own_lease_timeout(const std::string& context, const GroupOptions& options) {
  if (!options.lease_timeout) return;
  check_time(context, "lease_timeout_ms", *options.lease_timeout, k_min_lease_timeout_ms, k_max_lease_timeout_ms);
}
void check_drop_oldest(const std::string& context, const QueueOptions& options) {
  check_range(context, "drop_oldest", options.drop_oldest, 0, options.slots);
}
void check_own_drop_oldest(const std::string& context, const GroupOptions& options) {
  if (options.drop_oldest) check_range(context, "drop_oldest", *options.drop_oldest, 0, k_max_slots);
}

void check_max_parked(const std::string& context, const QueueOptions& options) {
  if (options.max_parked) check_range(context, "max_parked", *options.max_parked, 0, options.slots - 1);
}

void check_type(const std::string& context, const QueueOptions& options) {
  const TypeTag& type = options.type;
  if (type == TypeTag{}) return;
  if (type.name.empty() || type.name.size() > k_max_type_name_length) {
    refuse(context, "type.name", std::to_string(type.name.size()) + " characters long",
           "1 to " + std::to_string(k_max_type_name_length) + " characters long");
  }
  if (std::any_of(type.name.begin(), type.name.end(), [](char c) { return c < ' ' || c > '~'; })) {
    refuse(context, "type.name", "not printable", "printable ASCII");
  }
  if (!std::has_single_bit(type.alignment) || type.alignment > k_payload_alignment) {
    refuse(context, "type.alignment", std::to_string(type.alignment),
           "a power of two up to " + std::to_string(k_payload_alignment));
  }
  const std::uint64_t room = std::max<std::uint64_t>(options.slot_bytes - k_slot_overhead_bytes, options.lane_bytes);
  check_range(context, "type.size", type.size, 1, std::min(room, k_max_message_bytes));
}

void check_description(const std::string& context, const QueueOptions& options) {
  const std::string& text = options.description;
  if (text.size() > k_max_description_bytes) {
    refuse(context, "description", std::to_string(text.size()) + " bytes long",
           "at most " + std::to_string(k_max_description_bytes) + " bytes long");
  }
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t size = utf8_character_size(rest);
    if (size == 0 || is_control_character(rest.substr(0, size))) {
      refuse(context, "description", "not printable", "UTF-8 without control characters");
    }
    rest.remove_prefix(size);
  }
}

void check_expire_after(const std::string& context, const QueueOptions& options) {
  check_time(context, "expire_after_ms", options.expire_after, k_min_expire_after_ms, k_max_expire_after_ms);
}

void check_producer_name(const std::string& context, const ProducerOptions& options) {
  if (!options.name.empty()) check_name(context + ": name", "producer", options.name);
}
void check_consumer_group(const std::string& context, const ConsumerOptions& options) {
  if (!options.group.empty()) check_name(context + ": group", "group", options.group);
}
void check_create_group(const std::string& context, const ConsumerOptions& options) {
  if (options.group.empty() && options.create_group)
    refuse(context, "create_group", "set", "unset where no group is named");
}
void check_lossy(const std::string& context, const ConsumerOptions& options) {
  if (options.group.empty() || !options.lossy) return;
  refuse(context, "lossy", "set", "unset for a named group: only private groups can be lossy");
}
void check_conflate(const std::string& context, const ConsumerOptions& options) {
  if (!options.conflate || options.lossy) return;
  refuse(context, "conflate", "set",
         options.group.empty() ? "unset for a consumer that is not lossy: set lossy, too"
                               : "unset for a named group: only a private lossy consumer may skip messages");
}
void check_prefetch(const std::string& context, const ConsumerOptions& options) {
  if (!options.group.empty() || options.prefetch == 0) return;
  refuse(context, "prefetch", std::to_string(options.prefetch), "0 where no group is named");
}

void check_end_of_failures(const std::string& context, const QueueOptions& queue, std::span<const NamedGroup> groups) {
  constexpr std::string_view k_remedy =
      "0, unless the option dead_letter or discard says what becomes of the message then";
  if (queue.max_deliveries != 0 && !queue.discard && queue.dead_letter.empty()) {
    refuse(context, "max_deliveries", std::to_string(queue.max_deliveries), std::string(k_remedy));
  }
  for (const NamedGroup& group : groups) {
    const std::uint32_t limit = group.options.max_deliveries.value_or(queue.max_deliveries);
    if (limit == 0 || group.options.discard.value_or(queue.discard) ||
        !group.options.dead_letter.value_or(queue.dead_letter).empty()) {
      continue;
    }
    refuse(error_subject(context + ": group", group.name), "max_deliveries", std::to_string(limit),
           std::string(k_remedy));
  }
}

}  // namespace beltway::wire
