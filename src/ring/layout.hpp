// The shared memory of one queue: every structure, offset and word. This layout is the ABI between processes; a
// change of anything here needs a new k_layout_major or k_layout_minor; layout_test fails until it knows the change.
//
// A queue has three segments, each a sealed memfd (see segment.hpp for how they are made):
//
//   ring     0                                                 k_slots_offset
//            | RingHead | (unused)              ...            | slot 0 | slot 1 | ... | slot N-1 |
//
//   heap     | lane of producer 0 | lane of producer 1 | ...   lane_bytes each
//
//   control  | Header, 4096 | SharedStatus, 256 | Endpoint x (producers + consumers) | GroupBlock x (named + consumers) |
//            | lease words: named groups x N x 8 | lease times: named groups x N x 8 |
//
// The words, most significant bits first:
//
//   slot state   position:54 | owner:8 | phase:2             written by producers and the repair
//   slot meta    spare:16 | flags:16 | size:32               written by the claim's owner before READY
//   tail         position:44 | generation:12 | owner:8       written by producers; a join at oldest raises the generation
//   floor        incarnation:10 | position:54                private: its consumer; named: any helper; joins: the daemon
//   next         position:44 | version:20                    consumers of the group, the repair
//   lease        position:45 | owner:8 | tries:8 | phase:3   consumers of the group, the repair, purge, who parks
//   lease time   due:48, in us | owner:8 | tries:8           the lease's owner, before it ends the lease; the repair
//   earliest due due:48, in us; 0: none waits | version:16   consumers of the group, the repair
//   redelivery   delay:27, max:27, in ms | deliveries:8 | discards:1 | spare:1 (low)    the daemon
//   parked       version:63 | any:1                          who moves a floor over a parked lease; producers clear `any`
//   wait         sequence:62 | phase:2                       its endpoint; wakers ASLEEP -> WAKING -> SIGNALLED
//   notice       epoch:32 | flags:32                         the daemon; clients only add k_notice_doubted
//   unread since no_reader:1    | spare:9 | position:54      the daemon
//   group state  incarnation:32 | kind:8 | phase:8 (low)     the daemon; LEAVING -> DRAINED also consumers
//
// Positions count modulo 2^54. A word that holds fewer bits is compared as a signed difference in that width and
// widened next to a position that is known to be near. A peer that has rights on the queue may write over every word here: read
// a word once, check it against the local Geometry, use the copy.
#pragma once

#include <cstddef>
#include <cstdint>

#include "beltway/detail/words.hpp"
#include "beltway/limits.hpp"

namespace beltway::ring {

// The words of shared memory and what is done to them.
using detail::acquire_fence;
using detail::compare_and_swap_pair;
using detail::compiler_fence;
using detail::copy_racing;
using detail::full_fence;
using detail::has_atomic_pair_store;
using detail::k_pairs_are_swapped;
using detail::prefetch_to_write;
using detail::release_fence;
using detail::Word;

// What inline code needs, too, is in detail/words.hpp.
using detail::distance;
using detail::k_flag_extended;
using detail::k_flag_lane;
using detail::Position;
using detail::RingHead;
using detail::Slot;
using detail::SlotMeta;
using detail::SlotPhase;
using detail::SlotState;
using detail::Tail;
using detail::widen;
using detail::wrap;

inline constexpr std::uint64_t k_magic = 0x0a79617774'6c6542ULL;  // "Beltway\n"
inline constexpr std::uint32_t k_layout_major = 3;
inline constexpr std::uint32_t k_layout_minor = 0;
inline constexpr std::size_t k_cache_line_bytes = 64;
/// `bytes`, rounded up to lines.
constexpr std::uint64_t whole_lines(std::uint64_t bytes) noexcept {
  return (bytes + k_cache_line_bytes - 1) / k_cache_line_bytes * k_cache_line_bytes;
}
/// Processors fetch lines in pairs: what two threads write lies this far apart.
inline constexpr std::size_t k_apart_bytes = 128;
inline constexpr std::size_t k_slots_offset = 4096;
/// Owner numbers of consumers in lease words and of endpoints everywhere: producers are 0 to 63, consumers 64 to 127.
inline constexpr unsigned k_first_consumer = 64;
/// Owner number of the daemon's own leases (purge).
inline constexpr unsigned k_no_owner = 255;

// -- next, lease, wait, notice, group state --------------------------------------------------------------------

struct Next {
  static constexpr unsigned bits = 44;
  std::uint64_t position;  // low 44 bits
  std::uint32_t version;

