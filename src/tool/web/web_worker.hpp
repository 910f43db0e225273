// A thread that does what may block, one job after the other, so that the server's loop never waits.
//
// Thread safety: offer() from any thread; the jobs run on the worker's thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace beltway::tool {

class WebWorker {
 public:
  using Job = std::function<void()>;

  /// At most `waiting` jobs wait. `each` runs every `pause`, if it is set; jobs and `each` take turns, and must not throw.
  explicit WebWorker(std::size_t waiting, Job each = {}, std::chrono::milliseconds pause = std::chrono::seconds(1));
  /// Ends after the present job; those that wait are dropped.
  ~WebWorker();
  WebWorker(const WebWorker&) = delete;
  WebWorker& operator=(const WebWorker&) = delete;

  /// False: too many wait.
  [[nodiscard]] bool offer(Job job);

 private:
  void work();
  /// The next job; empty: `each` is due, or the end.
  Job next();

  std::size_t most_waiting_;
  Job each_;
  std::chrono::milliseconds pause_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  std::chrono::steady_clock::time_point due_;
  bool ending_ = false;
  std::thread thread_;  // the last: it uses all others
};

}  // namespace beltway::tool
