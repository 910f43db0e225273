#include "recovery/lane_recovery.hpp"

#include <algorithm>

#include "os/kernel.hpp"
#include "ring/floors.hpp"
#include "ring/parking.hpp"

namespace beltway::recovery {

namespace {

bool lies_in_lane(const ring::Slot& slot, ring::SlotState state, unsigned producer) noexcept {
  return state.owner == producer &&
         (state.phase == ring::SlotPhase::ready || state.phase == ring::SlotPhase::reclaimed) &&
         (ring::SlotMeta::of(slot.meta.load_relaxed()).flags & ring::k_flag_lane) != 0;
}

void mark_reclaimed_below(const ring::QueueMemory& memory, unsigned producer, ring::Position lowest) noexcept {
  for (std::uint32_t i = 0; i < memory.geometry.slots; ++i) {
    ring::Slot& slot = memory.slot(i);
    const std::uint64_t seen = slot.state.load_acquire();
    const ring::SlotState state = ring::SlotState::of(seen);
    if (!lies_in_lane(slot, state, producer) || state.phase != ring::SlotPhase::ready) continue;
    if (ring::distance(state.position, lowest) >= 0 || ring::is_position_parked(memory, state.position)) continue;
    slot.state.compare_and_swap(seen, ring::SlotState{state.position, state.owner, ring::SlotPhase::reclaimed}.word());
  }
}

/// Which granules of the lane messages need: one flag each. What a slot says is a peer's word, and is cut to the lane.
std::vector<bool> find_needed(const ring::QueueMemory& memory, unsigned producer, ring::Position lowest,
                              std::uint64_t granule) {
  const std::uint64_t lane_bytes = memory.geometry.lane_bytes;
  std::vector<bool> needed(lane_bytes / granule);
  for (std::uint32_t i = 0; i < memory.geometry.slots; ++i) {
    const ring::Slot& slot = memory.slot(i);
    const ring::SlotState state = ring::SlotState::of(slot.state.load_acquire());
    const auto reference = ring::LaneReference::of(slot.lane_reference().load_relaxed());
    // A parked slot may say VOID for a later lap.
    const bool parked = ring::is_slot_parked(memory, i) && reference.owner == producer &&
                        (ring::SlotMeta::of(slot.meta.load_relaxed()).flags & ring::k_flag_lane) != 0;
    // plant: parked_bytes_are_punched
    if (!parked && !lies_in_lane(slot, state, producer)) continue;
    // Without a mark it is needed, though floors may have passed it meanwhile. With one, it is if a group joined before the mark.
    // plant: punch_before_the_mark/2
    const bool reclaimed = state.phase == ring::SlotPhase::reclaimed && ring::distance(state.position, lowest) < 0;
    if (reclaimed && !parked) continue;
    const std::uint64_t begin = std::min(reference.offset, lane_bytes);
    const std::uint64_t size = ring::SlotMeta::of(slot.meta.load_relaxed()).size;
    const std::uint64_t end = std::min(begin + size, lane_bytes);
    for (std::uint64_t at = begin / granule; at * granule < end; ++at) needed[at] = true;
  }
  return needed;
}

}  // namespace

UnneededLane find_unneeded_parts(const ring::QueueMemory& memory, unsigned producer, std::uint64_t granule) {
  ring::Position lowest = ring::lowest_floor(memory, ring::load_tail(memory));
  // plant: punch_before_the_mark
  mark_reclaimed_below(memory, producer, lowest);
  detail::full_fence();
  os::heavy_barrier();
  // plant: punch_without_a_second_scan
  if (const auto again = ring::lowest_floor(memory, ring::load_tail(memory)); ring::distance(again, lowest) < 0)
    lowest = again;
  const std::vector<bool> needed = find_needed(memory, producer, lowest, granule);
  UnneededLane lane;
  for (std::size_t begin = 0; begin < needed.size();) {
    std::size_t end = begin;
    while (end < needed.size() && !needed[end]) ++end;
    if (end != begin) {
      lane.parts.push_back({producer * memory.geometry.lane_bytes + begin * granule, (end - begin) * granule});
    }
    begin = end + 1;
  }
  lane.whole = lane.parts.size() == 1 && lane.parts.front().size == memory.geometry.lane_bytes;
  return lane;
}

}  // namespace beltway::recovery
