// How old messages were at their delivery: the histograms that consumers keep in queues with stamps.
// The memory is input, as in reading.hpp. Thread safety: functions, from any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "ring/queue_memory.hpp"
#include "watch/model.hpp"
#include "wire/protocol.hpp"

namespace beltway::watch {

/// One for each named group and each private consumer that has got messages with a stamp.
[[nodiscard]] std::vector<AgeCounts> age_counts_of(const ring::QueueMemory& memory,
                                                   const wire::Description& description);

/// The counts of all consumers of a queue together, those that are gone included, as a counter of metrics needs them: they never
/// go back, though a consumer's histogram begins anew when another one takes its place.
class AgeSums {
 public:
  /// Adds what has come since the last call. What a consumer has counted since then is missing if another one has its place.
  void add(const ring::QueueMemory& memory);
  /// As AgeCounts::counts; empty: nothing was added.
  [[nodiscard]] const std::vector<std::uint64_t>& counts() const noexcept { return counts_; }

 private:
  using Buckets = std::vector<std::uint64_t>;
  std::vector<Buckets> before_;  ///< by the consumer's index
  Buckets counts_;
};

}  // namespace beltway::watch
