// What is done for an endpoint that is gone, whether it detached or was killed at any instruction. Every step is safe to
// repeat, so a daemon that dies in the middle starts again.
#pragma once

#include <cstdint>

#include "queue_map.hpp"

namespace beltway::daemon {

struct RepairCounts {
  std::uint64_t voided = 0;    ///< claims that became VOID
  std::uint64_t released = 0;  ///< leases that went back to their group
};

/// Steps 1 to 3 of DESIGN "Death and repair" for endpoint `owner`, whose mapping is proved to be gone: helps `tail`, voids its
/// claims, gives its leases back, frees its private group, drops its sleeper bit, helps the floors, adds its counters to
/// the totals and clears them, wakes everybody. Then the caller may give the index out again.
RepairCounts repair(const QueueMap& map, unsigned owner) noexcept;

/// All that the consumer has leased of the named group goes back to it; returns how many messages.
std::uint64_t release_leases(const QueueMap& map, unsigned group, unsigned owner) noexcept;

}  // namespace beltway::daemon
