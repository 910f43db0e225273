// How old messages were at their delivery: the histograms that consumers keep in queues with stamps.
// The memory is input, as in reading.hpp. Thread safety: functions, from any thread.
#pragma once

#include <vector>

#include "ring/queue_memory.hpp"
#include "watch/model.hpp"
#include "wire/protocol.hpp"

namespace beltway::watch {

/// One for each named group and each private consumer that has got messages with a stamp.
[[nodiscard]] std::vector<AgeCounts> age_counts_of(const ring::QueueMemory& memory,
                                                   const wire::Description& description);

}  // namespace beltway::watch
