#include "wire/options_schema.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <set>

#include "base/utf8.hpp"
#include "beltway/error.hpp"
#include "beltway/limits.hpp"
#include "ring/layout.hpp"
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

void check_time_to_eviction(const std::string& context, std::chrono::milliseconds time) {
  const std::int64_t value = time.count();
  if (value == 0 || (value >= k_min_evict_after_ms && value <= k_max_evict_after_ms)) return;
  refuse(context, "evict_after_ms", std::to_string(value),
         "0 or " + std::to_string(k_min_evict_after_ms) + " to " + std::to_string(k_max_evict_after_ms));
}
void check_evict_after(const std::string& context, const QueueOptions& options) {
  check_time_to_eviction(context, options.evict_after);
}
void check_own_evict_after(const std::string& context, const GroupOptions& options) {
  if (options.evict_after) check_time_to_eviction(context, *options.evict_after);
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
  const std::int64_t value = options.expire_after.count();
  if (value == 0 || (value >= k_min_expire_after_ms && value <= k_max_expire_after_ms)) return;
  refuse(context, "expire_after_ms", std::to_string(value),
         "0 or " + std::to_string(k_min_expire_after_ms) + " to " + std::to_string(k_max_expire_after_ms));
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
void check_prefetch(const std::string& context, const ConsumerOptions& options) {
  if (!options.group.empty() || options.prefetch == 0) return;
  refuse(context, "prefetch", std::to_string(options.prefetch), "0 where no group is named");
}

constexpr std::array k_queue_options{
    QueueOption{.name = "slots",
                .member = &QueueOptions::slots,
                .unit = Unit::size,
                .check = check_slots,
                .flag = "--slots",
                .help = "Messages in the ring, a power of two (1024)"},
    QueueOption{.name = "slot_bytes",
                .member = &QueueOptions::slot_bytes,
                .unit = Unit::size,
                .check = check_slot_bytes,
                .flag = "--slot-bytes",
                .help = "32, 64 or a multiple of 64; 16 less hold a message (128)"},
    QueueOption{.name = "lane_bytes",
                .member = &QueueOptions::lane_bytes,
                .unit = Unit::size,
                .check = check_lane_bytes,
                .flag = "--lane-bytes",
                .help = "Each producer's room for larger messages; 0: none (1M)"},
    QueueOption{.name = "max_producers",
                .member = &QueueOptions::max_producers,
                .check = check_max_producers,
                .flag = "--max-producers",
                .help = "1 makes the faster single-producer ring"},
    QueueOption{.name = "max_consumers",
                .member = &QueueOptions::max_consumers,
                .check = check_max_consumers,
                .flag = "--max-consumers"},
    QueueOption{.name = "max_groups",
                .member = &QueueOptions::max_groups,
                .check = check_max_groups,
                .flag = "--max-groups",
                .help = "Named groups"},
    QueueOption{.name = "groups",
                .member = &QueueOptions::groups,
                .check = check_groups,
                .redeclare = Redeclare::apart,
                .is_sent_if_default = false},
    QueueOption{.name = "mode",
                .member = &QueueOptions::mode,
                .unit = Unit::mode,
                .check = check_mode,
                .flag = "--mode",
                .help = "Who may produce (w) and consume (r), as of a file (0600)"},
    QueueOption{.name = "fence",
                .member = &QueueOptions::fence,
                .check = check_fence,
                .flag = "--fence",
                .help = "symmetric on machines with isolated cores that must not be interrupted"},
    QueueOption{.name = "evict_after_ms",
                .member = &QueueOptions::evict_after,
                .check = check_evict_after,
                .redeclare = Redeclare::changed,
                .is_sent_if_default = false,
                .flag = "--evict-after",
                .value_name = "TIME",
                .help = "Throw out a consumer that stands still for so long while producers wait (never); of a "
                        "queue that exists it is changed, by its owner or root",
                .label = "evicts after"},
    QueueOption{.name = "type",
                .member = &QueueOptions::type,
                .check = check_type,
                .is_sent_if_default = false,
                .label = "type"},
    QueueOption{.name = "description",
                .member = &QueueOptions::description,
                .check = check_description,
                .redeclare = Redeclare::changed_or_kept,
                .is_sent_if_default = false,
                .is_ignorable = true,
                .flag = "--description",
                .value_name = "TEXT",
                .help = "What the queue is for; of a queue that exists it is changed, by its owner or root",
                .label = "description"},
    QueueOption{.name = "exclusive",
                .member = &QueueOptions::exclusive,
                .is_sent_if_default = false,
                .is_ignorable = true,
                .flag = "--exclusive",
                .help = "For programs alone (QueueOptions::exclusive): removed when the process that makes it has "
                        "ended. This command is refused with it; it takes --expire-after"},
    QueueOption{.name = "expire_after_ms",
                .member = &QueueOptions::expire_after,
                .check = check_expire_after,
                .is_sent_if_default = false,
                .is_ignorable = true,
                .flag = "--expire-after",
                .value_name = "TIME",
                .help = "Remove the queue, with its messages, when it was unused for so long (never)"},
};

constexpr std::array k_group_options{
    GroupOption{.name = "evict_after_ms",
                .member = &GroupOptions::evict_after,
                .check = check_own_evict_after,
                .redeclare = Redeclare::changed,
                .is_sent_if_default = false,
                .flag = "--evict-after",
                .value_name = "TIME",
                .help = "Its own time until a consumer that stands still is thrown out, 0: never (the queue's)"},
};

// The general value of a group's option is the queue's option of the same name: the daemon takes it from that row.
static_assert(std::all_of(k_group_options.begin(), k_group_options.end(),
                          [](const GroupOption& own) {
                            return std::any_of(k_queue_options.begin(), k_queue_options.end(),
                                               [&own](const QueueOption& each) { return each.name == own.name; });
                          }),
              "an option of a group has the name of an option of the queue");

/// What producers and consumers have in common.
template <class Options>
constexpr OptionRow<Options> k_wait{.name = "wait",
                                    .member = &Options::wait,
                                    .is_sent = false,
                                    .flag = "--wait",
                                    .help =
                                        "What to do while there is nothing to do: spin a little, then sleep "
                                        "(adaptive), spin, or sleep at once"};
template <class Options>
constexpr OptionRow<Options> k_populate{.name = "populate", .member = &Options::populate, .is_sent = false};
template <class Options>
constexpr OptionRow<Options> k_lock_memory{.name = "lock_memory", .member = &Options::lock_memory, .is_sent = false};

using ProducerOption = OptionRow<ProducerOptions>;
constexpr std::array k_producer_options{
    ProducerOption{
        .name = "name",
        .member = &ProducerOptions::name,
        .check = check_producer_name,
        .is_sent_if_default = false,
        .flag = "--producer",
        .value_name = "NAME",
        .help = "Publish under this name: message k gets sequence number k, and numbers that the name has published "
                "before are skipped. So the same input may be published again after a failure"},
    k_wait<ProducerOptions>,
    k_populate<ProducerOptions>,
    k_lock_memory<ProducerOptions>,
};

using ConsumerOption = OptionRow<ConsumerOptions>;
constexpr std::array k_consumer_options{
    ConsumerOption{.name = "group",
                   .member = &ConsumerOptions::group,
                   .check = check_consumer_group,
                   .is_sent_if_default = false,
                   .flag = "--group",
                   .value_name = "GROUP",
                   .help = "Share the messages with the other consumers of this group"},
    ConsumerOption{.name = "create_group",
                   .member = &ConsumerOptions::create_group,
                   .check = check_create_group,
                   .is_sent_if_default = false,
                   .flag = "--create-group",
                   .help = "Make the group if it is missing"},
    ConsumerOption{.name = "lossy",
                   .member = &ConsumerOptions::lossy,
                   .check = check_lossy,
                   .flag = "--lossy",
                   .help = "Let producers overtake; what was lost is counted"},
    ConsumerOption{.name = "start",
                   .member = &ConsumerOptions::start,
                   .flag = "--from",
                   .help = "Where a private consumer or a new group starts (latest)"},
    ConsumerOption{.name = "follow",
                   .member = &ConsumerOptions::follow,
                   .is_sent = false,
                   .flag = "--follow",
                   .help = "Wait for producers yet to come"},
    ConsumerOption{.name = "end_of_stream",
                   .member = &ConsumerOptions::end_of_stream,
                   .is_sent = false,
                   .flag = "--end-of-stream",
                   .help = "When to end: once no producer is attached (drained, the default without --group), only if "
                           "one was attached meanwhile (after_producer), or not at all (never, the default of groups)"},
    ConsumerOption{.name = "ack", .member = &ConsumerOptions::ack, .is_sent = false},
    ConsumerOption{
        .name = "prefetch", .member = &ConsumerOptions::prefetch, .check = check_prefetch, .is_sent_if_default = false},
    k_wait<ConsumerOptions>,
    k_populate<ConsumerOptions>,
    k_lock_memory<ConsumerOptions>,
    ConsumerOption{.name = "spin_backoff", .member = &ConsumerOptions::spin_backoff, .is_sent = false},
    ConsumerOption{.name = "speculative_spin", .member = &ConsumerOptions::speculative_spin, .is_sent = false},
};

}  // namespace

template <>
std::span<const OptionRow<QueueOptions>> options_of() noexcept {
  return k_queue_options;
}
template <>
std::span<const OptionRow<GroupOptions>> options_of() noexcept {
  return k_group_options;
}
template <>
std::span<const OptionRow<ProducerOptions>> options_of() noexcept {
  return k_producer_options;
}
template <>
std::span<const OptionRow<ConsumerOptions>> options_of() noexcept {
  return k_consumer_options;
}

void check_group(const std::string& context, const NamedGroup& group) {
  check_name(context + ": group", "group", group.name);
  check_options(error_subject(context + ": group", group.name), group.options);
}

std::string text_of(const std::vector<Difference>& differences) {
  std::string text;
  for (const Difference& each : differences) {
    text += (text.empty() ? "" : "; ") + each.option + " " + each.there + ", not " + each.wanted;
  }
  return text;
}

}  // namespace beltway::wire