  [[nodiscard]] static constexpr Next of(std::uint64_t word) noexcept {
    return {word >> 20, static_cast<std::uint32_t>(word & 0xfffff)};
  }
  [[nodiscard]] constexpr std::uint64_t word() const noexcept { return position << 20 | (version & 0xfffff); }
};

/// The incarnation is that of the named group. It protects a new group: a helper may stand still while its group is removed and
/// a new group takes the place; then the helper's CAS on the new group's floor fails. Only its consumer writes a private floor,
/// so a private floor has no incarnation.
struct Floor {
  std::uint32_t incarnation;  // low 10 bits
  Position position;

  [[nodiscard]] static constexpr Floor of(std::uint64_t word) noexcept {
    return {static_cast<std::uint32_t>(word >> k_position_bits), wrap(word)};
  }
  [[nodiscard]] constexpr std::uint64_t word() const noexcept {
    return static_cast<std::uint64_t>(incarnation) << k_position_bits | position;
  }
};

enum class LeasePhase : std::uint8_t {
  leased = 1,
  done = 2,
  retry = 3,           ///< given back; a consumer may lease it at once, before newer messages
  delayed = 4,         ///< given back; a consumer may lease it when its lease time is reached
  parked = 5,          ///< leased, and the floor may pass: producers go around the slot
  parked_delayed = 6,  ///< delayed, and the floor may pass
};

struct Lease {
  static constexpr unsigned bits = 45;
  std::uint64_t position;  // low 45 bits
  std::uint8_t owner;
  std::uint8_t tries;
  LeasePhase phase;

  [[nodiscard]] static constexpr Lease of(std::uint64_t word) noexcept {
    return {word >> 19, static_cast<std::uint8_t>(word >> 11), static_cast<std::uint8_t>(word >> 3),
            static_cast<LeasePhase>(word & 7)};
  }
  [[nodiscard]] constexpr std::uint64_t word() const noexcept {
    return position << 19 | static_cast<std::uint64_t>(owner) << 11 | static_cast<std::uint64_t>(tries) << 3 |
           static_cast<std::uint64_t>(phase);
  }
};

/// When a delayed message is due. Owner and tries are those of the lease word that it belongs to: a time that bears others was
/// written by a consumer that had lost its lease, and does not count.
struct LeaseTime {
  std::uint64_t due_us;  // CLOCK_MONOTONIC in us, low 48 bits
  std::uint8_t owner;
  std::uint8_t tries;

  [[nodiscard]] static constexpr LeaseTime of(std::uint64_t word) noexcept {
    return {word >> 16, static_cast<std::uint8_t>(word >> 8), static_cast<std::uint8_t>(word)};
  }
  [[nodiscard]] constexpr std::uint64_t word() const noexcept {
    return due_us << 16 | static_cast<std::uint64_t>(owner) << 8 | static_cast<std::uint64_t>(tries);
  }
};

/// No delayed message of the group is due before. Each change raises the version. A consumer that scans for due messages stores
/// the new time by a compare-and-swap from the word as it was before the scan. So it overwrites no time that it has not seen.
struct EarliestDue {
  std::uint64_t due_us;  // CLOCK_MONOTONIC in us, low 48 bits; 0: no message is delayed
  std::uint16_t version;

  [[nodiscard]] static constexpr EarliestDue of(std::uint64_t word) noexcept {
    return {word >> 16, static_cast<std::uint16_t>(word)};
  }
  [[nodiscard]] constexpr std::uint64_t word() const noexcept { return due_us << 16 | version; }
};

/// What a group does with messages that fail (GroupOptions, or the queue's options). A consumer reads it when a message fails.
struct Redelivery {
  std::uint32_t delay_ms;       // low 27 bits; 0: delivered again at once
  std::uint32_t max_delay_ms;   // low 27 bits
  std::uint8_t max_deliveries;  // 0: no limit
  bool discards;                // a rejected message, and one that reached the limit, is dropped

