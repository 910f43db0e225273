// How long a blocking call may wait: forever, until a deadline, until a stop is requested, or the first of both.
#pragma once

#include "beltway/detail/requirements.hpp"

#include <chrono>
#include <optional>
#include <stop_token>
#include <utility>

namespace beltway {

class StopOn;

/// Converts from a duration (from now), a steady time point or a stop token: `receive(1s)`, `receive(stop)`,
/// `receive({1s, stop})`. Default: forever. A value; copying one with a token counts a reference. Thread safety: as
/// a value. Never blocks, never throws.
///
/// Once a stop is requested, each call with that token returns Status::stopped at once, also if it need not wait. A deadline
/// ends waits alone.
///
/// A wait without a stop token also ends when a signal handler has run that was set without SA_RESTART (Status::interrupted).
/// That is a courtesy: a signal just before the wait goes unnoticed. See stop.hpp for what is sure.
class Until {
 public:
  using Clock = std::chrono::steady_clock;

  Until() = default;

  template <class Rep, class Period>
  Until(std::chrono::duration<Rep, Period> patience, std::stop_token stop = {})  // NOLINT: implicit by design
      : deadline_(from_now(patience)), stop_(std::move(stop)) {}

  Until(Clock::time_point deadline, std::stop_token stop = {})  // NOLINT: implicit by design
      : deadline_(deadline), stop_(std::move(stop)) {}

  Until(std::stop_token stop) : stop_(std::move(stop)) {}  // NOLINT: implicit by design

  /// With beltway/stop.hpp: until one of its signals comes.
  Until(const StopOn& stop);  // NOLINT: implicit by design

  [[nodiscard]] const std::optional<Clock::time_point>& deadline() const noexcept { return deadline_; }
  /// True if the deadline has passed or a stop was requested.
  [[nodiscard]] bool is_over() const noexcept {
    return stop_.stop_requested() || (deadline_ && Clock::now() >= *deadline_);
  }
  [[nodiscard]] const std::stop_token& stop() const noexcept { return stop_; }

 private:
  template <class Rep, class Period>
  static std::optional<Clock::time_point> from_now(std::chrono::duration<Rep, Period> patience) {
    const auto now = Clock::now();
    // A patience beyond the clock's range is forever: adding it would overflow into the past.
    if (std::chrono::duration<double>(patience) >= std::chrono::duration<double>(Clock::time_point::max() - now)) {
      return std::nullopt;
    }
    return now + std::chrono::duration_cast<Clock::duration>(patience);
  }

  std::optional<Clock::time_point> deadline_;
  std::stop_token stop_;
};

}  // namespace beltway
