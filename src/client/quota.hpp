// What the caller's user has at a daemon, and may have.
// Thread safety: values.
#pragma once

#include <cstdint>

namespace beltway::client {

struct Quota {
  std::uint64_t queues = 0;
  std::uint64_t max_queues = 0;
  std::uint64_t bytes = 0;  ///< of shared memory
  std::uint64_t max_bytes = 0;
  std::uint64_t connections = 0;
  std::uint64_t max_connections = 0;  ///< 0: an older daemon, which does not say it
  int most_pid = 0;                   ///< the process that has the most of the connections; 0: not known
  std::uint64_t most_connections = 0;
};

}  // namespace beltway::client
