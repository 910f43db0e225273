// Decodes a slot: finds the bytes of its message, checked against the geometry. A peer may write over the slot. So each word is
// read once, and a view never points outside of the queue's own memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "ring/floors.hpp"

namespace beltway::ring {

/// It has no initial values, since a consumer of a named group makes an array of views for each call.
struct SlotView {
  Position position;
  const std::byte* data;
  std::uint32_t size;  ///< of the payload
  std::uint8_t producer;
  std::uint64_t lost;              ///< lossy readers: positions lost right before
  std::uint8_t tries;              ///< named groups
  std::uint16_t properties_bytes;  ///< of the properties block right before `data`; 0: there is none

  /// Of properties and payload.
  [[nodiscard]] std::size_t bytes() const noexcept { return std::size_t{size} + properties_bytes; }
};

/// Fills `view` from a slot, its READY `state` and its `meta`, with no tries and nothing lost. False if the message does not
/// lie in the slot, or makes no sense.
[[nodiscard]] inline bool view_in_slot(const QueueMemory& memory, const Slot& slot, SlotState state, SlotMeta meta,
                                       SlotView& view) noexcept {
  view.position = state.position;
  view.producer = state.owner;
  view.data = slot.payload();
  view.size = meta.size;
  view.tries = 0;
  view.properties_bytes = 0;
  view.lost = 0;
  return meta.flags == 0 && meta.size <= memory.geometry.inline_bytes();
}
/// Finds the message in the lane of its producer. Requires a view by view_in_slot(). False if its place makes no sense.
[[nodiscard]] inline bool view_in_lane(const QueueMemory& memory, const Slot& slot, SlotView& view) noexcept {
  const std::uint64_t lane_bytes = memory.geometry.lane_bytes;
  const auto [owner, offset] = LaneReference::of(slot.lane_reference().load_relaxed());
  if (owner >= memory.geometry.max_producers || offset > lane_bytes || view.size > lane_bytes - offset ||
      offset % k_payload_alignment != 0) {
    return false;
  }
  view.producer = owner;
  view.data = memory.lane(owner) + offset;
  return true;
}
/// As view_slot(), for a message with properties. Requires a view by view_in_slot(). In slot_view.cpp.
[[nodiscard]] bool view_extended(const QueueMemory& memory, const Slot& slot, SlotMeta meta, SlotView& view) noexcept;
/// As view_extended(). False also if the message has expired by its own properties.
[[nodiscard]] bool view_unexpired_extended(const QueueMemory& memory, const Slot& slot, SlotMeta meta,
                                           SlotView& view) noexcept;

/// Bits of PropertiesHead::present that are read here. The rest is in endpoint/properties_block.hpp.
inline constexpr std::uint16_t k_has_publish_time = 1;
inline constexpr std::uint16_t k_has_due_time = 1 << 7;
/// Where the due time lies in a block with these fields.
[[nodiscard]] constexpr std::size_t due_time_offset(std::uint16_t present) noexcept {
  return sizeof(std::uint64_t) * ((present & k_has_publish_time) != 0 ? 2 : 1);
}
/// When the message expires by its own properties, in us of CLOCK_MONOTONIC; nothing: it does not. In slot_view.cpp.
[[nodiscard]] std::optional<std::uint64_t> due_time_us(const SlotView& view) noexcept;
/// True if that time is over.
[[nodiscard]] bool is_overdue(const SlotView& view) noexcept;

/// As view_in_slot(), for a message in a slot or in a lane, with properties or without. False if size, flags, place or the
/// length of the properties make no sense.
[[nodiscard]] inline bool view_slot(const QueueMemory& memory, const Slot& slot, SlotState state,
                                    SlotView& view) noexcept {
  const SlotMeta meta = SlotMeta::of(slot.meta.load_relaxed());
  if (view_in_slot(memory, slot, state, meta, view)) [[likely]]
    return true;
  if (meta.flags == k_flag_lane) [[likely]]
    return view_in_lane(memory, slot, view);
  return view_extended(memory, slot, meta, view);
}
[[nodiscard]] inline bool view_slot(const QueueMemory& memory, SlotState state, SlotView& view) noexcept {
  return view_slot(memory, memory.slot(state.position), state, view);
}
/// As view_slot(). False also if the message has expired by its own properties. So a reader that meets no such message runs no
/// instruction more.
[[nodiscard]] inline bool view_unexpired_slot(const QueueMemory& memory, const Slot& slot, SlotState state,
                                              SlotView& view) noexcept {
  const SlotMeta meta = SlotMeta::of(slot.meta.load_relaxed());
  if (view_in_slot(memory, slot, state, meta, view)) [[likely]]
    return true;
  if (meta.flags == k_flag_lane) [[likely]]
    return view_in_lane(memory, slot, view);
  return view_unexpired_extended(memory, slot, meta, view);
}

/// Call it after the copy of a message that no floor protects. True if the copy is the message of `word`, the slot's READY state.
/// The fence pairs with the release fences of Claimer: if the reader copied later bytes, it now sees the word that was stored
/// before these bytes, which is another state of this slot. A single producer does not mark its claims. There the reader checks
/// the slot before, which the producer finishes first. If that slot is of the lap before, the message is the oldest of the ring,
/// and intact only if a floor keeps the producer from the slot: its limit tells.
[[nodiscard]] inline bool is_unchanged(const QueueMemory& memory, const Slot& slot, std::uint64_t word) noexcept {
  acquire_fence();
  // plant: lossy_reader_does_not_check_again
  if (slot.state.load_relaxed() != word) return false;
  if (!memory.geometry.single_producer()) return true;
  const Position position = SlotState::of(word).position;
  const Position before = wrap(position - 1);
  // plant: lossy_reader_does_not_check_before
  if (SlotState::of(memory.slot(before).state.load_relaxed()).position == before) return true;
  // plant: lossy_reader_does_not_check_the_limit
  return distance(wrap(memory.ring_head().claim_limit.load_relaxed()), wrap(position + memory.geometry.slots)) <= 0;
}

}  // namespace beltway::ring
