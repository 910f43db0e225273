// Ending a program by a signal, in an orderly way:
//
//   const beltway::StopOn stop = beltway::stop_on({SIGTERM, SIGINT});
//   while (auto message = in.receive(stop)) handle(*message);
//
// Why not a handler that sets a flag: a signal that comes between the test of the flag and the wait is not noticed before the
// next message. A stop token is noticed by the wait whenever the request comes.
//
// In a container the first process (PID 1) is special: the kernel ignores SIGTERM and SIGINT for it unless it has a handler.
// stop_on() sets one, so `docker stop` ends the program at once instead of killing it ten seconds later.
#pragma once

#include "beltway/detail/requirements.hpp"

#include <initializer_list>
#include <stop_token>

#include "beltway/until.hpp"

namespace beltway::waiting {
class SignalWatch;
}  // namespace beltway::waiting

namespace beltway {

/// A stop token that a signal triggers, as long as this object lives. Converts to std::stop_token, and to Until.
///
/// Promised: a signal that comes at any moment ends each wait with this token, and each later call with it.
/// Thread safety: token() and signal() from any thread. Made and destroyed in one thread.
/// Blocking: no member blocks; the destructor waits for the object's own thread.
/// End: its destruction, which restores the handlers. It does not work in a forked child: make another one there.
/// Errors: stop_on() throws Error(misuse, system). Members throw nothing.
class [[nodiscard]] StopOn {
 public:
  StopOn(StopOn&& other) noexcept;
  StopOn& operator=(StopOn&&) = delete;
  /// Restores the handlers that were there before.
  ~StopOn();

  /// Stop is requested soon after one of the signals has come, by a thread of this object.
  [[nodiscard]] std::stop_token token() const noexcept;
  operator std::stop_token() const noexcept { return token(); }  // NOLINT: implicit by design

  /// The signal that came first; 0: none yet. For the exit code: 128 + signal().
  [[nodiscard]] int signal() const noexcept;

 private:
  friend StopOn stop_on(std::initializer_list<int> signals);
  explicit StopOn(waiting::SignalWatch* watch) noexcept : watch_(watch) {}

  waiting::SignalWatch* watch_;
};

/// Handles `signals` from now on: the handler asks a thread to request a stop, and does nothing else. Blocking system calls of
/// the thread that the signal hits end with EINTR. Other threads need not block the signals.
/// Throws Error(misuse) while another StopOn lives, and Error(system) for a signal that cannot be handled, by its number.
StopOn stop_on(std::initializer_list<int> signals);

inline Until::Until(const StopOn& stop) : Until(stop.token()) {}

}  // namespace beltway