  static constexpr unsigned k_delay_bits = 27;
  static constexpr std::uint32_t k_delay_mask = (1U << k_delay_bits) - 1;

  [[nodiscard]] static constexpr Redelivery of(std::uint64_t word) noexcept {
    return {static_cast<std::uint32_t>(word >> 37), static_cast<std::uint32_t>(word >> 10) & k_delay_mask,
            static_cast<std::uint8_t>(word >> 2), (word & 2) != 0};
  }
  [[nodiscard]] constexpr std::uint64_t word() const noexcept {
    return std::uint64_t{delay_ms & k_delay_mask} << 37 | std::uint64_t{max_delay_ms & k_delay_mask} << 10 |
           std::uint64_t{max_deliveries} << 2 | (discards ? 2U : 0U);
  }
};
static_assert(k_max_retry_delay_ms <= Redelivery::k_delay_mask);

enum class WaitPhase : std::uint8_t {
  awake = 0,
  asleep = 1,
  signalled = 2,  ///< a waker has woken the endpoint, and counts on it
  waking = 3,     ///< a waker is about to wake the endpoint; the next waker that finds this phase wakes it again
};

/// A futex sleeps on the low 32 bits: the state and 30 bits of the sequence.
struct Wait {
  std::uint64_t sequence;  // raised by the owner each time it goes to sleep
  WaitPhase phase;

  [[nodiscard]] static constexpr Wait of(std::uint64_t word) noexcept {
    return {word >> 2, static_cast<WaitPhase>(word & 3)};
  }
  [[nodiscard]] constexpr std::uint64_t word() const noexcept {
    return sequence << 2 | static_cast<std::uint64_t>(phase);
  }
};

inline constexpr std::uint32_t k_notice_removed = 1;    ///< the queue is gone: stop
inline constexpr std::uint32_t k_notice_symmetric = 2;  ///< publish and free with full fences
inline constexpr std::uint32_t k_notice_doubted = 4;    ///< a client's daemon does not know the queue: ask your own

struct Notice {
  std::uint32_t epoch;  ///< raised at every change, and by each join at oldest of a single-producer ring
  std::uint32_t flags;

  [[nodiscard]] static constexpr Notice of(std::uint64_t word) noexcept {
    return {static_cast<std::uint32_t>(word >> 32), static_cast<std::uint32_t>(word)};
  }
  [[nodiscard]] constexpr std::uint64_t word() const noexcept {
    return static_cast<std::uint64_t>(epoch) << 32 | flags;
  }
};

enum class GroupPhase : std::uint8_t {
  free = 0,     ///< free; may be made
  joining = 1,  ///< being filled by the daemon; producers ignore it
  active = 2,   ///< its floor holds producers back (unless lossy)
  leaving = 3,  ///< no new leases; its floor still holds until the last lease has ended
  drained = 4,  ///< blocks no producer; its place is used again when no endpoint that was attached remains
};
enum class GroupKind : std::uint8_t { named = 0, private_reliable = 1, lossy = 2 };

struct GroupStateWord {
  std::uint32_t incarnation;
  GroupKind kind;
  GroupPhase phase;

