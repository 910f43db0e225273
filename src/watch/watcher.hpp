// Samples the queues of one daemon through read-only mappings, and says what is wrong.
//
// Promised: takes no place of a consumer, wakes nobody, writes nothing to shared memory. Works while programs hang. Goes on with
// the queues that it has open while the daemon is gone.
// Thread safety: one thread at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "beltway/limits.hpp"
#include "beltway/options.hpp"
#include "watch/model.hpp"

namespace beltway::watch {

struct WatcherOptions {
  ConnectionOptions connection = {};
  std::chrono::seconds history{60};  ///< kept of each queue; at most an hour
  /// For a command that looks for a moment only: what a second sample finds again is told, though it may not last.
  bool tells_at_once = false;
  std::size_t strip_cells = 64;  ///< of QueueDetail::strip
  std::size_t max_mapped = k_max_watched_queues;
};

class Watcher {
 public:
  /// Connects, and starts no daemon. Throws Error(no_daemon) if none answers.
  explicit Watcher(WatcherOptions options);
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;
  ~Watcher();

  /// Reads all queues once. Rates need two calls; call it about once a second, at most ten times. Blocks for the daemon's
  /// answer at most 1 s; never throws because a daemon or a queue is gone.
  void sample();
  [[nodiscard]] const Fleet& fleet() const noexcept;

  /// Fills QueueView::age_counts of the fleet, for metrics. The counts of a queue never go back while this watcher knows it.
  void count_ages();

  /// The queue as it is now, with a scan of its slots. A queue that no sample has seen is asked for: fleet() has it then,
  /// too, and the daemon may take as long as in sample(). Nothing: there is no such queue, or it may not be read.
  [[nodiscard]] std::optional<QueueDetail> detail(std::string_view queue);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace beltway::watch
