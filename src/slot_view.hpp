// From a slot to the bytes of its message, checked against the geometry. What the slot says is a peer's word: each part is
// read once, and nothing outside the queue's own memory is ever pointed at.
#pragma once

#include <cstddef>
#include <cstdint>

#include "queue_map.hpp"

namespace beltway {

struct SlotView {
  Position position = 0;
  const std::byte* data = nullptr;
  std::uint32_t size = 0;
  std::uint8_t producer = 0;
  std::uint8_t tries = 0;  ///< named groups
  std::uint64_t lost = 0;  ///< lossy readers: positions lost right before
};

/// Fills `view` from a slot and its READY `state`. False if size, flags or place make no sense.
[[nodiscard]] inline bool view_slot(const QueueMap& map, const Slot& slot, SlotState state, SlotView& view) noexcept {
  const SlotMeta meta = SlotMeta::of(slot.meta.load_relaxed());
  view.position = state.position;
  view.producer = state.owner;
  view.size = meta.size;
  if (meta.flags == 0) [[likely]] {
    view.data = slot.payload();
    return meta.size <= map.geometry.inline_bytes();
  }
  const std::uint64_t lane_bytes = map.geometry.lane_bytes;
  const std::uint64_t offset = slot.lane_offset().load_relaxed();
  if (meta.flags != k_flag_lane || state.owner >= map.geometry.max_producers || offset > lane_bytes ||
      meta.size > lane_bytes - offset || offset % k_payload_alignment != 0) {
    return false;
  }
  view.data = map.lane(state.owner) + offset;
  return true;
}
[[nodiscard]] inline bool view_slot(const QueueMap& map, SlotState state, SlotView& view) noexcept {
  return view_slot(map, map.slot(state.position), state, view);
}

}  // namespace beltway
