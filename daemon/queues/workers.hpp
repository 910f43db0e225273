// Work that takes long, beside the daemon's one thread: filling the memory of a large queue, and giving it back. So it holds up
// no repair and no request.
//
// The threads are made at the first use; a daemon of small queues has none. They take no signals.
// Ownership: the threads. Thread safety: the daemon's one thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <optional>

namespace beltway::daemon {

class Workers {
 public:
  explicit Workers(boost::asio::io_context& io) : io_(io) {}
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  ~Workers() { finish(); }

  /// Runs `work` in another thread and then `done` in the daemon's. Neither may throw. Both are destroyed in the
  /// thread that ran them, as soon as they have run.
  void run(std::function<void()> work, std::function<void()> done = {});

  /// Drops what has not begun and waits for the rest. Nothing is run afterwards.
  void finish() noexcept;

 private:
  boost::asio::io_context& io_;
  std::optional<boost::asio::thread_pool> pool_;
  bool finished_ = false;
};

}  // namespace beltway::daemon
