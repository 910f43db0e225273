#include "wire/options_schema.hpp"

#include <algorithm>
#include <array>

#include "wire/options_checks.hpp"
#include "wire/validate.hpp"

namespace beltway::wire {

namespace {

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
    QueueOption{.name = "retry_delay_ms",
                .member = &QueueOptions::retry_delay,
                .check = check_retry_delay,
                .redeclare = Redeclare::changed,
                .is_sent_if_default = false,
                .flag = "--retry-delay",
                .value_name = "TIME",
                .help = "How long a message waits that failed once (1ms), doubled each time; 0: not at all; may be "
                        "changed as --evict-after",
                .label = "retries after"},
    QueueOption{.name = "retry_delay_max_ms",
                .member = &QueueOptions::retry_delay_max,
                .check = check_retry_delay_max,
                .redeclare = Redeclare::changed,
                .is_sent_if_default = false,
                .flag = "--retry-delay-max",
                .value_name = "TIME",
                .help = "The longest of these waits (1s)",
                .label = "at most after"},
    QueueOption{.name = "max_deliveries",
                .member = &QueueOptions::max_deliveries,
                .check = check_max_deliveries,
                .redeclare = Redeclare::changed,
                .is_sent_if_default = false,
                .flag = "--max-deliveries",
                .value_name = "NUMBER",
                .help = "Give a message up that failed so often, 0: never; needs --dead-letter or --discard true",
                .label = "delivers at most"},
    QueueOption{.name = "discard",
                .member = &QueueOptions::discard,
                .redeclare = Redeclare::changed,
                .is_sent_if_default = false,
                .flag = "--discard",
                .value_name = "true|false",
                .help = "Drop and count messages that consumers reject or that failed --max-deliveries times",
                .label = "discards"},
    QueueOption{.name = "dead_letter",
                .member = &QueueOptions::dead_letter,
                .check = check_dead_letter,
                .redeclare = Redeclare::changed,
                .is_sent_if_default = false,
                .flag = "--dead-letter",
                .value_name = "QUEUE",
                .help = "The queue for messages that consumers reject or that are given up",
                .label = "dead letters to"},
    QueueOption{.name = "ttl_ms",
                .member = &QueueOptions::ttl,
                .check = check_ttl,
                .redeclare = Redeclare::changed,
                .is_sent_if_default = false,
                .flag = "--ttl",
                .value_name = "TIME",
                .help = "Messages that are older expire (never)",
                .label = "expires messages after"},
    QueueOption{.name = "lease_timeout_ms",
                .member = &QueueOptions::lease_timeout,
                .check = check_lease_timeout,
                .redeclare = Redeclare::changed,
                .is_sent_if_default = false,
                .flag = "--lease-timeout",
                .value_name = "TIME",
                .help = "A message that a consumer holds for longer goes to another (never)",
                .label = "leases last"},
    QueueOption{.name = "drop_oldest",
                .member = &QueueOptions::drop_oldest,
                .check = check_drop_oldest,
                .redeclare = Redeclare::changed,
                .is_sent_if_default = false,
                .flag = "--drop-oldest",
                .value_name = "COUNT",
                .help = "Keep so many of the newest messages in a named group and drop older ones (keep all)",
                .label = "keeps the newest"},
    QueueOption{.name = "stamps",
                .member = &QueueOptions::stamps,
                .redeclare = Redeclare::changed,
                .is_sent_if_default = false,
                .flag = "--stamps",
                .value_name = "off|coarse|fine",
                .help = "Whether messages tell when they were published, so that their age is known (off)",
                .label = "stamps"},
    QueueOption{
        .name = "max_parked",
        .member = &QueueOptions::max_parked,
        .check = check_max_parked,
        .is_sent_if_default = false,
        .flag = "--max-parked",
        .value_name = "COUNT",
        .help = "Slots that messages held for long may take without holding the ring; 0: none (half of the slots)",
        .label = "max parked"},
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
    GroupOption{.name = "retry_delay_ms",
                .member = &GroupOptions::retry_delay,
                .check = check_own_retry_delay,
                .redeclare = Redeclare::changed,
                .is_sent_if_default = false,
                .flag = "--retry-delay",
                .value_name = "TIME",
                .help = "Its own time that a message waits that failed once, 0: not at all (the queue's)"},
    GroupOption{.name = "retry_delay_max_ms",
                .member = &GroupOptions::retry_delay_max,
                .check = check_own_retry_delay_max,
                .redeclare = Redeclare::changed,
                .is_sent_if_default = false,
                .flag = "--retry-delay-max",
                .value_name = "TIME",
                .help = "The longest of these waits (the queue's)"},
    GroupOption{.name = "max_deliveries",
                .member = &GroupOptions::max_deliveries,
                .check = check_own_max_deliveries,
                .redeclare = Redeclare::changed,
                .is_sent_if_default = false,
                .flag = "--max-deliveries",
                .value_name = "NUMBER",
                .help = "Give a message up that failed so often, 0: never (the queue's)"},
    GroupOption{.name = "discard",
                .member = &GroupOptions::discard,
                .redeclare = Redeclare::changed,
                .is_sent_if_default = false,
                .flag = "--discard",
                .value_name = "true|false",
                .help = "Drop and count rejected messages and those given up (the queue's)"},
    GroupOption{.name = "dead_letter",
                .member = &GroupOptions::dead_letter,
                .check = check_own_dead_letter,
                .redeclare = Redeclare::changed,
                .is_sent_if_default = false,
                .flag = "--dead-letter",
                .value_name = "QUEUE",
                .help = "Its own queue for messages that consumers reject or that are given up (the queue's)"},
    GroupOption{.name = "ttl_ms",
                .member = &GroupOptions::ttl,
                .check = check_own_ttl,
                .redeclare = Redeclare::changed,
                .is_sent_if_default = false,
                .flag = "--ttl",
                .value_name = "TIME",
                .help = "Its own age beyond which messages expire, 0: never (the queue's)"},
    GroupOption{
        .name = "lease_timeout_ms",
        .member = &GroupOptions::lease_timeout,
        .check = check_own_lease_timeout,
        .redeclare = Redeclare::changed,
        .is_sent_if_default = false,
        .flag = "--lease-timeout",
        .value_name = "TIME",
        .help = "Its own time after which a message that a consumer holds goes to another, 0: never (the queue's)"},
    GroupOption{.name = "drop_oldest",
                .member = &GroupOptions::drop_oldest,
                .check = check_own_drop_oldest,
                .redeclare = Redeclare::changed,
                .is_sent_if_default = false,
                .flag = "--drop-oldest",
                .value_name = "COUNT",
                .help = "Its own number of newest messages to keep, 0: all (the queue's)"},
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
    ConsumerOption{.name = "conflate",
                   .member = &ConsumerOptions::conflate,
                   .check = check_conflate,
                   .is_sent = false,
                   .flag = "--conflate",
                   .help = "With --lossy: write the newest message only; skipped ones count as lost"},
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
    ConsumerOption{.name = "reattach",
                   .member = &ConsumerOptions::reattach,
                   .is_sent = false,
                   .flag = "--reattach",
                   .help = "After an eviction attach again and go on"},
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
