// What the daemon knows of its queues, as plain data: names, owners, rights, options, groups, and which process holds which
// endpoint. Everything that must survive a restart of the daemon is here and nowhere else (descriptors apart). So it can be
// written to the registry segment as it is. Nothing of it is ever read back from memory that a client could write.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "beltway/options.hpp"
#include "ring/layout.hpp"
#include "wire/least_reader.hpp"

namespace beltway::daemon {

/// Records of version 0.1 say no layout. They are of this one.
inline constexpr wire::LayoutVersion k_unsaid_layout{1, 1};

/// A named group's place. The index is its place in the vector.
struct GroupRecord {
  enum class State : std::uint8_t {
    free,
    active,
    leaving,  ///< removed; its place is free when it is drained and no endpoint that was attached remains
  };
  State state = State::free;
  std::string name;
  GroupOptions options = {};
  std::uint32_t incarnation = 0;
  /// Since when it is paused, by CLOCK_MONOTONIC. Nothing: it is not.
  std::optional<std::chrono::milliseconds> paused_since = {};
  /// Where a reset lets it begin. Nothing: no reset is under way. The next daemon finishes a reset that it finds.
  std::optional<ring::Position> reset_to = {};
};

/// One endpoint's place, attached or not.
struct EndpointRecord {
  bool attached = false;
  std::uint32_t incarnation = 0;  ///< raised at each attach
  int pid = 0;
  std::string command = {};  ///< the name of its program at its attach, for people
  std::uint32_t uid = 0;
  std::uint64_t session = 0;  ///< the connection that answers for it; 0: none any more, its death is awaited
  bool evicted = false;       ///< its place is not free until its death is proved
  bool evictable = false;  ///< it was told so when it attached: its acks are swaps, and it checks whether it is evicted
  std::optional<std::uint32_t> name = {};  ///< of a named producer: index in QueueRecord::producer_names
  std::uint32_t prefetch = 0;              ///< of a named group's consumer, as it said; for people
  unsigned group = 0;                      ///< consumers: index of the named group, or max_groups + consumer index
  ring::GroupKind kind = ring::GroupKind::private_reliable;
};

/// The process that an exclusive queue belongs to. Its lock (Queue::has_lost_owner) says whether it lives, not its number.
struct OwnerProcess {
  int pid = 0;                ///< 0: of a pid namespace that the daemon does not see
  std::string command = {};   ///< the name of its program at its declare, for people
  std::uint64_t session = 0;  ///< the connection that answers for it; 0: none any more, its end is awaited. Not saved
};

struct QueueRecord {
  std::string name;
  std::uint64_t id = 0;
  std::uint32_t owner_uid = 0;
  std::uint32_t owner_gid = 0;
  bool symmetric = false;                        ///< by option, or since a process could not use membarrier
  bool removing = false;                         ///< the next daemon, if there is one, finishes the removal
  QueueOptions options;                          ///< without `groups`: those are in the next member
  std::vector<GroupRecord> groups;               ///< max_groups places
  std::vector<EndpointRecord> endpoints;         ///< by endpoint index: producers first
  std::vector<std::string> producer_names = {};  ///< the index of a name is that of its sequence record
  OwnerProcess owner_process = {};               ///< of an exclusive queue
  /// Of a queue with expire_after: no endpoint is attached since then, by CLOCK_MONOTONIC. Nothing: one is.
  std::optional<std::chrono::milliseconds> unused_since = {};
};

/// The named groups that are not removed.
[[nodiscard]] inline std::vector<NamedGroup> active_groups(const QueueRecord& queue) {
  std::vector<NamedGroup> groups;
  for (const GroupRecord& group : queue.groups) {
    if (group.state == GroupRecord::State::active) groups.emplace_back(group.name, group.options);
  }
  return groups;
}

/// Whether messages of any group that failed for good go to another queue.
[[nodiscard]] inline bool has_dead_letters(const QueueRecord& queue) {
  const auto sends = [&queue](const GroupRecord& group) {
    return group.state == GroupRecord::State::active &&
           !group.options.dead_letter.value_or(queue.options.dead_letter).empty();
  };
  return std::ranges::any_of(queue.groups, sends);
}

/// How long a consumer of that group (an index beyond the named groups: a private one) may stand still; 0: for ever.
[[nodiscard]] inline std::chrono::milliseconds evict_after(const QueueRecord& queue, unsigned group) {
  const auto of_the_queue = queue.options.evict_after;
  return group < queue.groups.size() ? queue.groups[group].options.evict_after.value_or(of_the_queue) : of_the_queue;
}

/// What that named group does with messages that fail.
[[nodiscard]] inline ring::Redelivery redelivery(const QueueRecord& queue, unsigned group) {
  const QueueOptions& general = queue.options;
  const GroupOptions& own = queue.groups[group].options;
  return {.delay_ms = static_cast<std::uint32_t>(own.retry_delay.value_or(general.retry_delay).count()),
          .max_delay_ms = static_cast<std::uint32_t>(own.retry_delay_max.value_or(general.retry_delay_max).count()),
          .max_deliveries = static_cast<std::uint8_t>(own.max_deliveries.value_or(general.max_deliveries)),
          .discards = own.discard.value_or(general.discard),
          .dead_letters = !own.dead_letter.value_or(general.dead_letter).empty()};
}

[[nodiscard]] inline ring::GroupTimes group_times(const QueueRecord& queue, unsigned group) {
  const GroupOptions& own = queue.groups[group].options;
  return {
      .lease_timeout_ms = static_cast<std::uint32_t>(own.lease_timeout.value_or(queue.options.lease_timeout).count()),
      .ttl_ms = static_cast<std::uint32_t>(own.ttl.value_or(queue.options.ttl).count())};
}

/// What producers stamp messages with: also if only a ttl needs it. And how long private consumers may get a message.
[[nodiscard]] inline ring::Stamping stamping(const QueueRecord& queue) {
  bool expires = queue.options.ttl.count() != 0;
  for (unsigned group = 0; group < queue.groups.size(); ++group) {
    if (queue.groups[group].state == GroupRecord::State::free) continue;
    expires = expires || group_times(queue, group).ttl_ms != 0;
  }
  const Stamps stamps = queue.options.stamps;
  return {.ttl_ms = static_cast<std::uint32_t>(queue.options.ttl.count()),
          .mode = static_cast<std::uint8_t>(expires && stamps == Stamps::off ? Stamps::coarse : stamps)};
}

/// How many messages that named group keeps; 0: all.
[[nodiscard]] inline std::uint32_t kept_messages(const QueueRecord& queue, unsigned group) {
  return queue.groups[group].options.drop_oldest.value_or(queue.options.drop_oldest);
}

/// Which programs may work on the queue.
[[nodiscard]] inline wire::LeastReader least_reader(const QueueRecord& queue) {
  wire::LeastReader least;
  least.raise(queue.options);
  for (const GroupRecord& group : queue.groups) least.raise(group.options);
  return least;
}

/// Whether a consumer that attaches now may be evicted.
[[nodiscard]] inline bool is_evictable(const QueueRecord& queue, const EndpointRecord& consumer) {
  return consumer.kind != ring::GroupKind::lossy && evict_after(queue, consumer.group).count() != 0;
}

}  // namespace beltway::daemon