  [[nodiscard]] static constexpr GroupStateWord of(std::uint64_t word) noexcept {
    return {static_cast<std::uint32_t>(word >> 32), static_cast<GroupKind>(word >> 8 & 0xff),
            static_cast<GroupPhase>(word & 0xff)};
  }
  [[nodiscard]] constexpr std::uint64_t word() const noexcept {
    return static_cast<std::uint64_t>(incarnation) << 32 | static_cast<std::uint64_t>(kind) << 8 |
           static_cast<std::uint64_t>(phase);
  }
  /// True if producers must not pass the floor.
  [[nodiscard]] constexpr bool blocks_producers() const noexcept {
    return kind != GroupKind::lossy && (phase == GroupPhase::active || phase == GroupPhase::leaving);
  }
};

// -- the structures of the control segment ----------------------------------------------------------------------

/// Written once, at declare, by the daemon. Read once, at attach.
struct Header {
  std::uint64_t magic;
  std::uint32_t layout_major;
  std::uint32_t layout_minor;
  std::uint64_t ring_bytes;
  std::uint64_t heap_bytes;
  std::uint64_t control_bytes;
  std::uint64_t queue_id;
  std::uint32_t slots;
  std::uint32_t slot_bytes;
  std::uint64_t lane_bytes;
  std::uint32_t max_producers;
  std::uint32_t max_consumers;
  std::uint32_t max_groups;
  std::uint32_t spare;
};
static_assert(offsetof(Header, magic) == 0 && offsetof(Header, layout_major) == 8 &&
              offsetof(Header, ring_bytes) == 16 && offsetof(Header, queue_id) == 40 && offsetof(Header, slots) == 48 &&
              offsetof(Header, lane_bytes) == 56 && offsetof(Header, max_producers) == 64 && sizeof(Header) == 80);

/// Words that all endpoints read and that hardly ever change. First line: loaded at each publish.
struct alignas(k_cache_line_bytes) SharedStatus {
  Word notice;             ///< the daemon; clients only add k_notice_doubted, by compare-and-swap
  Word consumer_sleepers;  ///< bit c: consumer c has said ASLEEP; set and cleared by c alone (and the repair)
  Word producer_sleepers;  ///< bit p: likewise
  std::uint64_t spare0[5];
  Word live_producers;  ///< bit p: producer p is attached; written by the daemon
  Word producers_ever;  ///< producers that ever attached; written by the daemon
  Word totals[14];      ///< QueueTotals in their order, written by the daemon
  // What producers that wait for room write: see room_line.hpp.
  Word room_line;    ///< bit p: producer p waits for room and has a ticket; set and cleared by p alone (and the repair)
  Word next_ticket;  ///< tickets given so far; raised by producers
  Word unread_since;  ///< the daemon: an UnreadSince (counters.hpp)
  std::uint64_t spare1[5];
};
static_assert(sizeof(SharedStatus) == 256 && offsetof(SharedStatus, room_line) == 192 &&
              offsetof(SharedStatus, consumer_sleepers) == 8 && offsetof(SharedStatus, live_producers) == 64 &&
              offsetof(SharedStatus, totals) == 80);

inline constexpr std::size_t k_counters = 16;

/// One attached producer or consumer. First line: waiting. Then counters, in the order of ProducerCounters or
/// ConsumerCounters, written by the owner alone with plain stores.
struct alignas(k_cache_line_bytes) Endpoint {
  Word wait;       ///< the owner; wakers ASLEEP(sequence) -> WAKING(sequence) -> SIGNALLED(sequence)
  Word wake_past;  ///< the owner, before it says ASLEEP. Producers: wake me when a floor has passed this position
  Word wake_busy;  ///< the owner. Producers: 1: wake me at any READY, VOID or RECLAIMED as well
  Word identity;   ///< the daemon: incarnation:32 | group:16 | flags:16 (k_endpoint_*)
  Word sleeps_on;  ///< the owner, before it says ASLEEP: how to wake it (k_sleeps_on_*)
  /// The owner. CLOCK_MONOTONIC in ns when its present wait began; 0: it does not wait. Known before it says ASLEEP.
  Word asleep_since_ns;
  Word ticket;       ///< the owner. Producers: place in the line for room, lower goes first; 0: not in the line
  Word watches_due;  ///< the owner, while it sleeps. Consumers: the due time that ends this sleep, in us; 0: none does
  Word counters[k_counters];
};
static_assert(sizeof(Endpoint) == 192 && offsetof(Endpoint, wake_past) == 8 && offsetof(Endpoint, identity) == 24 &&
              offsetof(Endpoint, sleeps_on) == 32 && offsetof(Endpoint, asleep_since_ns) == 40 &&
              offsetof(Endpoint, watches_due) == 56 && offsetof(Endpoint, counters) == 64);

inline constexpr std::uint64_t k_sleeps_on_futex = 0;  ///< the low half of `wait`
inline constexpr std::uint64_t k_sleeps_on_bell = 1;   ///< event mode: the bell of its index; any other value: a futex

/// Bells (eventfds) of a queue. Endpoint index modulo this is the bell that an endpoint in event mode listens to: so a queue
/// costs few descriptors in each process, and an endpoint may hear a ring that was meant for another.
inline constexpr unsigned k_bells = 4;

inline constexpr std::uint16_t k_endpoint_attached = 1;
inline constexpr std::uint16_t k_endpoint_evicted = 2;

struct Identity {
  std::uint32_t incarnation;
  std::uint16_t group;  ///< consumers: index of their group
  std::uint16_t flags;

