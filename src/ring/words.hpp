// The words of the control segment, packed and unpacked: see layout.hpp for their fields and writers. The words that inline code
// needs are in beltway/detail/words.hpp.
#pragma once

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
using detail::LaneReference;
using detail::Position;
using detail::PropertiesHead;
using detail::RingHead;
using detail::Slot;
using detail::SlotMeta;
using detail::SlotPhase;
using detail::SlotState;
using detail::Tail;
using detail::widen;
using detail::wrap;

struct Next {
  static constexpr unsigned bits = 44;
  std::uint64_t position;  // low 44 bits
  std::uint32_t version;

  [[nodiscard]] static constexpr Next of(std::uint64_t word) noexcept {
    return {word >> 20, static_cast<std::uint32_t>(word & 0xfffff)};
  }
  [[nodiscard]] constexpr std::uint64_t word() const noexcept { return position << 20 | (version & 0xfffff); }
};

/// Each join and each reset of a named group raises the incarnation. A helper may stand still while its group is reset, or is
/// removed and a new group takes the place; then the helper's CAS on the floor fails. Only its consumer writes a private floor,
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

/// The floor may pass the message, and producers go around its slot.
[[nodiscard]] constexpr bool is_parked(LeasePhase phase) noexcept {
  return phase == LeasePhase::parked || phase == LeasePhase::parked_delayed;
}

/// The count of deliveries after one more. It stays at its largest value.
[[nodiscard]] constexpr std::uint8_t one_try_more(std::uint8_t tries) noexcept {
  return tries == k_max_tries ? tries : static_cast<std::uint8_t>(tries + 1);
}

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
  /// True if `word` has this phase for `position`, with any owner and tries: one comparison.
  [[nodiscard]] static constexpr bool says(std::uint64_t word, std::uint64_t position, LeasePhase phase) noexcept {
    constexpr std::uint64_t k_owner_and_tries = 0xffff << 3;
    return (word & ~k_owner_and_tries) == Lease{position, 0, 0, phase}.word();
  }
};

/// Why a message is given up. A delayed message with a reason waits to be moved to the dead letter queue, and is not delivered.
enum class FailReason : std::uint8_t {
  none = 0,                 ///< it is delivered again
  rejected = 1,             ///< Message::reject()
  too_many_deliveries = 2,  ///< max_deliveries
  expired = 3,              ///< ttl
  lease_over = 4,           ///< too many deliveries, the last of which ended by lease_timeout
};

/// When a delayed message is due. Owner and tries are those of the lease word that it belongs to: a time that bears others was
/// written by a consumer that had lost its lease, and does not count. A lease word that is LEASED or PARKED has a LeaseEnd.
struct LeaseTime {
  std::uint64_t due_us;  // CLOCK_MONOTONIC in us, low 48 bits, rounded down to k_unit_us
  std::uint8_t owner;
  std::uint8_t tries;
  FailReason reason = FailReason::none;

  static constexpr std::uint64_t k_unit_us = 8;

  [[nodiscard]] static constexpr LeaseTime of(std::uint64_t word) noexcept {
    return {(word >> 19) * k_unit_us, static_cast<std::uint8_t>(word >> 8), static_cast<std::uint8_t>(word),
            static_cast<FailReason>(word >> 16 & 7)};
  }
  [[nodiscard]] constexpr std::uint64_t word() const noexcept {
    return due_us / k_unit_us << 19 | static_cast<std::uint64_t>(reason) << 16 |
           static_cast<std::uint64_t>(owner) << 8 | static_cast<std::uint64_t>(tries);
  }
};

/// When a lease ends in a group with lease_timeout: what the lease time of a LEASED or PARKED word says. Owner, tries and lap are
/// those of the lease. A time that bears others belongs to another lease, and says nothing about this one. `owner` has the bit
/// k_ends beside the owner of the lease, so that no due time of a delayed message looks like an end.
struct LeaseEnd {
  std::uint64_t
      due_us;         // CLOCK_MONOTONIC in us, low 48 bits, rounded up to k_unit_us. 0: a consumer is ending the lease
  std::uint16_t lap;  // low 10 bits of position / slots
  std::uint8_t owner;
  std::uint8_t tries;

  static constexpr std::uint64_t k_unit_us = 1024;
  static constexpr std::uint16_t k_lap_mask = 0x3ff;
  static constexpr std::uint8_t k_ends = 128;

