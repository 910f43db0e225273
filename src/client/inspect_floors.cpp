// See inspect_floors.hpp. The memory is input, as in inspect.cpp.
#include "client/inspect_floors.hpp"

#include <algorithm>

namespace beltway::client {

std::uint64_t depth_of(const ring::QueueMemory& memory, ring::Position floor, ring::Position tail) noexcept {
  const std::int64_t depth = ring::distance(tail, ring::wrap(floor));
  return static_cast<std::uint64_t>(std::clamp<std::int64_t>(depth, 0, memory.geometry.slots));
}

ring::Position floor_of(const ring::QueueMemory& memory, unsigned group) noexcept {
  return ring::wrap(memory.group(group).floor.load_acquire());  // pairs with the release of the process that moved it
}

bool is_over(const ring::QueueMemory& memory, unsigned group, ring::Position position) noexcept {
  // Pairs with the release of an ack.
  const ring::Lease lease = ring::Lease::of(memory.lease(group, position).load_acquire());
  const std::int64_t lap = ring::distance<ring::Lease::bits>(lease.position, position);
  if (lap > 0) return true;
  if (lap == 0 && (lease.phase == ring::LeasePhase::done || ring::is_parked(lease.phase))) return true;
  if (lap == 0 && lease.phase == ring::LeasePhase::leased) return false;
  const ring::SlotState slot = ring::SlotState::of(memory.slot(position).state.load_acquire());
  return slot.position == position &&
         (slot.phase == ring::SlotPhase::voided || slot.phase == ring::SlotPhase::reclaimed);
}

ring::Position first_needed(const ring::QueueMemory& memory, unsigned group, ring::Position floor,
                            ring::Position tail) noexcept {
  for (std::uint64_t left = depth_of(memory, floor, tail); left != 0; --left, floor = ring::wrap(floor + 1)) {
    if (!is_over(memory, group, floor)) break;
  }
  return floor;
}
ring::Position needed_from(const ring::QueueMemory& memory, unsigned group, ring::Position tail) noexcept {
  const ring::Position floor = floor_of(memory, group);
  return group < memory.geometry.max_groups ? first_needed(memory, group, floor, tail) : floor;
}

}  // namespace beltway::client
