// Giving back the memory of a lane whose producer is gone.
//
// The order is the whole point. First the slots of messages below all floors are marked RECLAIMED. Then a barrier runs, and the
// floors are scanned once more: a group may have joined at the oldest message before the marks. Only then are the pages
// punched that no message needs. So a lossy reader that copied zeros finds the mark afterwards, and a group that joins
// late skips the slot.
//
// Every step is safe to repeat; a daemon that dies in the middle starts again. No endpoint may be attached at the producer's
// place meanwhile.
#pragma once

#include <cstdint>
#include <vector>

#include "ring/queue_memory.hpp"

namespace beltway::recovery {

/// Bytes of a heap.
struct LanePart {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

struct UnneededLane {
  std::vector<LanePart> parts;  ///< whole granules, in order
  bool whole = false;           ///< no message needs any part of the lane
};

/// Marks RECLAIMED what no group needs any more of the messages in a lane, and returns what may be punched afterwards: parts of
/// the heap in granules of `granule` bytes, which divide a lane. What is returned stays unneeded until a producer is
/// attached at that place. Throws std::bad_alloc.
[[nodiscard]] UnneededLane find_unneeded_parts(const ring::QueueMemory& memory, unsigned producer,
                                               std::uint64_t granule);

}  // namespace beltway::recovery
