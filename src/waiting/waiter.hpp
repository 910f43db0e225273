// How one endpoint waits: the wait ladder of blocking calls, and how its descriptor behaves in an event loop.
//
// The wait ladder (climb()) has these rungs. A rung is taken only if the rung before it found nothing:
//   1. back-off:         a consumer that outruns a stream pauses for a moment (StreamBackoff)
//   2. speculative spin: polls of the next position alone, without clock or counters (speculative_spin.hpp)
//   -  one try
//   3. paced spin:       tries with pauses between them, and now and then a read of clock, stop and interrupt
//   4. sleep:            on the wait word, until a peer wakes us, or until a delayed message is due that this endpoint watches
// SpinPolicy says which rungs an endpoint takes.
//
// A blocking call sleeps on a futex in every mode and needs no descriptor. The first call of poll_fd() makes the descriptors of
// event mode (EventSet).
//
// Invariant of event mode: an endpoint that is not armed has a readable descriptor. A try that finds nothing arms the endpoint:
// it takes the edges, stores ASLEEP and tries again. A ring, a due time, or a try that finds something makes it readable. If
// the bell rings while our word is ASLEEP, the ring was for a neighbour: the endpoint stays armed.
//
// Thread safety: belongs to its endpoint's thread; ring_self() may be called from any thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "beltway/options.hpp"
#include "beltway/until.hpp"
#include "os/event_set.hpp"
#include "ring/tuning.hpp"
#include "ring/wake.hpp"
#include "waiting/spin_policy.hpp"

namespace beltway::waiting {

class Waiter {
 public:
  enum class Ended : std::uint8_t { found, timeout, stopped, interrupted };

  /// Rungs of the ladder: where to begin, and where to end.
  enum class Rung : std::uint8_t { back_off, speculative_spin, try_once, paced_spin, sleep };

  /// A time that never comes.
  static constexpr std::uint64_t k_never = ~0ULL;

  /// Its fences are symmetric if the shared status says so now; see set_symmetric().
  Waiter(const ring::QueueMemory& memory, unsigned owner, const SpinPolicy& policy);
  Waiter(const ring::QueueMemory& memory, unsigned owner, WaitStrategy strategy)
      : Waiter(memory, owner, SpinPolicy{.strategy = strategy}) {}
  ~Waiter();
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  /// Climbs the wait ladder from `first` to `last` until something is found. With the last rung `speculative_spin` it returns
  /// Ended::timeout after a moment, without checking `until`. `steps` has these functions:
  /// - back_off() pauses if the consumer outruns a stream. Returns whether it paused.
  /// - poll_next(paused) is true if the next message came while it polled.
  /// - poll() is a whole try. True if the wait is over.
  /// - arm() calls line().arm() with what the endpoint waits for, or line().arm_unlisted().
  /// - watch() comes after arm() and a poll that found nothing. Returns when the endpoint must try again, in ns of
  ///   CLOCK_MONOTONIC, or k_never.
  /// - found_by_time() is true if the last poll found what time alone has made ready: no wake was lost.
  /// - hand_wake_on() hands a wake on that this endpoint does not need.
  template <class Steps>
  Ended climb(const Until& until, Rung first, Rung last, Steps& steps);

  /// The last two rungs alone, for endpoints without the others.
  template <class PollFn, class ArmFn, class HandOnFn>
  Ended wait(const Until& until, PollFn&& poll, ArmFn&& arm, HandOnFn&& hand_wake_on);

  /// Event mode: call it after each try. If `found` is false it arms and calls `poll` once more. Returns the last result. It
  /// calls `hand_wake_on()` if something was found and a wake came: the wake may be for another endpoint. `watch`: as in climb().
  template <class PollFn, class ArmFn, class WatchFn, class HandOnFn>
  bool after_try(bool found, PollFn&& poll, ArmFn&& arm, WatchFn&& watch, HandOnFn&& hand_wake_on);