  [[nodiscard]] static constexpr Identity of(std::uint64_t word) noexcept {
    return {static_cast<std::uint32_t>(word >> 32), static_cast<std::uint16_t>(word >> 16),
            static_cast<std::uint16_t>(word)};
  }
  [[nodiscard]] constexpr std::uint64_t word() const noexcept {
    return static_cast<std::uint64_t>(incarnation) << 32 | static_cast<std::uint64_t>(group) << 16 | flags;
  }
};

/// Named groups come first (0 to max_groups - 1), then one private group for each consumer index.
struct alignas(k_cache_line_bytes) GroupBlock {
  Word state;
  Word earliest_due;  ///< an EarliestDue
  Word parked;        ///< version:63 | any:1; `any`: leases of this group may be parked
  Word redelivery;    ///< a Redelivery; the daemon
  std::uint64_t spare0[4];
  Word floor;  ///< on a line of its own: producers read it, consumers move it
  std::uint64_t spare1[7];
  Word next;  ///< on a line of its own: consumers compete for it
  std::uint64_t spare2[7];
};
static_assert(sizeof(GroupBlock) == 192 && offsetof(GroupBlock, parked) == 16 &&
              offsetof(GroupBlock, redelivery) == 24 && offsetof(GroupBlock, floor) == 64 &&
              offsetof(GroupBlock, next) == 128);

// -- sizes and offsets, from a queue's options ------------------------------------------------------------------

/// The validated numbers of one queue, from the daemon's word and not from shared memory. Every index and offset is checked
/// against this.
struct Geometry {
  std::uint32_t slots = 0;
  std::uint32_t slot_bytes = 0;
  std::uint64_t lane_bytes = 0;
  std::uint32_t max_producers = 0;
  std::uint32_t max_consumers = 0;
  std::uint32_t max_groups = 0;

  [[nodiscard]] constexpr bool single_producer() const noexcept { return max_producers == 1; }
  [[nodiscard]] constexpr std::uint32_t inline_bytes() const noexcept { return slot_bytes - k_slot_overhead_bytes; }
  [[nodiscard]] constexpr std::uint32_t groups() const noexcept { return max_groups + max_consumers; }
  [[nodiscard]] constexpr std::uint32_t endpoints() const noexcept { return max_producers + max_consumers; }
  [[nodiscard]] constexpr std::uint64_t ring_bytes() const noexcept {
    return page_up(k_slots_offset + std::uint64_t{slots} * slot_bytes);
  }
  [[nodiscard]] constexpr std::uint64_t heap_bytes() const noexcept { return lane_bytes * max_producers; }
  [[nodiscard]] constexpr std::size_t status_offset() const noexcept { return 4096; }
  [[nodiscard]] constexpr std::size_t endpoints_offset() const noexcept {
    return status_offset() + sizeof(SharedStatus);
  }
  [[nodiscard]] constexpr std::size_t groups_offset() const noexcept {
    return endpoints_offset() + endpoints() * sizeof(Endpoint);
  }
  [[nodiscard]] constexpr std::size_t leases_offset() const noexcept {
    return groups_offset() + groups() * sizeof(GroupBlock);
  }
  [[nodiscard]] constexpr std::size_t lease_times_offset() const noexcept {
    return leases_offset() + std::size_t{max_groups} * slots * sizeof(Word);
  }
  [[nodiscard]] constexpr std::uint64_t control_bytes() const noexcept {
    return page_up(lease_times_offset() + std::uint64_t{max_groups} * slots * sizeof(Word));
  }

 private:
  static constexpr std::uint64_t page_up(std::uint64_t bytes) noexcept { return (bytes + 4095) & ~4095ULL; }
};

}  // namespace beltway::ring
