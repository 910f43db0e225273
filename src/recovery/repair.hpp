// What is done for an endpoint that is gone, whether it detached or was killed at any instruction. Every step is safe to
// repeat, so a daemon that dies in the middle starts again.
#pragma once

#include <cstdint>

#include "recovery/heal.hpp"
#include "ring/queue_memory.hpp"

namespace beltway::recovery {

/// Repairs what endpoint `owner` left. Requires proof that its mapping is gone. Heals the queue first: claims of the dead
/// become VOID, and their leases go back. Marks lane references that no group needs, and frees the endpoint's private group.
/// Clears its sleeper bit, helps the floors, and adds its counters to the totals. Wakes all sleepers. Then the caller may give
/// the index out again. `living`: the attached endpoints, without `owner`.
HealCounts repair(const ring::QueueMemory& memory, unsigned owner, const Living& living) noexcept;

/// All that the consumer has leased of the named group goes back to it; returns how many messages.
std::uint64_t release_leases(const ring::QueueMemory& memory, unsigned group, unsigned owner) noexcept;

}  // namespace beltway::recovery
