// Which message of a group was delivered most often: a message that fails again and again.
// The memory is input; see inspect.cpp.
// Thread safety: functions, from any thread.
#pragma once

#include <optional>
#include <vector>

#include "ring/queue_memory.hpp"

namespace beltway::client {

struct MostTried {
  ring::Position position = 0;
  unsigned deliveries = 0;  ///< the present one counts; k_max_tries stands for more, too
  bool is_held = false;     ///< a consumer has it now
};

/// Of the messages that the group with that index has not acknowledged, parked ones too. Nothing: none was delivered.
[[nodiscard]] std::optional<MostTried> most_tried(const ring::QueueMemory& memory, unsigned group);

}  // namespace beltway::client
