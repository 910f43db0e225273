// What can be known of a queue: its description (from the daemon) and its state (from shared memory).
#pragma once

#include "beltway/detail/requirements.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "beltway/options.hpp"
#include "beltway/properties.hpp"

namespace beltway {

/// A daemon of the caller's user that the caller did not ask: it serves another environment of that user.
struct OtherDaemon {
  int pid = 0;         ///< 0: not known
  std::string socket;  ///< where it listens first
};

/// Kept by a producer in shared memory, written by it alone.
struct ProducerCounters {
  std::uint64_t messages = 0;          ///< published
  std::uint64_t bytes = 0;             ///< payload bytes published
  std::uint64_t refused = 0;           ///< tries that ended full, timed waits that ended without publishing
  std::uint64_t wakes = 0;             ///< endpoints that it woke from their sleep
  std::uint64_t sleeps = 0;            ///< times it slept in the kernel, waiting for room
  std::uint64_t rescued = 0;           ///< sleeps that only the last-resort timer ended: a lost wakeup, always 0
  std::uint64_t blocked_ns = 0;        ///< time spent waiting for room, asleep or spinning
  std::uint64_t high_water = 0;        ///< most positions in use by the slowest reliable group, as seen at its scans
  std::uint64_t last_progress_ns = 0;  ///< CLOCK_MONOTONIC of a recent publish (renewed every 64 messages and on waits)
  std::uint64_t needless_wakes = 0;  ///< times it was woken and found nothing to do; in event mode also for a neighbour
  /// Messages that no consumer will get: QueueTotals::unread, counted from this producer's attach on, other producers'
  /// included. Only Producer::counters() fills it.
  std::uint64_t unread = 0;
};

/// Kept by a consumer in shared memory, written by it alone.
struct ConsumerCounters {
  std::uint64_t messages = 0;  ///< received
  std::uint64_t bytes = 0;     ///< payload bytes received
  /// Lossy consumers: positions that producers have overwritten. Groups with drop_oldest: messages that this very consumer has
  /// dropped. Producers drop, too: GroupState::dropped counts them all.
  std::uint64_t lost = 0;
  std::uint64_t redelivered = 0;       ///< received with tries > 0
  std::uint64_t corrupt = 0;           ///< messages whose size or place made no sense: a peer scribbled; skipped
  std::uint64_t acks = 0;              ///< named groups
  std::uint64_t nacks = 0;             ///< named groups: given back or rejected
  std::uint64_t wakes = 0;             ///< endpoints that it woke from their sleep
  std::uint64_t sleeps = 0;            ///< times it slept in the kernel, waiting for a message
  std::uint64_t rescued = 0;           ///< sleeps that only the last-resort timer ended: a lost wakeup, always 0
  std::uint64_t blocked_ns = 0;        ///< time spent waiting for messages, asleep or spinning
  std::uint64_t last_progress_ns = 0;  ///< CLOCK_MONOTONIC of a recent receive (renewed every 64 messages and on waits)
  std::uint64_t needless_wakes = 0;  ///< times it was woken and found nothing to do; in event mode also for a neighbour
  std::uint64_t discarded = 0;       ///< messages that it dropped: rejected, or delivered max_deliveries times
  std::uint64_t expired = 0;         ///< messages that it did not deliver, since they were older than their ttl
  std::uint64_t dead_lettered = 0;   ///< messages that it moved to the dead letter queue
  std::uint64_t timed_out = 0;  ///< messages that it took from another consumer, which held them beyond lease_timeout
  /// Moves to the dead letter queue that failed: it was full, or gone. The message waits and is moved later.
  std::uint64_t failed_moves = 0;
};

/// Kept by the daemon: what its repair did, and the sums of endpoints that are gone.
struct QueueTotals {
  std::uint64_t repairs = 0;      ///< endpoints that were detached or died, and were cleaned up
  std::uint64_t voided = 0;       ///< claims of the dead that became VOID
  std::uint64_t released = 0;     ///< leases of the dead that went back to their groups
  std::uint64_t messages_in = 0;  ///< by producers that are gone
  std::uint64_t bytes_in = 0;
  std::uint64_t messages_out = 0;  ///< by consumers that are gone
  std::uint64_t bytes_out = 0;
  std::uint64_t refused = 0;
  std::uint64_t lost = 0;
  std::uint64_t redelivered = 0;
  std::uint64_t wakes = 0;
  std::uint64_t sleeps = 0;
  /// Positions that were published while the queue had neither a named group nor a consumer: no consumer gets those messages. A
  /// group that starts at the oldest message gets what is still in the ring; those positions are not counted.
  std::uint64_t unread = 0;
  std::uint64_t discarded = 0;  ///< by consumers that are gone
  std::uint64_t expired = 0;
  std::uint64_t dead_lettered = 0;
  std::uint64_t timed_out = 0;
};

/// How old messages are, in a queue with stamps.
struct MessageAges {
  /// Of the oldest message that is not finished: not acknowledged, not released. Nothing: there is none, or it has no stamp.
  std::optional<std::chrono::microseconds> oldest = {};
  /// Messages with a stamp that the attached consumers have got, and how old they were then: half of them were younger than
  /// p50, 99 of 100 younger than p99, all younger than `max`. Each time is a power of two. Beyond half an hour no bound is known.
  std::uint64_t delivered = 0;
  std::chrono::microseconds p50{0};
  std::chrono::microseconds p99{0};
  std::chrono::microseconds max{0};
};

/// One attached process end.
struct EndpointInfo {
  unsigned index = 0;  ///< among producers or among consumers
  bool producer = false;
  int pid = 0;  ///< of the process that attached, as the kernel told the daemon
  std::uint32_t uid = 0;
  std::string group;  ///< consumers: the named group; empty: private
  bool lossy = false;
  bool evicted = false;  ///< evicted (evict_after), and its process has not detached yet
  /// Consumers: may be evicted. False if evict_after was 0 when it attached: a time that is set later does not concern it.
  bool evictable = false;
  /// No connection answers for it any more, but its memory is still mapped, by its process or a child of it. The daemon awaits
  /// the end of that.
  bool orphan = false;
  bool leaving = false;        ///< consumers: `group` was removed while it was attached
  std::uint32_t prefetch = 0;  ///< consumers of a named group: messages that it holds at most; 0: not known
  std::string name = {};       ///< producers: ProducerOptions::name; empty: none
};

/// What a declare has changed of a queue that existed. Values as text.
struct OptionChange {
  std::string option;  ///< "evict_after_ms"
  std::string group;   ///< the group whose own it is; empty: the queue's
  std::string from;
  std::string to;
};

/// A named group whose consumers get no messages until it is resumed.
struct PausedGroup {
  std::string name;
  std::chrono::milliseconds paused_for{0};
};

/// What the daemon knows of a queue.
/// A name that producers of a queue publish under, or have.
struct ProducerName {
  std::string name;
  std::uint64_t last_sequence = 0;  ///< the highest sequence number that it has published; 0: none
};

struct QueueInfo {
  std::string name;
  std::uint64_t id = 0;  ///< never used again, also not for a queue of the same name
  std::uint32_t owner_uid = 0;
  std::uint32_t owner_gid = 0;
  QueueOptions options;            ///< `groups`: all named groups there are now, without those that were removed
  std::uint64_t shared_bytes = 0;  ///< bytes of its memory segments
  std::vector<EndpointInfo> endpoints;
  std::vector<ProducerName> producer_names = {};
  int owner_pid = 0;  ///< of an exclusive queue: the process that it belongs to; 0: none, or of another pid namespace
  /// Time until the queue is removed, if no process attaches. Nothing: an endpoint is attached, or the queue does not expire.
  std::optional<std::chrono::milliseconds> expires_in = {};
  std::vector<PausedGroup> paused = {};
  /// The queues that `dead_letter` of the queue or of a group names and that do not exist: they were removed by force.
  std::vector<std::string> missing_dead_letter_queues = {};

