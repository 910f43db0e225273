// See waiter.hpp.
#include "waiting/waiter.hpp"

#include <sched.h>

#include <algorithm>

#include "os/fd.hpp"
#include "waiting/stop_state.hpp"

namespace beltway::waiting {

namespace {

/// On one processor, a spinner keeps its peer from running. A process that is pinned to one processor may be alone there.
bool has_several_processors() noexcept {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  return ::sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) > 1;
}

}  // namespace

Waiter::Waiter(const ring::QueueMemory& memory, unsigned owner, const SpinPolicy& policy)
    : memory_(memory),
      owner_(owner),
      symmetric_((ring::Notice::of(memory.shared_status().notice.load_acquire()).flags & ring::k_notice_symmetric) !=
                 0),
      line_(memory, owner),
      policy_(policy),
      most_pauses_(owner < ring::k_first_consumer ? ring::k_producer_pauses : 1),
      budget_ns_(first_budget_of(policy.strategy)) {}

Waiter::~Waiter() { delete events_.load(std::memory_order_relaxed); }

void Waiter::ring_self() const noexcept {
  line_.rouse_self();
  if (const os::EventSet* const events = events_.load(std::memory_order_acquire)) events->ring();
}

int Waiter::enable_events(os::EventSet::Timer timer, const std::string& context) {
  if (!event_mode()) {
    events_.store(new os::EventSet(memory_.bell(owner_), timer, context), std::memory_order_release);
    ring_self();
  }
  return events_.load(std::memory_order_relaxed)->descriptor();
}

void Waiter::take_events(Waiter& from, const std::string& context) {
  os::EventSet* const events = from.events_.load(std::memory_order_relaxed);
  events->listen_to(memory_.bell(owner_), context);
  from.events_.store(nullptr, std::memory_order_relaxed);
  events_.store(events, std::memory_order_release);
  ring_self();
}

bool Waiter::silence() noexcept {
  const bool signalled = line_.armed() && line_.disarm();
  waits_no_more();
  if (const os::EventSet* const events = events_.load(std::memory_order_relaxed)) events->take();
  return signalled;
}

std::uint64_t Waiter::first_budget_of(WaitStrategy strategy) noexcept {
  switch (strategy) {
    case WaitStrategy::spin: return k_never;
    case WaitStrategy::sleep: return 0;
    case WaitStrategy::adaptive: break;
  }
  return has_several_processors() ? ring::k_first_budget_ns : ring::k_min_budget_ns;
}

std::uint64_t Waiter::deadline_of(const Until& until) noexcept {
  if (!until.deadline()) return k_never;
  const auto since_boot = until.deadline()->time_since_epoch();
  const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(since_boot).count();
  return ns < 0 ? 0 : static_cast<std::uint64_t>(ns);
}

void Waiter::learn(Ended ended, bool slept, std::uint64_t waited_ns) noexcept {
  if (policy_.strategy != WaitStrategy::adaptive) return;
  if (waited_ns >= ring::k_short_wait_ns) {
    // Spinning did not pay: less of it, and in the end none, since an endpoint that is woken now and then should not spin each
    // time.
    budget_ns_ = budget_ns_ < 2 * ring::k_min_budget_ns ? 0 : budget_ns_ / 2;
  } else if (ended == Ended::found && slept && budget_ns_ == ring::k_max_budget_ns) {
    // In vain, and then it came at once: the other one may have waited for our processor.
    budget_ns_ = 0;
  } else if (ended == Ended::found) {
    // It paid, or would have paid had it gone on for longer.
    budget_ns_ = std::min(ring::k_max_budget_ns, std::max(2 * budget_ns_, ring::k_min_budget_ns));
  }
}

void Waiter::throw_refused() {
  throw os::system_failure(
      "try in event mode: epoll_pwait; do not close the descriptor of poll_fd(), and let a sandbox allow epoll_pwait");
}

bool Waiter::begin() noexcept {
  const bool owed = line_.armed() && line_.disarm();
  line_.set_sleeps_on(ring::k_sleeps_on_futex);
  waits_no_more();
  yielding_ = false;
  return owed;
}

Waiter::Start Waiter::start(const Until& until) noexcept {
  spun_until_ns_ = policy_.now_ns();
  line_.set_since(spun_until_ns_);
  return {.ns = spun_until_ns_, .deadline_ns = deadline_of(until)};
}

Waiter::Ended Waiter::finish(const Start& start, Ended ended, bool slept) noexcept {
  if (slept) spun_until_ns_ = policy_.now_ns();
  learn(ended, slept, spun_until_ns_ - start.ns);
  blocked_ns_ += spun_until_ns_ - start.ns;
  line_.set_since(0);
  if (event_mode()) ring_self();  // however it ended: we are not armed
  return ended;
}

Waiter::Nap Waiter::sleep_once(std::uint64_t until_ns, const std::stop_token& stop) noexcept {
  const std::uint64_t now = policy_.now_ns();
  Nap nap{.interrupted = take_interrupt()};
  if (now >= until_ns || stop.stop_requested() || nap.interrupted) return nap;
  const std::uint64_t patience = std::min(until_ns - now, ring::k_last_resort_ns);
  ++sleeps_;
  const os::Slept slept = sleep_until(now + patience);
  nap.woken = slept != os::Slept::timed_out;
  nap.interrupted = slept == os::Slept::interrupted && ends_by_signal(stop);
  nap.last_resort = !nap.woken && patience == ring::k_last_resort_ns;
  return nap;
}

os::Slept Waiter::sleep_until(std::uint64_t until_ns) noexcept {
  const os::Slept slept = line_.sleep(until_ns);
  // A sandbox that was closed after the attach: better late than never.
  if (slept == os::Slept::refused) os::nap(ring::k_nap_ns);
  return slept;
}

bool Waiter::ends_by_signal(const std::stop_token& stop) noexcept {
  // A caller that gives a stop token says how the wait is to end.
  if (stop.stop_possible() || !os::wants_interrupted_calls()) return false;
  // The caller is about to read the token of stop_on().
  for (unsigned i = 0; i < ring::k_stop_naps && stop_is_coming.load(std::memory_order_acquire); ++i) {
    os::nap(ring::k_nap_ns);
  }
  return true;
}

bool Waiter::was_rescued(std::optional<std::uint64_t> others) noexcept {
  // A waker may be between its message and our wait word: give it time.
  for (unsigned i = 0; i < ring::k_late_waker_naps; ++i) {
    // A wake may be with another endpoint, which has not tried yet.
    if (!others || ring::sequences_if_others_sleep(memory_, owner_) != others) return false;
    if (line_.called() || sleep_until(policy_.now_ns() + ring::k_nap_ns) != os::Slept::timed_out) return false;
  }
  return true;
}

void Waiter::note_false_alarm(std::uint64_t now) noexcept {
  ++needless_;
  if (++false_alarms_ < ring::k_false_alarms) return;
  if (now - false_alarms_since_ns_ < ring::k_false_alarms * ring::k_false_alarm_ns) os::nap(ring::k_nap_ns);
  false_alarms_ = 0;
  false_alarms_since_ns_ = now;
}

}  // namespace beltway::waiting
