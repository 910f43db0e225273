#include "bridge/route_status.hpp"

#include "base/printable.hpp"

namespace beltway::bridge {

namespace {

std::int64_t milliseconds_of(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

}  // namespace

void RouteStatus::set_state(RouteState state) {
  const std::lock_guard guard(mutex_);
  if (state == state_) return;
  state_ = state;
  since_ = std::chrono::system_clock::now();
}

void RouteStatus::set_error(const std::string& text) {
  const std::lock_guard guard(mutex_);
  last_error_ = printable(text.substr(0, k_max_error_bytes));
  error_at_ = std::chrono::system_clock::now();
}

watch::RouteView RouteStatus::view() const {
  const bool out = route_.direction == Direction::out;
  watch::RouteView view{.direction = out ? "out" : "in", .queue = route_.queue, .remote = route_.remote};
  if (out) view.group = route_.group;
  view.exchange = route_.exchange;
  view.window = route_.window;
  {
    const std::lock_guard guard(mutex_);
    view.state = name_of(state_);
    view.since_ms = milliseconds_of(since_);
    view.last_error = last_error_;
    if (!last_error_.empty()) view.last_error_ms = milliseconds_of(error_at_);
  }
  view.remaining = remaining_.load(std::memory_order_relaxed);
  view.in_flight = in_flight_.load(std::memory_order_relaxed);
  view.forwarded = forwarded_.load(std::memory_order_relaxed);
  view.confirmed = confirmed_.load(std::memory_order_relaxed);
  view.duplicates = duplicates_.load(std::memory_order_relaxed);
  view.loops = loops_.load(std::memory_order_relaxed);
  view.refused = refused_.load(std::memory_order_relaxed);
  view.attempts = attempts_.load(std::memory_order_relaxed);
  return view;
}

}  // namespace beltway::bridge