  /// How long the group is paused. Nothing: it is not.
  [[nodiscard]] std::optional<std::chrono::milliseconds> paused_for(std::string_view group) const {
    for (const PausedGroup& each : paused) {
      if (each.name == group) return each.paused_for;
    }
    return std::nullopt;
  }
};

enum class SleepState : std::uint8_t { awake, asleep, signalled };

/// What a producer that sleeps waits for.
enum class WaitsFor : std::uint8_t {
  nothing,  ///< it does not wait, or spins for something else than the ring
  ring,     ///< that reliable groups pass `waits_past`: room for its turn, a quarter of the ring for one alone at most
  lane,     ///< that reliable groups pass `waits_past`: a message in its lane
  claim,    ///< that another producer finishes what it has claimed
  own_loans,  ///< no group holds it up: open loans of its own fill its lane, or it is just being woken
};

struct ProducerState {
  EndpointInfo endpoint;
  ProducerCounters counters;
  SleepState sleep = SleepState::awake;
  /// 1 for the producer that claims first when room in the ring comes free, 2 for the next one; 0: it does not wait for room.
  /// Always 0 with a single producer.
  unsigned place_in_line = 0;
  /// Slots that it has claimed and not finished: more than 0 for long is a stopped process. Always 0 with a single producer, for
  /// whose claim no other process waits.
  std::uint64_t claimed = 0;
  std::uint64_t oldest_claim = 0;  ///< position of the oldest of them, if there is one
  /// CLOCK_MONOTONIC when its present wait began, asleep or spinning; 0: it does not wait.
  std::uint64_t waits_since_ns = 0;
  WaitsFor waits_for = WaitsFor::nothing;
  std::uint64_t waits_past = 0;     ///< with `ring` and `lane`: a position
  std::uint64_t lane_messages = 0;  ///< messages in its lane that a reliable group still needs
  std::uint64_t lane_used = 0;      ///< bytes of its lane that they take
};

struct ConsumerState {
  EndpointInfo endpoint;
  ConsumerCounters counters;
  SleepState sleep = SleepState::awake;
  std::uint64_t waits_since_ns =
      0;                    ///< CLOCK_MONOTONIC when its present wait began, asleep or spinning; 0: it does not wait
  std::uint64_t held = 0;   ///< messages that it holds unacknowledged
  std::uint64_t lag = 0;    ///< private groups: positions behind the latest
  std::uint64_t floor = 0;  ///< private groups: the first position that it still needs
  MessageAges ages = {};    ///< `oldest`: private groups only
};

struct GroupState {
  std::string name;
  std::uint64_t floor = 0;              ///< the first position that the group still needs
  std::uint64_t depth = 0;              ///< positions from the floor to the latest
  std::optional<unsigned> holder = {};  ///< the consumer that holds the message at `floor`; nothing: no consumer does
  unsigned tries = 0;                   ///< deliveries of that message before this one
  /// published messages that no consumer holds and none has acknowledged, without the delayed ones
  std::uint64_t available = 0;
  std::uint64_t leased = 0;   ///< of these: held by consumers
  std::uint64_t retry = 0;    ///< of these: given back, to be delivered again
  std::uint64_t delayed = 0;  ///< messages that failed and wait before they are delivered again
  /// Time until the first of these, or of the parked ones that no consumer holds, is due; 0: it is due. Nothing: none waits.
  std::optional<std::chrono::microseconds> due_in = {};
  std::uint64_t parked = 0;  ///< messages that are held or delayed, and do not hold producers back
  std::optional<std::uint64_t> oldest_parked = {};  ///< position of the oldest of these
  std::optional<unsigned> parked_holder = {};       ///< the consumer that holds that message; nothing: it is delayed
  std::chrono::milliseconds evict_after{0};         ///< its own or the queue's; 0: never
  std::chrono::milliseconds retry_delay{0};         ///< its own or the queue's, as the next three
  std::chrono::milliseconds retry_delay_max{0};     ///< the longest wait
  std::uint32_t max_deliveries = 0;                 ///< 0: no limit
  bool discard = false;
  std::uint64_t discarded = 0;      ///< by the consumers that are attached
  std::string dead_letter = {};     ///< its own or the queue's; empty: none
  std::uint64_t dead_lettered = 0;  ///< by the consumers that are attached
  std::uint64_t to_move = 0;        ///< messages that could not be moved to the dead letter queue yet
  std::uint32_t drop_oldest = 0;    ///< how many of its newest messages it keeps: its own or the queue's; 0: all
  std::uint64_t dropped = 0;        ///< messages that were dropped since they were older, by consumers and producers
  std::chrono::milliseconds lease_timeout{0};  ///< its own or the queue's; 0: leases do not end by time
  std::uint64_t overdue = 0;    ///< messages that consumers hold for longer than that, until another consumer looks
  std::uint64_t timed_out = 0;  ///< messages that attached consumers took from others, which held them for too long
  std::vector<unsigned> consumers;
  std::optional<std::chrono::milliseconds> paused_for = {};  ///< nothing: it is not paused
  MessageAges ages = {};
  std::chrono::milliseconds ttl{0};  ///< its own or the queue's; 0: messages do not expire
  std::uint64_t expired = 0;         ///< by the consumers that are attached
};

/// A named group that was removed and whose place is not free yet.
struct LeavingGroup {
  std::string name;
  bool holds = false;        ///< its floor still holds producers back, since consumers hold messages of it
  std::uint64_t floor = 0;   ///< if it holds
  std::uint64_t leased = 0;  ///< messages that consumers hold
};

/// The state of a queue at one moment. Each number is exact, all together only as far as the queue held still.
struct QueueSnapshot {
  QueueInfo info;
  std::uint64_t position = 0;     ///< the next position to be published
  std::uint64_t used = 0;         ///< positions that the slowest reliable group still holds
  std::uint64_t parked = 0;       ///< slots whose messages are parked: producers go around them
  std::uint64_t max_parked = 0;   ///< of these at most; beyond, held messages hold the ring
  bool symmetric_fences = false;  ///< by option, or because a process could not use membarrier
  bool removed = false;           ///< all attached processes are told so
  std::uint64_t broken = 0;       ///< words that make no sense: floors outside of the ring, slots without an owner
  QueueTotals totals;
  std::vector<ProducerState> producers;
  std::vector<ConsumerState> consumers;
  std::vector<GroupState> groups;
  std::vector<LeavingGroup> leaving;
};

/// An endpoint that keeps messages of a group from being purged: a consumer that holds them, or a producer that is still
/// writing them. Its process may be stopped; the messages are free when it acknowledges them or ends.
struct PurgeHolder {
  bool producer = false;
  unsigned index = 0;          ///< among producers or among consumers
  int pid = 0;                 ///< of the process that attached, as the kernel told the daemon
  std::uint64_t messages = 0;  ///< that it holds of this group
  std::uint64_t oldest = 0;    ///< position of the oldest of them
};

/// What Queue::purge() did, and what it had to leave.
struct PurgeResult {
  std::uint64_t purged = 0;          ///< messages that were acknowledged
  std::uint64_t left = 0;            ///< messages that `holders` hold: they were not acknowledged
  std::uint64_t used = 0;            ///< positions that the slowest reliable group, of all, still holds afterwards
  std::vector<PurgeHolder> holders;  ///< the one with the oldest message first; empty if `left` is 0
};

/// What Queue::reset_group() did.
struct ResetResult {
  std::uint64_t position =
      0;  ///< where the group begins now; later than asked for if producers have reused slots meanwhile
  std::uint64_t acknowledged = 0;  ///< messages before it that no consumer held
  std::uint64_t restored =
      0;  ///< messages from there on that were acknowledged, or older than the group: they come (again)
  std::uint64_t held = 0;  ///< messages that consumers hold: they keep them
};

/// A copy of a message that was not taken.
struct PeekedMessage {
  std::uint64_t position = 0;
  unsigned producer = 0;
  std::vector<std::byte> bytes;                       ///< at most the limit that was asked for
  std::uint64_t size = 0;                             ///< bytes of the whole payload
  std::vector<std::byte> properties_block{};          ///< as in shared memory; empty: the message has no properties
  std::optional<std::chrono::microseconds> age = {};  ///< as Message::age(), when it was copied
  /// How often it was delivered to the group that was asked for, with the delivery that has not ended yet. Nothing: of the whole
  /// ring.
  std::optional<unsigned> deliveries = {};
  std::optional<unsigned> holder = {};  ///< the consumer of that group that holds it; nothing: no consumer does

  /// Views of `properties_block`.
  [[nodiscard]] PropertiesView properties() const noexcept { return PropertiesView(properties_block); }
};

}  // namespace beltway