  /// Turns event mode on and returns the descriptor. `timer`: needed for a `watch` that returns times. `context`: operation and
  /// object, for errors. Throws Error(limit_reached, system).
  int enable_events(os::EventSet::Timer timer, const std::string& context);
  /// Takes over the descriptor of `from`, in event mode, whose endpoint ends. It is readable afterwards. Throws Error(system):
  /// then `from` keeps it.
  void take_events(Waiter& from, const std::string& context);
  [[nodiscard]] bool event_mode() const noexcept { return events_.load(std::memory_order_relaxed) != nullptr; }
  /// Disarms and takes the edges: the descriptor is not readable until ring_self(). True if the word was SIGNALLED.
  bool silence() noexcept;
  /// Ends the sleep of a blocking call, and makes the descriptor readable. Async-signal-safe.
  void ring_self() const noexcept;
  /// Ends the present wait, or the next one, once. From any thread. Async-signal-safe.
  void interrupt() noexcept {
    interrupted_.store(true, std::memory_order_release);
    ring_self();
  }
  /// True once after interrupt().
  [[nodiscard]] bool take_interrupt() noexcept {
    return interrupted_.load(std::memory_order_acquire) && interrupted_.exchange(false, std::memory_order_acq_rel);
  }

  /// After a signal interrupted a system call: whether the wait must end, too.
  [[nodiscard]] static bool ends_by_signal(const std::stop_token& stop) noexcept;

  [[nodiscard]] ring::SleepWord& line() noexcept { return line_; }
  /// True if this endpoint spins before it sleeps.
  [[nodiscard]] bool spins() const noexcept { return budget_ns_ != 0 && !event_mode(); }
  /// True if the spinner yields between polls. Then polls are rare, and each one should scan everything.
  [[nodiscard]] bool is_yielding() const noexcept { return yielding_; }
  [[nodiscard]] const SpinPolicy& policy() const noexcept { return policy_; }
  [[nodiscard]] bool symmetric() const noexcept { return symmetric_; }
  void set_symmetric(bool symmetric) noexcept { symmetric_ = symmetric; }

  [[nodiscard]] std::uint64_t sleeps() const noexcept { return sleeps_; }
  [[nodiscard]] std::uint64_t rescued() const noexcept { return rescued_; }
  [[nodiscard]] std::uint64_t needless() const noexcept { return needless_; }
  [[nodiscard]] std::uint64_t blocked_ns() const noexcept { return blocked_ns_; }

 private:
  /// Times of a wait that has started to count.
  struct Start {
    std::uint64_t ns;
    std::uint64_t deadline_ns;
  };
  /// Disarms an endpoint that a try in event mode has armed: a spinning endpoint needs no wake. True if a wake came, which may
  /// be for another.
  bool begin() noexcept;
  /// The wait starts to count: stores since when the endpoint waits, and reads the clock.
  Start start(const Until& until) noexcept;
  Ended finish(const Start& start, Ended ended, bool slept) noexcept;
  template <class PollFn>
  bool spin_without_clock(PollFn&& poll);
  template <class PollFn>
  std::optional<Ended> spin(const Start& start, const std::stop_token& stop, PollFn&& poll);
  template <class Steps>
  Ended sleep(std::uint64_t deadline_ns, const std::stop_token& stop, Steps& steps);
  /// How one sleep ended.
  struct Nap {
    bool woken = true;
    bool interrupted = false;
    bool last_resort = false;  // no wake came for k_last_resort_ns
  };
  /// Requires an armed endpoint whose last try found nothing. Sleeps once, at most until `until_ns`, unless the wait is over
  /// already.
  Nap sleep_once(std::uint64_t until_ns, const std::stop_token& stop) noexcept;

  static void pause(unsigned times) noexcept {
    for (; times > 0; --times) detail::cpu_relax();
  }
  [[nodiscard]] static std::uint64_t first_budget_of(WaitStrategy strategy) noexcept;
  [[nodiscard]] static std::uint64_t deadline_of(const Until& until) noexcept;
  /// Adaptive: how long to spin next time, from how this wait ended and how long it was.
  void learn(Ended ended, bool slept, std::uint64_t waited_ns) noexcept;
  os::Slept sleep_until(std::uint64_t until_ns) noexcept;
  /// Throws Error(system): a descriptor that stays readable would keep an event loop busy for ever.
  os::EventSet::Edges take_edges() {
    const os::EventSet::Edges edges = events_.load(std::memory_order_relaxed)->take();
    if (edges.refused) [[unlikely]]
      throw_refused();
    return edges;
  }
  [[noreturn]] static void throw_refused();
  /// After a sleep that k_last_resort_ns ended, and a try that found something: true if a wake was lost. False if a waker comes
  /// late, or if the wake went to another endpoint that this one outran. `others`: sequences_if_others_sleep() before the try.
  bool was_rescued(std::optional<std::uint64_t> others) noexcept;
  /// Counts a wake after which the endpoint found nothing.
  void note_false_alarm(std::uint64_t now) noexcept;
  void waits_no_more() noexcept {
    if (std::exchange(waits_, false)) line_.set_since(0);
  }

