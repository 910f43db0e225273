// Several threads of Python on one endpoint. The GIL lets one thread at a time call an endpoint. But a thread that waits
// inside the endpoint has no GIL: until it comes back, the other threads wait for their turn, and what they end is ended by
// that thread.
//
// Thread safety: all functions require the GIL. Those that wait release it meanwhile.
#pragma once

#include "python/python_api.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>

#include "beltway/detail/fork_guard.hpp"
#include "beltway/status.hpp"

namespace beltway::python {

class Turns {
 public:
  /// True while a thread waits inside of the endpoint. In a forked child that thread is not there.
  [[nodiscard]] bool is_taken() const noexcept { return taken_.load(std::memory_order_relaxed) && !guard_.in_child(); }
  /// Throws Error(forked) in a forked child, for calls of the library that do not say so: their memory is not mapped there.
  /// `operation`, `queue`: for the error.
  void refuse_in_child(const char* operation, const std::string& queue) const;
  /// True while a call waits, also between two pieces of its wait: the endpoint must stay.
  [[nodiscard]] bool is_in_use() const noexcept { return calls_ != 0 && !guard_.in_child(); }
  /// Waits until no thread is inside. False: the deadline was earlier. Throws ErrorIsSet for a signal.
  bool await(const Deadline& deadline);

 private:
  friend class Turn;
  friend class WaitingCall;
  detail::ForkGuard guard_;
  std::atomic<bool> taken_{false};
  unsigned waiting_ = 0;
  unsigned calls_ = 0;
  std::mutex mutex_;
  std::condition_variable left_;
};

/// While it lives, this thread is inside of the endpoint.
class Turn {
 public:
  explicit Turn(Turns& turns) noexcept : turns_(turns) { turns_.taken_.store(true, std::memory_order_relaxed); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn();

 private:
  Turns& turns_;
};

/// While it lives, nobody may close the endpoint.
class WaitingCall {
 public:
  explicit WaitingCall(Turns& turns) noexcept : turns_(turns) { ++turns_.calls_; }
  WaitingCall(const WaitingCall&) = delete;
  WaitingCall& operator=(const WaitingCall&) = delete;
  ~WaitingCall() { --turns_.calls_; }

 private:
  Turns& turns_;
};

/// Calls `attempt(until)` without the GIL, piece by piece, until it returns another status than timeout or interrupted. Calls
/// `between()` with the GIL after each piece. Returns timeout when the deadline has passed. Returns interrupted if
/// `interrupted` is true, and makes it false. Throws what `attempt` throws, and ErrorIsSet if a signal's handler raised.
template <class Attempt, class Between>
Status wait_in_pieces(Turns& turns, bool& interrupted, const Deadline& deadline, const Attempt& attempt,
                      const Between& between) {
  const WaitingCall call(turns);
  for (;;) {
    // Between two pieces a handler of a signal, or another thread, may have used the endpoint, and may be inside now.
    if (turns.is_taken() && !turns.await(deadline)) return Status::timeout;
    Status status = Status::timeout;
    {
      const Turn turn(turns);
      without_gil([&] { status = attempt(deadline.piece()); });
    }
    between();
    if (status != Status::timeout && status != Status::interrupted) return status;
    check_signals();
    if (interrupted && status == Status::interrupted) {
      interrupted = false;
      return status;
    }
    if (deadline.is_over()) return Status::timeout;
  }
}

}  // namespace beltway::python
