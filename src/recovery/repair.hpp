// What is done for an endpoint that is gone, whether it detached or was killed at any instruction. Every step is safe to
// repeat, so a daemon that dies in the middle starts again.
#pragma once

#include <cstdint>

#include "recovery/heal.hpp"
#include "ring/queue_memory.hpp"

namespace beltway::daemon {

/// What is done for endpoint `owner`, whose mapping is proved to be gone: heals the queue (the dead own no word any more, so
/// their claims become VOID and their leases go back), marks lane references that no group needs, frees its private group,
/// drops its sleeper bit, helps the floors, adds its counters to the totals and clears them, wakes all sleepers. Then the
/// caller may give the index out again. `living`: the attached endpoints, without `owner`.
HealCounts repair(const QueueMemory& map, unsigned owner, const Living& living) noexcept;

/// All that the consumer has leased of the named group goes back to it; returns how many messages.
std::uint64_t release_leases(const QueueMemory& map, unsigned group, unsigned owner) noexcept;

}  // namespace beltway::daemon
