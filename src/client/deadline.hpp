// When an exchange with the daemon is given up: at a time, or earlier, when the caller of the public function wants to go on, or
// when the daemon's process is found stopped.
// A value. Thread safety: as a value; what it refers to may be used by other threads.
#pragma once

#include <algorithm>
#include <chrono>
#include <stop_token>

#include "beltway/until.hpp"

namespace beltway::client {

/// The least time that a request gets, however short its caller's deadline is: a daemon at work answers far sooner.
inline constexpr std::chrono::milliseconds k_least_for_request{100};
/// The longest piece of a wait that a stop may end.
inline constexpr std::chrono::milliseconds k_piece_before_stop{10};

class Deadline {
 public:
  using Clock = std::chrono::steady_clock;

  Deadline(Clock::time_point latest) noexcept : latest_(latest) {}  // NOLINT: implicit by design
  /// Ends with `caller`, too, which must outlive this object: at its stop, and at its deadline, but see k_least_for_request.
  Deadline(Clock::time_point latest, const Until& caller) noexcept : latest_(latest), stop_(&caller.stop()) {
    if (caller.deadline()) end_for_caller_ = std::max(*caller.deadline(), Clock::now() + k_least_for_request);
  }
  [[nodiscard]] static Deadline max() noexcept { return Clock::time_point::max(); }
  [[nodiscard]] static Deadline min() noexcept { return Clock::time_point::min(); }

  [[nodiscard]] bool is_over() const noexcept { return is_over_for_caller() || Clock::now() >= latest_; }
  [[nodiscard]] bool is_over_for_caller() const noexcept {
    return (stop_ != nullptr && stop_->stop_requested()) || Clock::now() >= end_for_caller_;
  }
  /// The time at which it is over at the latest.
  [[nodiscard]] Clock::time_point at() const noexcept { return std::min(latest_, end_for_caller_); }
  /// A stop may end it before that time. Nothing wakes a wait then: wait in short pieces.
  [[nodiscard]] bool has_stop() const noexcept { return stop_ != nullptr && stop_->stop_possible(); }
  /// From that time on, a daemon whose process is stopped is given up (ConnectionOptions::stopped_timeout).
  void give_up_stopped_at(Clock::time_point time) noexcept { stopped_limit_ = time; }
  [[nodiscard]] bool has_stopped_limit() const noexcept { return stopped_limit_ != Clock::time_point::max(); }
  [[nodiscard]] bool gives_up_stopped() const noexcept { return Clock::now() >= stopped_limit_; }
  /// Grants more time, but no more than the caller does.
  void extend(Clock::duration time) noexcept {
    for (Clock::time_point* const limit : {&latest_, &stopped_limit_}) {
      *limit = Clock::time_point::max() - *limit < time ? Clock::time_point::max() : *limit + time;
    }
  }

 private:
  Clock::time_point latest_;
  Clock::time_point end_for_caller_ = Clock::time_point::max();
  Clock::time_point stopped_limit_ = Clock::time_point::max();
  const std::stop_token* stop_ = nullptr;
};

}  // namespace beltway::client
