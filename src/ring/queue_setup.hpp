// Fills the memory of a new queue. Run by the daemon at declare, before any client has the memory, and by tests.
#pragma once

#include "ring/queue_memory.hpp"

namespace beltway::ring {

/// What the header of a queue says.
[[nodiscard]] Header header_of(const Geometry& geometry, std::uint64_t queue_id) noexcept;

/// Makes zeroed segments a queue whose next position is `first`: header, a ring full of VOIDs of the lap before, `tail`,
/// and no groups. `symmetric`: start with symmetric fences.
void initialize_queue(const QueueMemory& memory, std::uint64_t queue_id, bool symmetric = false,
                      Position first = 0) noexcept;

}  // namespace beltway::ring
