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
//   control  | Header, 4096 | SharedStatus, 320 | Endpoint x (producers + consumers) | GroupBlock x (named + consumers) |
//            | lease words: named groups x N x 8 | lease times: named groups x N x 8 | SequenceRecord x 64 |
//            | stamps: N x 8 | AgeHistogram x consumers | parked slots: N / 32 x 8, rounded up |
//
// The words, most significant bits first:
//
//   slot state   position:54 | owner:8 | phase:2             written by producers and the repair
//   slot meta    spare:16 | flags:16 | size:32               written by the claim's owner before READY
//   block head   spare:24 | headers:8 | present:16 | bytes:16  as meta; the block's first word, see PROPERTIES.md
//   tail         position:44 | generation:12 | owner:8       several producers; a join at oldest raises the generation
//   claim limit, counted, not messages    position:54        a single producer: see RingHead
//   floor        incarnation:10 | position:54                private: its consumer; named: any helper; joins: the daemon
//   next         position:44 | version:20                    consumers of the group, the repair
//   lease        position:45 | owner:8 | tries:8 | phase:3   consumers of the group, the repair, purge, who parks
//   lease time   due:45, in 8 us | reason:3 | owner:8 | tries:8    the lease's owner; the repair
//   ... of a lease with a timeout: due:38, in 1024 us | lap:10 | owner:8 | tries:8    its owner; who ends it
//   earliest due due:48, in us; 0: none waits | version:16   consumers of the group, the repair
//   redelivery   delay:27, max:27, in ms | deliveries:8 | discards:1 | dead letters:1 (low)    the daemon
//   lease check  due:48, in us; 0: no check is planned | version:16   consumers of the group, the repair
//   group times  lease timeout:32 | ttl:32, both in ms       the daemon
//   keeps        spare:32 | messages:32                      the daemon
//   stamp        time:48, in us | lap:16                     the claim's owner before READY
//   stamping     ttl:32, in ms | spare:24 | mode:8           the daemon
//   parked slots version:32 | slots:32                       who moves a floor over parked leases; producers clear bits
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

#include "beltway/limits.hpp"
#include "ring/words.hpp"

namespace beltway::ring {

inline constexpr std::uint64_t k_magic = 0x0a79617774'6c6542ULL;  // "Beltway\n"
inline constexpr std::uint32_t k_layout_major = 6;
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
static_assert(k_first_consumer + k_max_consumers <= LeaseEnd::k_ends);
/// Owner number of the daemon's own leases (purge).
inline constexpr unsigned k_no_owner = 255;

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
  Word stamping;           ///< a Stamping; the daemon
  Word clock_offset_us;    ///< CLOCK_REALTIME - CLOCK_MONOTONIC, signed; the daemon, which renews it
  std::uint64_t spare0[3];
  Word live_producers;  ///< bit p: producer p is attached; written by the daemon
  Word producers_ever;  ///< producers that ever attached; written by the daemon
  Word totals[22];      ///< QueueTotals in their order, written by the daemon
  // What producers that wait for room write: see room_line.hpp.
  Word room_line;    ///< bit p: producer p waits for room and has a ticket; set and cleared by p alone (and the repair)
  Word next_ticket;  ///< tickets given so far; raised by producers
  Word unread_since;  ///< the daemon: an UnreadSince (counters.hpp)
  std::uint64_t spare1[5];
};
static_assert(sizeof(SharedStatus) == 320 && offsetof(SharedStatus, room_line) == 256 &&
              offsetof(SharedStatus, consumer_sleepers) == 8 && offsetof(SharedStatus, live_producers) == 64 &&
              offsetof(SharedStatus, totals) == 80);

inline constexpr std::size_t k_counters = 24;

/// One attached producer or consumer. First line: waiting. Then counters, in the order of ProducerCounters or
/// ConsumerCounters, written by the owner alone with plain stores.
struct alignas(k_cache_line_bytes) Endpoint {
  Word wait;       ///< the owner; wakers ASLEEP(sequence) -> WAKING(sequence) -> SIGNALLED(sequence)
  Word wake_past;  ///< the owner, before it says ASLEEP. Producers: wake me when a floor has passed this position
  Word wake_busy;  ///< the owner. Producers: k_wake_at_* bits: what else is to wake me
  Word identity;   ///< the daemon: incarnation:32 | group:16 | flags:16 (k_endpoint_*)
  Word sleeps_on;  ///< the owner, before it says ASLEEP: how to wake it (k_sleeps_on_*)
  /// The owner. CLOCK_MONOTONIC in ns when its present wait began; 0: it does not wait. Known before it says ASLEEP.
  Word asleep_since_ns;
  /// The owner. Producers: place in the line for room, lower goes first; 0: not in the line. Consumers: swaps_word() once all of
  /// its leases are ended by swaps; else any other value.
  Word ticket;
  Word watches_due;  ///< the owner, while it sleeps. Consumers: the due time that ends this sleep, in us; 0: none does
  Word counters[k_counters];
};
static_assert(sizeof(Endpoint) == 256 && offsetof(Endpoint, wake_past) == 8 && offsetof(Endpoint, identity) == 24 &&
              offsetof(Endpoint, sleeps_on) == 32 && offsetof(Endpoint, asleep_since_ns) == 40 &&
              offsetof(Endpoint, watches_due) == 56 && offsetof(Endpoint, counters) == 64);

