// A line of asynchronous operations on one endpoint, and the pump that serves it: what asio.hpp is built on, free of Asio.
//
// Invariant: while operations stand in the line, exactly one turn is to come (posted, or waiting for the descriptor) or under
// way. A turn tries the first operation and calls its handler, until the line is empty, the first finds nothing to
// do, or it has had its share; so each operation is tried again whenever the endpoint's poll_fd() was readable.
//
// Thread safety: all members, from any thread. Operations are tried under the mutex, handlers called without it.
#pragma once

#include "beltway/detail/requirements.hpp"

#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "beltway/detail/caught.hpp"
#include "beltway/detail/inline_tuning.hpp"

namespace beltway::detail {

/// An operation in the line. Owns itself: finish(), abort() and destroy() free it.
class AsyncOperation {
 public:
  /// True if it is over, with a result or an error.
  virtual bool attempt() noexcept = 0;
  /// Calls the handler with the outcome: posted, or at once if the handler belongs where the caller is and `may_run_here`.
  virtual void finish(bool may_run_here) = 0;
  /// Posts the handler with "aborted".
  virtual void abort() = 0;
  /// Ends it without calling the handler: its event loop is being destroyed.
  virtual void destroy() noexcept = 0;

  AsyncOperation* next = nullptr;
  std::uint64_t id = 0;

 protected:
  ~AsyncOperation() = default;
};

/// `Loop` is how the pump lives in an event loop. It has, for a move-only `turn` that is to be called once, in the loop, with
/// anything, and destroyed there if it never will be:
///   post(turn)       soon, not inside this call
///   wait(turn)       when the endpoint's descriptor is readable, or stop_waiting() was called
///   stop_waiting()   has no effect if it does not wait
///   release()        gives the descriptor back; as stop_waiting()
/// Made by std::make_shared only; kept alive by its owner and by turns.
template <class Loop>
class AsyncLine : public std::enable_shared_from_this<AsyncLine<Loop>> {
 public:
  template <class... Arguments>
  explicit AsyncLine(Arguments&&... arguments) : loop_(std::forward<Arguments>(arguments)...) {}
  AsyncLine(const AsyncLine&) = delete;
  AsyncLine& operator=(const AsyncLine&) = delete;
  ~AsyncLine() = default;

  [[nodiscard]] const Loop& loop() const noexcept { return loop_; }

  /// Numbers name operations: a canceller may ask for one that is gone.
  [[nodiscard]] std::uint64_t new_id() noexcept {
    const std::lock_guard lock(mutex_);
    return ++last_id_;
  }

  void push(AsyncOperation* operation) {
    {
      const std::lock_guard lock(mutex_);
      if (!closed_) {
        (first_ == nullptr ? first_ : last_->next) = operation;
        last_ = operation;
        // While a handler runs, what it starts itself is served when it returns; what others start need not wait for it.
        const bool busy_elsewhere = phase_ == Phase::handling && handler_thread_ != std::this_thread::get_id();
        if (phase_ == Phase::idle || busy_elsewhere) schedule();
        return;
      }
    }
    operation->abort();
  }

  void cancel(std::uint64_t id) {
    AsyncOperation* found = nullptr;
    {
      const std::lock_guard lock(mutex_);
      AsyncOperation* before = nullptr;
      for (found = first_; found != nullptr && found->id != id; found = found->next) before = found;
      if (found == nullptr) return;
      (before == nullptr ? first_ : before->next) = found->next;
      if (last_ == found) last_ = before;
    }
    found->abort();
    // What was behind it may not have to wait; and an empty line keeps no loop running.
    const std::lock_guard lock(mutex_);
    stop_waiting();
  }

  void cancel_all() {
    AsyncOperation* line = nullptr;
    {
      const std::lock_guard lock(mutex_);
      line = std::exchange(first_, nullptr);
      stop_waiting();
    }
    while (line != nullptr) std::exchange(line, line->next)->abort();
  }

  /// Cancels all, gives the descriptor back and takes no more operations.
  void close() {
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(closed_, true)) return;
    }
    cancel_all();
    const std::lock_guard lock(mutex_);
    loop_.release();
  }

 private:
  enum class Phase : std::uint8_t {
    idle,       // the line is empty
    scheduled,  // a turn is posted
    waiting,    // a turn waits for the descriptor
    running,    // a turn is under way
    handling,   // as running; it is calling a handler
  };

  /// A turn to come. If it is dropped, its event loop is being destroyed: so is the line then, with the handlers in it.
  struct Turn {
    explicit Turn(std::shared_ptr<AsyncLine> of) noexcept : line(std::move(of)) {}
    Turn(Turn&&) noexcept = default;
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (line != nullptr) line->abandon();
    }
    template <class... Anything>
    void operator()(Anything&&...) {
      const auto alive = std::exchange(line, nullptr);
      alive->run();
    }
    std::shared_ptr<AsyncLine> line;
  };

  void schedule() {
    loop_.post(Turn(this->shared_from_this()));
    phase_ = Phase::scheduled;
    ++turn_;
  }

  void stop_waiting() {
    if (phase_ == Phase::waiting) loop_.stop_waiting();
  }

  void run() {
    std::unique_lock lock(mutex_);
    const std::uint64_t turn = ++turn_;
    bool alone = true;
    for (unsigned done = 0; first_ != nullptr && done < k_messages_per_turn; ++done) {
      phase_ = Phase::running;
      if (!first_->attempt()) {
        phase_ = Phase::waiting;
        loop_.wait(Turn(this->shared_from_this()));
        return;
      }
      AsyncOperation* const operation = std::exchange(first_, first_->next);
      // If others wait, their messages should not wait for this handler: it is posted, perhaps to another thread, and then
      // so are those behind it.
      alone = alone && first_ == nullptr;
      if (alone) phase_ = Phase::handling;
      handler_thread_ = std::this_thread::get_id();
      lock.unlock();
      const std::exception_ptr exception = caught([&] { operation->finish(alone); });
      lock.lock();
      if (exception != nullptr) {
        end_turn(turn);
        std::rethrow_exception(exception);
      }
      if (turn_ != turn) return;  // started in another thread meanwhile: that one goes on
    }
    end_turn(turn);
  }

  void end_turn(std::uint64_t turn) {
    if (turn_ != turn) return;
    phase_ = Phase::idle;
    if (first_ != nullptr) schedule();
  }

  void abandon() noexcept {
    AsyncOperation* line = nullptr;
    {
      const std::lock_guard lock(mutex_);
      phase_ = Phase::idle;
      line = std::exchange(first_, nullptr);
    }
    while (line != nullptr) std::exchange(line, line->next)->destroy();
  }

  std::recursive_mutex mutex_;  // recursive for a turn that cannot be posted for want of memory, and is dropped at once
  Loop loop_;
  AsyncOperation* first_ = nullptr;
  AsyncOperation* last_ = nullptr;  // only if there is a first
  Phase phase_ = Phase::idle;
  std::thread::id handler_thread_;  // only while handling
  std::uint64_t turn_ = 0;  // raised when a turn is posted or begins: a thread that finds it changed has been relieved
  std::uint64_t last_id_ = 0;
  bool closed_ = false;
};

}  // namespace beltway::detail