  [[nodiscard]] constexpr bool is_of(std::uint8_t holder) const noexcept { return owner == (holder | k_ends); }
  /// True if both are of the same lease.
  [[nodiscard]] static constexpr bool are_of_one_lease(std::uint64_t word, std::uint64_t other) noexcept {
    return ((word ^ other) & 0x3ffffff) == 0;
  }
  [[nodiscard]] static constexpr LeaseEnd of(std::uint64_t word) noexcept {
    return {(word >> 26) * k_unit_us, static_cast<std::uint16_t>(word >> 16 & k_lap_mask),
            static_cast<std::uint8_t>(word >> 8), static_cast<std::uint8_t>(word)};
  }
  [[nodiscard]] constexpr std::uint64_t word() const noexcept {
    return (due_us + k_unit_us - 1) / k_unit_us << 26 | static_cast<std::uint64_t>(lap & k_lap_mask) << 16 |
           static_cast<std::uint64_t>(owner) << 8 | static_cast<std::uint64_t>(tries);
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
  bool dead_letters = false;    // it is moved to the dead letter queue of the group

  /// Whether the group says what becomes of a message that is given up.
  [[nodiscard]] constexpr bool gives_up() const noexcept { return discards || dead_letters; }

  static constexpr unsigned k_delay_bits = 27;
  static constexpr std::uint32_t k_delay_mask = (1U << k_delay_bits) - 1;

  [[nodiscard]] static constexpr Redelivery of(std::uint64_t word) noexcept {
    return {static_cast<std::uint32_t>(word >> 37), static_cast<std::uint32_t>(word >> 10) & k_delay_mask,
            static_cast<std::uint8_t>(word >> 2), (word & 2) != 0, (word & 1) != 0};
  }
  [[nodiscard]] constexpr std::uint64_t word() const noexcept {
    return std::uint64_t{delay_ms & k_delay_mask} << 37 | std::uint64_t{max_delay_ms & k_delay_mask} << 10 |
           std::uint64_t{max_deliveries} << 2 | (discards ? 2U : 0U) | (dead_letters ? 1U : 0U);
  }
};
static_assert(k_max_retry_delay_ms <= Redelivery::k_delay_mask);

/// Times of a group (GroupOptions, or the queue's options); 0: none.
struct GroupTimes {
  std::uint32_t lease_timeout_ms;
  std::uint32_t ttl_ms;

  [[nodiscard]] static constexpr GroupTimes of(std::uint64_t word) noexcept {
    return {static_cast<std::uint32_t>(word >> 32), static_cast<std::uint32_t>(word)};
  }
  [[nodiscard]] constexpr std::uint64_t word() const noexcept {
    return static_cast<std::uint64_t>(lease_timeout_ms) << 32 | ttl_ms;
  }
};

/// What producers of the queue stamp messages with, and how long private consumers may get a message.
struct Stamping {
  std::uint32_t ttl_ms;  // 0: for ever
  std::uint8_t mode;     // a Stamps: the option, or coarse if any ttl asks for it

  [[nodiscard]] static constexpr Stamping of(std::uint64_t word) noexcept {
    return {static_cast<std::uint32_t>(word >> 32), static_cast<std::uint8_t>(word)};
  }
  [[nodiscard]] constexpr std::uint64_t word() const noexcept {
    return static_cast<std::uint64_t>(ttl_ms) << 32 | mode;
  }
};

/// When a message was published. `lap` is that of its position: a stamp of another lap is not that of the message.
struct Stamp {
  std::uint64_t time_us;  // CLOCK_MONOTONIC, low 48 bits
  std::uint16_t lap;      // low 16 bits of position / slots

  [[nodiscard]] static constexpr Stamp of(std::uint64_t word) noexcept {
    return {word >> 16, static_cast<std::uint16_t>(word)};
  }
  [[nodiscard]] constexpr std::uint64_t word() const noexcept { return time_us << 16 | lap; }
};

/// Which of the next 32 slots may be parked. An endpoint that moves a floor over parked messages first sets the bits of their
/// slots and raises the version, also if they are set. So a producer that has read a set bit and then the lease words clears it
/// only if no message was parked meanwhile.
struct ParkedSlots {
  static constexpr unsigned k_slots = 32;
  std::uint32_t version;
  std::uint32_t slots;  ///< bit i: the i-th of them may be parked

  [[nodiscard]] static constexpr ParkedSlots of(std::uint64_t word) noexcept {
    return {static_cast<std::uint32_t>(word >> 32), static_cast<std::uint32_t>(word)};
  }
  [[nodiscard]] constexpr std::uint64_t word() const noexcept {
    return static_cast<std::uint64_t>(version) << 32 | slots;
  }
};

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
  paused = 5,   ///< as active, but no consumer leases a message
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
    return kind != GroupKind::lossy &&
           (phase == GroupPhase::active || phase == GroupPhase::paused || phase == GroupPhase::leaving);
  }
};

}  // namespace beltway::ring
