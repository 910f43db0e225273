// How much of a processor full looks at queues may take: a share of the time, saved up for a moment.
// Thread safety: one thread at a time.
#pragma once

#include <algorithm>
#include <ctime>

#include "watch/model.hpp"

namespace beltway::watch {

class LookBudget {
 public:
  /// `share` of the time that passes; at most `most` is saved up.
  LookBudget(double share, Nanoseconds most) noexcept : share_(share), most_(most), left_(most) {}

  void refill(Nanoseconds passed) noexcept {
    left_ =
        std::min(most_, left_ + Nanoseconds(static_cast<std::int64_t>(static_cast<double>(passed.count()) * share_)));
  }
  [[nodiscard]] bool has_left() const noexcept { return left_.count() > 0; }
  /// May leave less than nothing: then the next ones wait for longer.
  void spend(Nanoseconds time) noexcept { left_ -= time; }

  /// The processor's time that this thread has taken.
  [[nodiscard]] static Nanoseconds used() noexcept {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + Nanoseconds(now.tv_nsec);
  }

 private:
  double share_;
  Nanoseconds most_;
  Nanoseconds left_;
};

}  // namespace beltway::watch
