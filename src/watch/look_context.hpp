// What a look at one queue knows of the things around it: the other queues, and processes that keep its memory.
// Thread safety: values.
#pragma once

#include <vector>

#include "watch/model.hpp"

namespace beltway::watch {

struct LookContext {
  /// The queues of the daemon that the caller may see. Null: not known.
  const std::vector<QueueView>* queues = nullptr;
  /// Processes that map the memory as endpoints do, and have no endpoint for it (MemoryKeepers).
  std::vector<int> keepers = {};
};

}  // namespace beltway::watch
