// Ctrl-C and its relatives as a stop token.
//
// While an Interrupt lives, SIGINT, SIGTERM and SIGHUP are taken by a thread of its own, which requests a stop: waits of
// the library end at once, and the command finishes the present message and gives back the others. Blocking system calls of
// the thread that made it (read of standard input, write to a full pipe, sleeping) end with EINTR: the thread
// sends it SIGUSR1 again and again until the Interrupt is gone, since a single one might come just before the call.
// A second signal ends the process at once, by that signal. The end of an output's reader counts as a SIGPIPE, also
// while nothing is being written.
//
// Make it after Connection::open: a process with one thread registers for membarrier a thousand times faster.
#pragma once

#include <atomic>
#include <chrono>
#include <csignal>
#include <stop_token>
#include <thread>

#include "tool/process/exit_code.hpp"

namespace beltway::tool {

class Interrupt {
 public:
  /// `output`: a descriptor whose reader's end is a reason to stop; -1: none. Throws Failure when out of descriptors.
  explicit Interrupt(int output = -1);
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  [[nodiscard]] std::stop_token token() const noexcept { return stop_.get_token(); }

  /// The signal that asked to stop, or 0.
  [[nodiscard]] int signal() const noexcept { return signal_.load(std::memory_order_relaxed); }

  /// 130 for Ctrl-C; `done` if no signal came.
  [[nodiscard]] ExitCode exit_code() const noexcept {
    return signal() == 0 ? ExitCode::done : exit_code_of_signal(signal());
  }

 private:
  void watch(int output) noexcept;
  /// The signal that came, SIGPIPE for the end of the output's reader, 0 for neither by the time.
  int wait(int& output) noexcept;

  int signals_ = -1;  // signalfd
  std::stop_source stop_;
  std::atomic<int> signal_{0};
  std::atomic<bool> ending_{false};
  pthread_t interrupted_;
  sigset_t before_{};
  std::thread watcher_;
};

/// Sleeps until the deadline or the stop; false if it was the stop. The stop must come from an Interrupt made by the
/// calling thread.
bool sleep_until(std::chrono::steady_clock::time_point deadline, const std::stop_token& stop);

}  // namespace beltway::tool