inline constexpr std::uint64_t k_wake_at_claim_end = 1;   ///< any READY, VOID or RECLAIMED
inline constexpr std::uint64_t k_wake_at_parked_end = 2;  ///< the end of a parked lease: a slot or lane bytes come free

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

/// What the `ticket` of a consumer of that incarnation says once all of its leases are ended by swaps.
[[nodiscard]] constexpr std::uint64_t swaps_word(std::uint32_t incarnation) noexcept {
  return std::uint64_t{1} << 32 | incarnation;
}

/// Named groups come first (0 to max_groups - 1), then one private group for each consumer index.
struct alignas(k_cache_line_bytes) GroupBlock {
  Word state;
  Word earliest_due;  ///< an EarliestDue
  std::uint64_t spare0;
  Word redelivery;   ///< a Redelivery; the daemon
  Word lease_check;  ///< an EarliestDue: when consumers look for leases that are over; see lease_timeout.hpp
  Word times;        ///< a GroupTimes; the daemon
  Word keeps;        ///< messages that the group keeps at most, 0: all; the daemon
  Word dropped;      ///< messages that were dropped since they were more; consumers and producers add
  Word floor;        ///< on a line of its own: producers read it, consumers move it
  std::uint64_t spare1[7];
  Word next;  ///< on a line of its own: consumers compete for it
  std::uint64_t spare2[7];
};
static_assert(sizeof(GroupBlock) == 192 && offsetof(GroupBlock, floor) == 64 && offsetof(GroupBlock, next) == 128);
static_assert(offsetof(GroupBlock, earliest_due) == 8 && offsetof(GroupBlock, redelivery) == 24 &&
              offsetof(GroupBlock, lease_check) == 32 && offsetof(GroupBlock, dropped) == 56);

/// Of one named producer: see sequence_record.hpp. Written by the producer of that name, and by the daemon once it is gone.
struct alignas(k_cache_line_bytes) SequenceRecord {
  Word committed;         ///< the last committed sequence number; 0: none
  Word pending_position;  ///< of the claim that pending_sequence goes with
  Word pending_sequence;  ///< the number that is being committed; 0: none
  std::uint64_t spare[5];
};
static_assert(sizeof(SequenceRecord) == 64 && offsetof(SequenceRecord, pending_sequence) == 16);

inline constexpr std::size_t k_age_buckets = 32;

/// How old messages were at their delivery to one consumer. Written by that consumer alone with plain stores.
struct alignas(k_cache_line_bytes) AgeHistogram {
  Word buckets
      [k_age_buckets];  ///< bucket b: messages younger than 2^b us that are in no earlier bucket; the last: all others
};
static_assert(sizeof(AgeHistogram) == 256);

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
  /// Slots that may be parked at once, below `slots`; 0: none. Shapes no memory.
  std::uint32_t max_parked = 0;

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
  [[nodiscard]] constexpr std::size_t sequence_records_offset() const noexcept {
    return whole_lines(lease_times_offset() + std::size_t{max_groups} * slots * sizeof(Word));
  }
  [[nodiscard]] constexpr std::size_t stamps_offset() const noexcept {
    return sequence_records_offset() + k_max_producer_names * sizeof(SequenceRecord);
  }
  [[nodiscard]] constexpr std::size_t age_histograms_offset() const noexcept {
    return whole_lines(stamps_offset() + std::size_t{slots} * sizeof(Word));
  }
  [[nodiscard]] constexpr std::size_t parked_slots_offset() const noexcept {
    return age_histograms_offset() + max_consumers * sizeof(AgeHistogram);
  }
  /// ParkedSlots words.
  [[nodiscard]] constexpr std::uint32_t parked_slots_words() const noexcept {
    return (slots + ParkedSlots::k_slots - 1) / ParkedSlots::k_slots;
  }
  [[nodiscard]] constexpr std::uint64_t control_bytes() const noexcept {
    return page_up(parked_slots_offset() + parked_slots_words() * sizeof(Word));
  }

 private:
  static constexpr std::uint64_t page_up(std::uint64_t bytes) noexcept { return (bytes + 4095) & ~4095ULL; }
};

}  // namespace beltway::ring
