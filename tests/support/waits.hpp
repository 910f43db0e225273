// When an endpoint of a LocalQueue waits.
#pragma once

#include "child.hpp"
#include "local_queue.hpp"

namespace beltway::test {

/// True as soon as the endpoint sleeps; false if it does not come to that.
inline bool waits(LocalQueue& queue, unsigned owner) {
  return eventually([&] { return queue.memory().endpoint(owner).asleep_since_ns.load_relaxed() != 0; });
}

}  // namespace beltway::test
