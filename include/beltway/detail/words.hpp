// The words of a ring: how a slot, its state and the ring's tail are packed. Inline code and the library share this one packing.
// Not for users. src/ring/layout.hpp has the other words of the shared memory, and a picture of the whole memory.
//
// A peer that has rights on the queue may write over every word: read a word once, check the copy, use the copy.
#pragma once

#include "beltway/detail/requirements.hpp"

#include <cstddef>
#include <cstdint>

#include "beltway/detail/atomics.hpp"
#include "beltway/limits.hpp"

namespace beltway::detail {

// -- positions --------------------------------------------------------------------------------------------------

/// The place of a message in the queue's total order, modulo 2^54.
using Position = std::uint64_t;

/// The signed distance a - b of two positions, computed from their low `bits` alone.
template <unsigned bits>
[[nodiscard]] constexpr std::int64_t distance(std::uint64_t a, std::uint64_t b) noexcept {
  return static_cast<std::int64_t>((a - b) << (64 - bits)) >> (64 - bits);
}
[[nodiscard]] constexpr std::int64_t distance(Position a, Position b) noexcept {
  return distance<k_position_bits>(a, b);
}
[[nodiscard]] constexpr Position wrap(std::uint64_t position) noexcept {
  return position & ((1ULL << k_position_bits) - 1);
}
/// Of all positions whose low `bits` are `low`, the one nearest to `near`.
template <unsigned bits>
[[nodiscard]] constexpr Position widen(std::uint64_t low, Position near) noexcept {
  return wrap(near + static_cast<std::uint64_t>(distance<bits>(low, near)));
}

// -- slot -------------------------------------------------------------------------------------------------------

enum class SlotPhase : std::uint8_t { claimed = 0, ready = 1, voided = 2, reclaimed = 3 };

struct SlotState {
  static constexpr std::uint64_t k_owner_mask = 0xff << 2;
  Position position;
  std::uint8_t owner;
  SlotPhase phase;

  [[nodiscard]] static constexpr SlotState of(std::uint64_t word) noexcept {
    return {word >> 10, static_cast<std::uint8_t>(word >> 2), static_cast<SlotPhase>(word & 3)};
  }
  [[nodiscard]] constexpr std::uint64_t word() const noexcept {
    return position << 10 | static_cast<std::uint64_t>(owner) << 2 | static_cast<std::uint64_t>(phase);
  }
  /// True if `word` is READY for `position`, with any owner. One comparison checks both position and phase.
  [[nodiscard]] static constexpr bool is_ready(std::uint64_t word, Position position) noexcept {
    return (word & ~k_owner_mask) == SlotState{position, 0, SlotPhase::ready}.word();
  }
};
static_assert(SlotState{1, 0, {}}.word() == 1ULL << (64 - k_position_bits));

inline constexpr std::uint16_t k_flag_lane = 1;      ///< the payload is a LaneReference
inline constexpr std::uint16_t k_flag_extended = 2;  ///< the bytes begin with a properties block, which `size` counts

struct SlotMeta {
  std::uint32_t size;
  std::uint16_t flags;

  [[nodiscard]] static constexpr SlotMeta of(std::uint64_t word) noexcept {
    return {static_cast<std::uint32_t>(word), static_cast<std::uint16_t>(word >> 32)};
  }
  [[nodiscard]] constexpr std::uint64_t word() const noexcept { return static_cast<std::uint64_t>(flags) << 32 | size; }
};

/// The first word of a properties block. src/ring/PROPERTIES.md has the whole block.
struct PropertiesHead {
  std::uint16_t
      bytes;  ///< of the block: a multiple of k_payload_alignment, so that the payload behind it stays aligned
  std::uint16_t present;  ///< a bit for each field that is there
  std::uint8_t headers;

  [[nodiscard]] static constexpr PropertiesHead of(std::uint64_t word) noexcept {
    return {static_cast<std::uint16_t>(word), static_cast<std::uint16_t>(word >> 16),
            static_cast<std::uint8_t>(word >> 32)};
  }
  [[nodiscard]] constexpr std::uint64_t word() const noexcept {
    return std::uint64_t{headers} << 32 | std::uint64_t{present} << 16 | bytes;
  }
};

/// What a slot's meta says beside the size of the payload: to be added to that size. `block_bytes` 0: no properties.
[[nodiscard, gnu::always_inline]] constexpr std::uint64_t meta_of_block(std::size_t block_bytes) noexcept {
  return block_bytes == 0 ? 0 : SlotMeta{static_cast<std::uint32_t>(block_bytes), k_flag_extended}.word();
}

/// Where a message lies that does not fit its slot. The owner stands here, too: later laps of a parked slot change its state.
struct LaneReference {
  static constexpr std::uint64_t k_offset_mask = (1ULL << 56) - 1;
  std::uint8_t owner;    // of the lane
  std::uint64_t offset;  // bytes in the lane

  [[nodiscard]] static constexpr LaneReference of(std::uint64_t word) noexcept {
    return {static_cast<std::uint8_t>(word >> 56), word & k_offset_mask};
  }
  [[nodiscard]] constexpr std::uint64_t word() const noexcept {
    return static_cast<std::uint64_t>(owner) << 56 | offset;
  }
};

struct Slot {
  Word state;
  Word meta;
  /// The payload, or a LaneReference.
  [[nodiscard]] std::byte* payload() noexcept { return reinterpret_cast<std::byte*>(this + 1); }
  [[nodiscard]] const std::byte* payload() const noexcept { return reinterpret_cast<const std::byte*>(this + 1); }
  [[nodiscard]] Word& lane_reference() noexcept { return *reinterpret_cast<Word*>(this + 1); }
  [[nodiscard]] const Word& lane_reference() const noexcept { return *reinterpret_cast<const Word*>(this + 1); }
};
static_assert(sizeof(Slot) == k_slot_overhead_bytes && offsetof(Slot, state) == 0 && offsetof(Slot, meta) == 8);

// -- ring head --------------------------------------------------------------------------------------------------

struct Tail {
  static constexpr unsigned bits = 44;
  std::uint64_t position;  // low 44 bits
  std::uint16_t generation;
  std::uint8_t owner;

  [[nodiscard]] static constexpr Tail of(std::uint64_t word) noexcept {
    return {word >> 20, static_cast<std::uint16_t>(word >> 8 & 0xfff), static_cast<std::uint8_t>(word)};
  }
  [[nodiscard]] constexpr std::uint64_t word() const noexcept {
    return position << 20 | static_cast<std::uint64_t>(generation & 0xfff) << 8 | owner;
  }
};

/// The words before the slots, on a line that consumers rarely read.
struct alignas(64) RingHead {
  Word
      tail;  ///< a Tail, of a ring of several producers; in a ring of one the slots tell the tail: see load_tail() in floors.hpp
  // The others are those of a single producer. Only the attached producer writes them, and now and then.
  Word claim_limit;  ///< no position from here on was ever claimed
  /// What the producer has counted, as a pair: the position that it counted to, and the bytes of its messages before.
  Word counted[2];
  Word not_messages;  ///< positions before `counted` that are no messages of this producer
  std::uint64_t spare[3];
};
static_assert(sizeof(RingHead) == 64 && offsetof(RingHead, tail) == 0 && offsetof(RingHead, counted) == 16);

}  // namespace beltway::detail
