#include "bridge/route_state.hpp"

#include <algorithm>

namespace beltway::bridge {

namespace {

constexpr std::size_t k_states = 6;
constexpr std::size_t k_events = 6;

/// The next state, by state and event. README.md shows the same table, and a test compares both.
constexpr std::array<std::array<RouteState, k_events>, k_states> k_next = [] {
  using enum RouteState;
  return std::array<std::array<RouteState, k_events>, k_states>{{
      // opened  blocked       unblocked     lost          refused stop
      {running, starting, starting, reconnecting, failed, stopped},          // starting
      {running, blocked, running, reconnecting, failed, stopped},            // running
      {blocked, blocked, running, reconnecting, failed, stopped},            // blocked
      {running, reconnecting, reconnecting, reconnecting, failed, stopped},  // reconnecting
      {running, failed, failed, reconnecting, failed, stopped},              // failed
      {stopped, stopped, stopped, stopped, stopped, stopped},                // stopped
  }};
}();

/// More doublings than any pause has.
constexpr unsigned k_most_doublings = 30;

}  // namespace

bool RouteMachine::take(RouteEvent event) {
  const RouteState before = state_;
  state_ = k_next[static_cast<std::size_t>(before)][static_cast<std::size_t>(event)];
  if (event == RouteEvent::lost && state_ == RouteState::reconnecting)
    losses_ = std::min(losses_ + 1, k_most_doublings);
  return state_ != before;
}

std::chrono::milliseconds RouteMachine::pause() {
  std::int64_t whole = 0;
  if (state_ == RouteState::failed) whole = pauses_.failed.count();
  if (state_ == RouteState::reconnecting) {
    whole = std::min<std::int64_t>(pauses_.first.count() << (losses_ == 0 ? 0 : losses_ - 1), pauses_.longest.count());
  }
  if (whole == 0) return std::chrono::milliseconds(0);
  std::uniform_int_distribution<std::int64_t> part(whole - whole / 2, whole);
  return std::chrono::milliseconds(part(random_));
}

}  // namespace beltway::bridge