  const ring::QueueMemory memory_;
  const unsigned owner_;
  bool symmetric_;
  std::atomic<os::EventSet*> events_ = nullptr;  // ours; event mode only
  std::atomic<bool> interrupted_ = false;
  ring::SleepWord line_;
  const SpinPolicy policy_;
  const unsigned most_pauses_;  // between two polls
  bool waits_ = false;          // event mode: the last try found nothing
  std::uint64_t budget_ns_;     // how long to spin before sleeping; 0: not at all
  // The last clock reading, used again if spinning finds something.
  std::uint64_t spun_until_ns_ = 0;
  std::uint64_t shares_until_ns_ = 0;  // other threads use our processor: spinning yields until then
  bool yielding_ = false;
  std::uint64_t sleeps_ = 0;
  std::uint64_t rescued_ = 0;
  std::uint64_t needless_ = 0;
  std::uint64_t blocked_ns_ = 0;
  unsigned false_alarms_ = 0;
  std::uint64_t false_alarms_since_ns_ = 0;
};

template <class Steps>
[[gnu::always_inline]] inline Waiter::Ended Waiter::climb(const Until& until, Rung first, Rung last, Steps& steps) {
  const auto poll = [&steps] { return steps.poll(); };
  if (first <= Rung::speculative_spin && spins()) {
    const bool paused = first == Rung::back_off && policy_.backoff && steps.back_off();
    if (last >= Rung::speculative_spin && steps.poll_next(paused)) return Ended::found;
  }
  if (last <= Rung::speculative_spin) return Ended::timeout;
  if (first <= Rung::try_once && steps.poll()) return Ended::found;
  const bool owed = begin();
  if (budget_ns_ != 0 && spin_without_clock(poll)) {
    if (event_mode()) ring_self();
    return Ended::found;
  }
  const Start start = this->start(until);
  std::optional<Ended> ended;
  if (budget_ns_ != 0) ended = spin(start, until.stop(), poll);
  const bool sleeps = !ended;
  if (sleeps) ended = sleep(start.deadline_ns, until.stop(), steps);
  if (owed && *ended != Ended::found) steps.hand_wake_on();
  return finish(start, *ended, sleeps);
}

template <class PollFn, class ArmFn, class HandOnFn>
Waiter::Ended Waiter::wait(const Until& until, PollFn&& poll, ArmFn&& arm, HandOnFn&& hand_wake_on) {
  struct Steps {
    PollFn& poll;
    ArmFn& arm;
    HandOnFn& hand_wake_on;
    static bool back_off() noexcept { return false; }
    static bool poll_next(bool /*paused*/) noexcept { return false; }
    static std::uint64_t watch() noexcept { return k_never; }
    static bool found_by_time() noexcept { return false; }
  } steps{poll, arm, hand_wake_on};
  return climb(until, Rung::paced_spin, Rung::sleep, steps);
}

template <class PollFn>
bool Waiter::spin_without_clock(PollFn&& poll) {
  for (unsigned paused = 0, pauses = 1; paused < ring::k_pauses_before_clock;
       paused += pauses, pauses = std::min(2 * pauses, most_pauses_)) {
    if (poll()) return true;
    pause(pauses);
  }
  return false;
}

template <class PollFn>
std::optional<Waiter::Ended> Waiter::spin(const Start& start, const std::stop_token& stop, PollFn&& poll) {
  const std::uint64_t until_ns = budget_ns_ == k_never ? k_never : start.ns + budget_ns_;
  for (;;) {
    for (unsigned paused = 0; paused < ring::k_pauses_per_clock_read; paused += most_pauses_) {
      if (poll()) return Ended::found;
      pause(most_pauses_);
    }
    if (stop.stop_requested()) return Ended::stopped;
    if (take_interrupt()) return Ended::interrupted;
    const std::uint64_t now = policy_.now_ns();
    // Another thread had our processor meanwhile, and we may be waiting for that thread.
    if (now - spun_until_ns_ > ring::k_preempted_ns) shares_until_ns_ = now + ring::k_yielding_ns;
    spun_until_ns_ = now;
    if (now >= start.deadline_ns) return Ended::timeout;
    if (now >= until_ns) return std::nullopt;
    yielding_ = now < shares_until_ns_;
    if (yielding_) [[unlikely]]
      os::give_way();
  }
}

template <class Steps>
Waiter::Ended Waiter::sleep(std::uint64_t deadline_ns, const std::stop_token& stop, Steps& steps) {
  const auto ring = [this] { ring_self(); };
  std::optional<std::stop_callback<decltype(ring)>> on_stop;
  if (stop.stop_possible()) on_stop.emplace(stop, ring);
  for (;;) {
    steps.arm();
    if (steps.poll()) {
      if (line_.disarm()) steps.hand_wake_on();  // we have a message already: the wake was for another one
      return Ended::found;
    }
    // plant: sleeps_past_the_due_time
    const std::uint64_t due_ns = steps.watch();
    Nap nap = sleep_once(std::min(deadline_ns, due_ns), stop);
    if (nap.last_resort) [[unlikely]] {
      const std::optional<std::uint64_t> others = ring::sequences_if_others_sleep(memory_, owner_);
      if (steps.poll()) {
        if (!steps.found_by_time() && was_rescued(others)) ++rescued_;
        if (line_.disarm()) steps.hand_wake_on();
        return Ended::found;
      }
    }
    const bool listed = line_.listed();
    const bool signalled = line_.disarm();
    if (steps.poll()) return Ended::found;
    const std::uint64_t now = policy_.now_ns();
    nap.interrupted = take_interrupt() || nap.interrupted;
    if (nap.interrupted || stop.stop_requested() || now >= deadline_ns) {
      // The wake may be for another consumer: our message may lie behind an unfinished claim, or we may not lease it.
      if (signalled) steps.hand_wake_on();
      if (stop.stop_requested()) return Ended::stopped;
      return nap.interrupted ? Ended::interrupted : Ended::timeout;
    }
    // plant: a_late_wake_is_kept
    if (signalled && !listed) steps.hand_wake_on();  // the waker saw us in the list of an earlier sleep
    if (nap.woken) note_false_alarm(now);
  }
}

template <class PollFn, class ArmFn, class WatchFn, class HandOnFn>
bool Waiter::after_try(bool found, PollFn&& poll, ArmFn&& arm, WatchFn&& watch, HandOnFn&& hand_wake_on) {
  if (!found && line_.armed() && !line_.called()) {
    const os::EventSet::Edges edges = take_edges();
    // Read the edges first, then the word: a waker changes the word before it rings. If the word is unchanged, the ring was not
    // for us; a later waker rings again.
    // plant: every_ring_is_a_neighbours
    if (!edges.self && !edges.timer && !line_.called()) {
      if (edges.bell) ++needless_;
      return false;
    }
  }
  if (!found) {
    const bool called = line_.called();
    if (line_.armed()) line_.disarm();
    take_edges();
    line_.set_sleeps_on(ring::k_sleeps_on_bell);
    if (!std::exchange(waits_, true)) line_.set_since(policy_.now_ns());
    arm();
    found = poll();
    if (!found) {
      const std::uint64_t due_ns = watch();
      events_.load(std::memory_order_relaxed)->set_timer(due_ns == k_never ? 0 : due_ns);
      ++sleeps_;
      if (called) ++needless_;
      return false;
    }
  }
  waits_no_more();
  if (!line_.armed()) return true;
  // A waker that stored SIGNALLED has rung, and no call took that edge. So the descriptor is readable already.
  if (line_.disarm()) {
    hand_wake_on();
  } else {
    ring_self();
  }
  return true;
}

}  // namespace beltway::waiting
