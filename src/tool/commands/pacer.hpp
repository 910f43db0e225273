// Spreads messages evenly over time, for `pub --rate`.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stop_token>

namespace beltway::tool {

/// One thread; stops come from an Interrupt of that thread.
class Pacer {
 public:
  /// `per_second` more than 0.
  explicit Pacer(double per_second);

  /// Sleeps until at least one message is due; returns how many of `wanted` are (0: stopped) and counts them as sent.
  [[nodiscard]] std::size_t wait(std::size_t wanted, const std::stop_token& stop);

 private:
  using Clock = std::chrono::steady_clock;
  [[nodiscard]] Clock::time_point due_at(std::uint64_t message) const;

  double per_second_;
  Clock::time_point start_;
  std::uint64_t sent_ = 0;  // since start_
};

}  // namespace beltway::tool
