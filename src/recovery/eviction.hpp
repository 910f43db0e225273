// What is done to the memory of a consumer that is evicted while it may still live (see queue_eviction.cpp). Every step is
// safe to repeat, so a daemon that dies in the middle starts again.
#pragma once

#include <cstdint>

#include "ring/queue_memory.hpp"

namespace beltway::recovery {

/// Sets the flag "evicted" in the consumer's identity. Then gives its leases back to its group, or frees its private group, and
/// wakes all sleepers. Its process may go on at any later time from the middle of any instruction.
void revoke(const ring::QueueMemory& memory, unsigned owner, std::uint32_t incarnation, unsigned group) noexcept;

}  // namespace beltway::recovery
