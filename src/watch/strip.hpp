// The picture of a ring: which slots are free, waiting, held.
// The memory is input, as in reading.hpp. Thread safety: functions, from any thread.
#pragma once

#include <cstddef>

#include "ring/queue_memory.hpp"
#include "watch/model.hpp"
#include "wire/protocol.hpp"

namespace beltway::watch {

/// The last `slots` positions up to the latest, as at most `cells` cells. Looks at a bounded number of slots for each cell.
[[nodiscard]] RingStrip strip_of(const ring::QueueMemory& memory, const wire::Description& description,
                                 std::size_t cells);

}  // namespace beltway::watch
