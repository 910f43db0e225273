// See event_follower.hpp.
#include "tool/commands/event_follower.hpp"

#include <utility>

#include "tool/process/interrupt.hpp"

namespace beltway::tool {

namespace {

/// Between two questions while nothing happens: an operator sees an event within a blink, and a hundred followers cost the daemon
/// a few hundred short answers in a second.
constexpr std::chrono::milliseconds k_pause{300};

}  // namespace

EventFollower::EventFollower(Connection connection, std::uint64_t since, Sinks sinks, std::stop_token stop)
    : connection_(std::move(connection)), next_(since), sinks_(std::move(sinks)), stop_(std::move(stop)) {}

bool EventFollower::check_order(const EventPage& page) {
  const bool is_new = journal_ && *journal_ != page.journal;
  if (is_new) {
    sinks_.note("another daemon has begun anew: events from #" + std::to_string(next_) +
                " on that were not shown yet are lost; the next ones count from #1");
  }
  const bool first_page = !std::exchange(journal_, page.journal).has_value();
  if (is_new) {
    next_ = 0;
    return false;
  }
  if (!first_page && page.first > next_) {
    sinks_.note("events #" + std::to_string(next_) + " to #" + std::to_string(page.first - 1) +
                " are lost: the daemon remembers the last " + std::to_string(k_max_events));
  }
  return true;
}

bool EventFollower::pass_on(const EventPage& page) {
  bool wanted = true;
  for (const Event& event : page.events) {
    wanted = sinks_.event(event);
    if (!wanted) break;
  }
  sinks_.flush();
  next_ = page.next;
  return wanted;
}

bool EventFollower::read_all() {
  while (!stop_.stop_requested()) {
    const EventPage page = connection_.events(next_);
    if (!check_order(page)) continue;
    if (!pass_on(page)) return false;
    if (!page.more) break;
  }
  return true;
}

void EventFollower::follow() {
  bool is_gone = false;
  while (!stop_.stop_requested()) {
    try {
      if (!read_all()) return;
      if (std::exchange(is_gone, false)) sinks_.note("the daemon answers again");
    } catch (const Error& error) {
      if (error.reason() != Errc::no_daemon) throw;
      if (!std::exchange(is_gone, true)) sinks_.note("the daemon does not answer; waiting for it");
    }
    if (!sleep_until(std::chrono::steady_clock::now() + k_pause, stop_)) return;
  }
}

}  // namespace beltway::tool
