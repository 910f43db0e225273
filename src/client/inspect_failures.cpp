// See inspect_failures.hpp.
#include "client/inspect_failures.hpp"

#include <algorithm>

#include "beltway/limits.hpp"
#include "client/inspect_floors.hpp"
#include "ring/floors.hpp"
#include "ring/parking.hpp"

namespace beltway::client {

namespace {

bool is_held(const ring::Lease& lease) noexcept {
  return lease.phase == ring::LeasePhase::leased || lease.phase == ring::LeasePhase::parked;
}

/// Deliveries that the lease word counts, with the present one.
unsigned deliveries_of(const ring::Lease& lease) noexcept {
  return std::min<unsigned>(lease.tries + (is_held(lease) ? 1U : 0U), k_max_tries);
}

}  // namespace

std::optional<MostTried> most_tried(const ring::QueueMemory& memory, unsigned group) {
  const ring::Position tail = ring::load_tail(memory);
  const ring::Position floor = floor_of(memory, group);
  MostTried most;
  const auto count = [&most](const ring::Lease& lease, ring::Position position) {
    const unsigned deliveries = deliveries_of(lease);
    if (deliveries > most.deliveries) most = {position, deliveries, is_held(lease)};
  };
  for (std::uint64_t left = depth_of(memory, floor, tail), i = 0; i < left; ++i) {
    const ring::Position position = ring::wrap(floor + i);
    const ring::Lease lease = ring::Lease::of(memory.lease(group, position).load_relaxed());
    const bool is_of_this_lap = ring::distance<ring::Lease::bits>(lease.position, position) == 0;
    if (is_of_this_lap && lease.phase != ring::LeasePhase::done && !ring::is_parked(lease.phase))
      count(lease, position);
  }
  for (std::uint32_t i = 0; i < memory.geometry.slots; ++i) {
    const ring::Lease lease = ring::Lease::of(memory.lease(group, i).load_relaxed());
    if (!ring::is_parked(lease.phase)) continue;
    const ring::Position position = ring::widen<ring::Lease::bits>(lease.position, floor);
    // A program may have written any position: one that was never published names no message. Positions do not wrap in practice.
    if (position < tail) count(lease, position);
  }
  return most.deliveries == 0 ? std::nullopt : std::optional(most);
}

}  // namespace beltway::client
