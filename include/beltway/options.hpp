// The options of queues, groups, producers, consumers and connections. Ranges: see limits.hpp.
#pragma once

#include "beltway/detail/requirements.hpp"

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace beltway {

/// How publishers and sleepers order their memory against each other.
enum class Fence : std::uint8_t {
  asymmetric,  ///< sleepers pay (membarrier interrupts the other cores for about a microsecond), publishers do not
  symmetric,   ///< every publish pays a locked instruction; for isolated cores that must not be interrupted
};

/// What a blocking call does before its endpoint sleeps in the kernel.
enum class WaitStrategy : std::uint8_t {
  adaptive,  ///< spins for a budget that follows what paid off lately (at most 50 us), then sleeps
  spin,      ///< never sleeps: lowest latency, one core at 100 %; yields for a while when others took its processor
  sleep,     ///< sleeps at once: lowest use of processor time
};

/// Whether producers stamp each message with the time of its publish (Message::age()).
enum class Stamps : std::uint8_t {
  off,
  coarse,  ///< by a clock that the kernel renews each few milliseconds: costs little
  fine,    ///< exact to a microsecond
};

/// Where a new group starts to read.
enum class Start : std::uint8_t {
  latest,  ///< with the next message that is published
  oldest,  ///< with the oldest message still in the ring
};

/// How a message of a named group is acknowledged.
enum class Ack : std::uint8_t {
  explicit_call,  ///< by Message::ack(); a message dropped without it goes back to the group
  automatic,      ///< when the message is released
};

/// When a consumer that finds no message is told Status::end_of_stream. In each case all messages were delivered before. The
/// stream of a named group also waits for messages that other consumers hold, since those may come back.
enum class EndOfStream : std::uint8_t {
  by_group,        ///< named groups: never. Private groups: after_producer
  never,           ///< the consumer waits for producers yet to come
  after_producer,  ///< a producer was attached while this consumer was, and no producer is attached now
  drained,         ///< a producer was attached at any time, and no producer is attached now; so it may end at once
};

/// The type of a typed queue's messages; `size` 0: untyped.
struct TypeTag {
  std::string name;
  std::uint32_t size = 0;       ///< bytes
  std::uint32_t alignment = 0;  ///< bytes

  bool operator==(const TypeTag&) const = default;
};

/// What a named group has of its own.
struct GroupOptions {
  /// QueueOptions::evict_after for the consumers of this group; 0: never. Unset: as the queue has it. Only the queue's
  /// owner and root may set it, since it decides how long this group may hold producers back.
  std::optional<std::chrono::milliseconds> evict_after = {};
  /// Values of this group in the place of QueueOptions::retry_delay and so on. Unset: as the queue has it. Only the queue's owner
  /// and root may set and change them.
  std::optional<std::chrono::milliseconds> retry_delay = {};
  std::optional<std::chrono::milliseconds> retry_delay_max = {};
  std::optional<std::uint32_t> max_deliveries = {};
  std::optional<bool> discard = {};
  std::optional<std::string> dead_letter = {};  ///< empty: none
  std::optional<std::chrono::milliseconds> ttl = {};
  std::optional<std::chrono::milliseconds> lease_timeout = {};
  std::optional<std::uint32_t> drop_oldest = {};

  bool operator==(const GroupOptions&) const = default;
};

/// A named group to be made: `"billing"`, or `{"audit", {.evict_after = 5s}}`.
struct NamedGroup {
  template <std::convertible_to<std::string_view> Name>
  NamedGroup(const Name& its_name, GroupOptions its_options = {})  // NOLINT: implicit, a name alone is a group
      : name(std::string_view(its_name)), options(its_options) {}

  std::string name;
  GroupOptions options;

  bool operator==(const NamedGroup&) const = default;
};

/// Fixed when a queue is declared, unless an option says otherwise; the tool shows them.
struct QueueOptions {
  /// Power of two, 2 to 2^20. Where throughput counts, let slots times slot_bytes be two or three times a processor's L2 cache:
  /// small messages then pass up to twice as fast as through a ring that stays in it (bench/README.md).
  std::uint32_t slots = 1024;
  std::uint32_t slot_bytes = 128;         ///< 32, 64 or a multiple of 64 up to 65536; payload: 16 less
  std::uint64_t lane_bytes = 1ULL << 20;  ///< each producer's room for messages beyond a slot; 0: none, no loans
  std::uint32_t max_producers = 8;        ///< 1 to 64; 1 makes the faster single-producer ring
  std::uint32_t max_consumers = 16;       ///< 1 to 64
  std::uint32_t max_groups = 8;           ///< named groups, 0 to 64
  std::vector<NamedGroup> groups = {};    ///< named groups made with the queue; those missing later are added
  std::uint32_t mode = 0600;              ///< as a file has it: w produces, r consumes and inspects
  Fence fence = Fence::asymmetric;
  /// The daemon evicts a consumer that blocks producers for this time without progress. In a named group this consumer holds the
  /// oldest message that the group needs; a private group has one consumer. Producers are blocked if the ring is full or a
  /// producer sleeps for room. The consumer gets Status::evicted. Its messages go back to the named group. Messages of a
  /// private group may be overwritten while it holds them; Message::ack() then returns false. 0: never. 10 ms to 24 days.
  /// The owner may change it while the queue lives. GroupOptions may set another time.
  std::chrono::milliseconds evict_after{0};
  /// How long a message of a named group that failed waits before it is delivered again: after a nack, an exception of a handler,
  /// and a drop without an ack. It is doubled with each failure of the message, up to retry_delay_max. Meanwhile newer messages
  /// are delivered. 0: the message is delivered again at once, before newer ones, as after the death of a consumer. At most a
  /// day. The owner may change it, and the next three, while the queue lives. GroupOptions may set other values.
  std::chrono::milliseconds retry_delay{1};
  std::chrono::milliseconds retry_delay_max{1000};  ///< the longest of these waits; 0: none. At most a day
  /// How often a message of a named group is delivered at most. When the last of these deliveries has failed, also by a death,
  /// the message goes to `dead_letter`, or is dropped and counted (ConsumerCounters::discarded). Requires `dead_letter` or
  /// `discard`. 0: no limit. At most 255.
  std::uint32_t max_deliveries = 0;
  /// A message of a named group that is rejected (Message::reject()), or was delivered max_deliveries times, is dropped and
  /// counted. With `dead_letter` it goes there. With neither, no message is ever dropped.
  bool discard = false;
  /// A queue of the same daemon. A message of a named group that is rejected, was delivered max_deliveries times, or is older
  /// than `ttl` is moved there, with properties that say why (PropertiesView::dead_letter()). That queue must exist, have a named
  /// group, and take the largest message of this queue with k_max_dead_letter_bytes more. Each consumer of the group needs the
  /// right to publish there, and takes a producer's place a process. Empty: none. The owner may change it while the queue lives.
  std::string dead_letter = {};
  /// A message that is older is not delivered any more: it is dropped and counted, or goes to `dead_letter`. Turns `stamps` to
  /// coarse. 0: messages do not expire. 1 ms to 24 days. The owner may change it while the queue lives. GroupOptions may set
  /// another time.
  std::chrono::milliseconds ttl{0};
  /// A consumer of a named group that holds a message for longer loses it to another consumer that waits or asks for messages:
  /// some milliseconds after that time, in a fast stream up to an eighth of it. Message::extend() asks for more time. 0: never.
  /// 10 ms to 24 days. The owner may change it while the queue lives. GroupOptions may set another time.
  std::chrono::milliseconds lease_timeout{0};
  /// A named group keeps so many of the newest messages; older ones that no consumer holds are dropped and counted. Such a group
  /// does not hold producers back. 0: none is dropped. The owner may change it while the queue lives.
  std::uint32_t drop_oldest = 0;
  /// Whether messages tell when they were published: see Message::age(). The owner may change it while the queue lives.
  Stamps stamps = Stamps::off;
  /// Slots whose messages may be parked at once. A message of a named group that a consumer holds for long, or that waits for its
  /// retry, is parked when a producer needs room: the other consumers and the producers go on around its slot, and around its
  /// bytes in a lane. Each parked slot makes the ring one slot smaller. Beyond the limit such messages hold the ring. 0: they
  /// always do. Below `slots`; unset: half of them.
  std::optional<std::uint32_t> max_parked = {};
  TypeTag type = {};  ///< filled by Connection::declare<T>
  /// What the queue is for, for people; empty: not given. At most 128 bytes of UTF-8 without control characters. declare()
  /// gives it to a new queue and leaves that of an existing one; its owner changes it with `beltway declare --description`.
  std::string description = {};
  /// The queue belongs to the process that makes it. It is removed when that process has ended in any way, or has called exec,
  /// also if no daemon ran then. Attached endpoints get Status::removed. `mode` decides about access, as always.
  /// Destroying the Connection does not end the ownership: the process keeps its socket until the queue is removed. A forked
  /// child owns nothing. Only the owner may declare the queue again with `exclusive`; others open it.
  bool exclusive = false;
  /// The queue is removed when it was unused for so long: no producer and no consumer was attached, and no process declared it.
  /// Messages do not keep it, and are dropped. 0: never. 1 s to 24 days of CLOCK_MONOTONIC. Time in which the daemon did not run
  /// counts, but each start of the daemon gives the queue 10 s, or its own time if that is shorter.
  std::chrono::milliseconds expire_after{0};
};

/// Of Connection::remove() and Queue::remove_group().
struct RemoveOptions {
  /// Removes also what other queues need: a queue that their `dead_letter` names, or its last named group. Messages that fail
  /// there then stay where they are, until there is such a queue again.
  bool force = false;
};

/// Of Queue::peek().
struct PeekOptions {
  std::size_t count = 10;         ///< messages at most
  std::size_t max_bytes = 65536;  ///< each message is cut to so many
  std::string group = {};         ///< what this group still needs; empty: the whole ring
  /// Only messages at this position and behind it, as Message::position() gives it. A position that the ring (or the group) has
  /// passed means its oldest message; one that no message has yet gives nothing. Nothing: the oldest.
  std::optional<std::uint64_t> from = {};
};

struct ProducerOptions {
  /// Empty: no name. One producer at a time has a name, as long as group names. The queue remembers up to 64 names with the last
  /// sequence number of each (PublishOptions::sequence), also after the producer has ended, until the queue is removed.
  std::string name = {};
  WaitStrategy wait = WaitStrategy::adaptive;
  bool populate = true;      ///< touch the mappings at attach, so that the first lap takes no page faults
  bool lock_memory = false;  ///< mlock the mappings; an error if RLIMIT_MEMLOCK forbids it
};

struct ConsumerOptions {
  std::string group = {};     ///< empty: a private group that sees every message
  bool create_group = false;  ///< make the named group if it is missing, starting at `start`
  bool lossy = false;         ///< private only: producers overtake this consumer, which is told what it lost
  /// Lossy only: each receive call gives the newest message, at most one, and skips all earlier ones. Skipped messages count as
  /// lost. The message is at least as new as each one whose publish had returned when the call began, and newer than all that
  /// this consumer got before.
  bool conflate = false;
  Start start = Start::latest;  ///< for private groups and for a group that this makes
  bool follow = false;          ///< the same as EndOfStream::never, which it overrules
  EndOfStream end_of_stream = EndOfStream::by_group;
  Ack ack = Ack::explicit_call;  ///< named groups only
  /// Named only: messages held unacknowledged at most; 0: as many as the ring has slots. A consumer leases only what a receive
  /// call returns. So receive() takes a job from the other consumers only when the program starts it, and the default is right
  /// for jobs. Make it small for receive_batch(), which takes as many messages as there are, and for messages that a program
  /// keeps aside.
  std::uint32_t prefetch = 0;
  WaitStrategy wait = WaitStrategy::adaptive;
  bool populate = true;
  bool lock_memory = false;
  /// While it spins: pause for a moment if it outruns a stream, so that the producer gets ahead. More throughput for latency.
  bool spin_backoff = true;
  /// While it spins (private groups, one by one): poll so that the processor starts on the next message before it is there.
  /// No effect except on x86-64, or with shadow stacks (CET).
  bool speculative_spin = true;
  /// After an eviction (QueueOptions::evict_after) go on by itself: the call that would return Status::evicted attaches
  /// again under the same options, which may block as Queue::consumer() does, and goes on. A named group: the same group,
  /// as a new consumer. A private consumer goes on behind its last message, or at the oldest that is still there; lost() of
  /// the next message says how many are gone. Messages from before can still be read, and their ack() returns false. Until
  /// they have ended they keep their place among max_consumers; the change needs one place more. Status::removed if queue
  /// or group is gone; another failed attach throws its Error, and the next call tries again. Consumer::reattached()
  /// counts.
  bool reattach = false;
};

struct ConnectionOptions {
  /// The daemon's socket. Empty: $BELTWAY_SOCKET, else the user's own, else /run/beltway/beltwayd.sock. The user's own is
  /// $XDG_RUNTIME_DIR/beltway/beltwayd.sock if the effective user owns that directory; where the variable is unset or
  /// /run/user/UID, both /run/user/UID/beltway/beltwayd.sock and /tmp/beltway-UID/beltwayd.sock are tried.
  std::string socket = {};

  /// Start the user's own daemon if none answers. Never done when a socket is named here or in $BELTWAY_SOCKET, nor while a
  /// daemon of this user lives whose socket is gone: the call waits for that one, and the error names it.
  /// The program is $BELTWAY_DAEMON, else `beltwayd` beside the running program, else as installed, else from $PATH.
  bool start_daemon = true;

  /// How long to wait for the daemon to answer a request.
  std::chrono::milliseconds timeout{10'000};

  /// How long to wait, instead of `timeout` if this is shorter, while the daemon's process is stopped by a signal or a debugger.
  /// A daemon that is only busy gets `timeout`. For programs with a person in front of them, who can continue it.
  std::chrono::milliseconds stopped_timeout = std::chrono::milliseconds::max();
};

}  // namespace beltway
