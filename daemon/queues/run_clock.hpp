// Time in which the daemon ran.
//
// A time limit for other processes must not count time in which no process ran: the machine was suspended, a container was
// paused, all processes were stopped. The daemon cannot see that other processes did not run. But it notices that it did not run
// itself: a tick that it planned comes late. The clock leaves the delay out. A late tick evicts no consumer, since other
// processes may not have run yet. Thread safety: none.
#pragma once

#include <algorithm>
#include <chrono>

namespace beltway::daemon {

class RunClock {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::steady_clock::duration;

  struct Tick {
    TimePoint now;  ///< counts only time in which the daemon ran
    bool is_late;   ///< it came late by more than its pause: wait for the next one before you decide
  };

  /// The next tick is to come `pause` after `now`.
  void plan(TimePoint now, Duration pause) noexcept {
    due_ = now + pause;
    pause_ = pause;
  }
  /// There is no next tick for now.
  void rest() noexcept { pause_ = Duration(0); }

  [[nodiscard]] Tick tick(TimePoint now) noexcept {
    if (pause_ == Duration(0)) return {now - lost_, false};
    const Duration late = std::max(now - due_, Duration(0));
    lost_ += late;
    return {now - lost_, late > pause_};
  }

 private:
  TimePoint due_;
  Duration pause_{0};
  Duration lost_{0};
};

}  // namespace beltway::daemon
