// When the next message is due.
#include "tool/commands/pacer.hpp"

#include <algorithm>

#include "tool/process/interrupt.hpp"

namespace beltway::tool {

namespace {

/// Above this rate messages go in small bursts: sleeping shorter costs more than it evens out.
constexpr double k_finest_steps_per_second = 1000;
/// A publisher that was delayed longer than this (a full queue, a stopped process) does not make up for it with a burst.
constexpr std::chrono::milliseconds k_catch_up_ms{100};

}  // namespace

Pacer::Pacer(double per_second) : per_second_(per_second), start_(Clock::now()) {}

Pacer::Clock::time_point Pacer::due_at(std::uint64_t message) const {
  const std::chrono::duration<double> after(static_cast<double>(message) / per_second_);
  return start_ + std::chrono::duration_cast<Clock::duration>(after);
}

std::size_t Pacer::wait(std::size_t wanted, const std::stop_token& stop) {
  auto now = Clock::now();
  if (now > due_at(sent_) + k_catch_up_ms) {
    start_ = now;
    sent_ = 0;
  }
  if (now < due_at(sent_)) {
    const auto burst = static_cast<std::uint64_t>(per_second_ / k_finest_steps_per_second);
    if (!sleep_until(due_at(sent_ + std::min<std::uint64_t>(burst, wanted - 1)), stop)) return 0;
    now = Clock::now();
  } else if (stop.stop_requested()) {
    return 0;
  }
  const double due = std::chrono::duration<double>(now - start_).count() * per_second_ + 1 - static_cast<double>(sent_);
  const double may = std::clamp(due, 1.0, static_cast<double>(wanted));
  const auto count = static_cast<std::size_t>(may);
  sent_ += count;
  return count;
}

}  // namespace beltway::tool
