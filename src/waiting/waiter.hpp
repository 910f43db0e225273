// How one endpoint waits: spinning, then asleep on its wait word, and how its descriptor behaves in an event loop.
//
// A blocking call sleeps on a futex in every mode and needs no descriptor. The descriptors of event mode (EventSet) are made by
// the first call of fd().
//
// Event mode keeps one invariant: while the endpoint is not armed, the descriptor is readable. A try that finds nothing arms
// it (takes the edges, says ASLEEP, looks again); the waker's ring, or a try that finds something, makes it readable
// again. A ring of the shared bell while the wait word says ASLEEP was for a neighbour: the endpoint stays armed.
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
#include "ring/wake.hpp"

namespace beltway {

/// A wait looks again after this long even if nobody woke it: a last resort, counted as `rescued` if it found something.
inline constexpr std::uint64_t k_last_resort_ns = 1'000'000'000;

class Waiter {
 public:
  enum class Ended : std::uint8_t { found, timeout, stopped, interrupted };

  /// Its fences are symmetric if the board says so now; see set_symmetric().
  Waiter(const QueueMemory& map, unsigned owner, WaitStrategy strategy);
  ~Waiter();
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  /// Calls `look()` until it returns true, spinning and then asleep. `arm()` must call line().arm() with what the endpoint
  /// waits for, or line().arm_unlisted(). `pass_on()` is called when a wake was received that may have been meant for another.
  template <class LookFn, class ArmFn, class PassOnFn>
  Ended wait(const Until& until, LookFn&& look, ArmFn&& arm, PassOnFn&& pass_on);

  /// Event mode, after a try: `look` is tried again after arming. Returns the last result of `found` or look(). `pass_on()` is
  /// called when something was found and a wake was received: it may have been meant for more than that.
  template <class LookFn, class ArmFn, class PassOnFn>
  bool after_try(bool found, LookFn&& look, ArmFn&& arm, PassOnFn&& pass_on);

  /// Turns event mode on and returns the descriptor. `what`: operation and object, for errors. Throws Error(limit_reached,
  /// system).
  int enable_events(const std::string& what);
  [[nodiscard]] bool event_mode() const noexcept { return events_.load(std::memory_order_relaxed) != nullptr; }
  /// Leaves the armed state and takes the edges: the descriptor is not readable until ring_self(). True if SIGNALLED.
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

  /// After a system call that a signal ended: whether the wait is to end, too.
  [[nodiscard]] static bool ends_by_signal(const std::stop_token& stop) noexcept;

  [[nodiscard]] SleepWord& line() noexcept { return line_; }
  /// Worth a few quick looks before wait().
  [[nodiscard]] bool spins() const noexcept { return budget_ns_ != 0 && !event_mode(); }
  /// Of a look while spinning: it may be long ago that we looked last, and be long until the next time.
  [[nodiscard]] bool gave_way() const noexcept { return yielding_; }
  [[nodiscard]] bool symmetric() const noexcept { return symmetric_; }
  void set_symmetric(bool symmetric) noexcept { symmetric_ = symmetric; }

  [[nodiscard]] std::uint64_t sleeps() const noexcept { return sleeps_; }
  [[nodiscard]] std::uint64_t rescued() const noexcept { return rescued_; }
  [[nodiscard]] std::uint64_t needless() const noexcept { return needless_; }
  [[nodiscard]] std::uint64_t blocked_ns() const noexcept { return blocked_ns_; }

 private:
  static constexpr unsigned k_burst = 256;          // pauses before the clock is read for the first time
  static constexpr unsigned k_pauses_a_check = 64;  // pauses between two reads of the clock
  static constexpr std::uint64_t k_never = ~0ULL;
  static constexpr std::uint64_t k_preempted_ns = 50'000;  // two reads of the clock, which are 2 us apart
  static constexpr std::uint64_t k_shares_ns = 100'000'000;
  // A peer that scribbles on our wait word keeps us from sleeping: so many wakes for nothing, each sooner than a true one can
  // be on average, and we sleep without listening for a while.
  static constexpr unsigned k_false_alarms = 256;
  static constexpr std::uint64_t k_false_alarms_ns = k_false_alarms * std::uint64_t{10'000};
  static constexpr std::uint64_t k_nap_ns = 1'000'000;

  template <class LookFn>
  std::optional<Ended> spin(std::uint64_t until_ns, std::uint64_t deadline_ns, const std::stop_token& stop,
                            LookFn&& look);
  template <class LookFn, class ArmFn, class PassOnFn>
  Ended sleep(std::uint64_t deadline_ns, const std::stop_token& stop, LookFn&& look, ArmFn&& arm, PassOnFn&& pass_on);

  /// Lets others have the processor, if there are any.
  static void give_way() noexcept;
  static void pause(unsigned times) noexcept {
    for (; times > 0; --times) cpu_relax();
  }
  static std::uint64_t first_budget_of(WaitStrategy strategy) noexcept;
  static std::uint64_t deadline_of(const Until& until) noexcept;
  /// Adaptive: how long to spin next time, from how this wait ended and how long it was.
  void learn(Ended ended, bool slept, std::uint64_t waited_ns) noexcept;
  kernel::Slept sleep_until(std::uint64_t until_ns) noexcept;
  /// Throws Error(system): a descriptor that stays readable would keep an event loop busy for ever.
  EventSet::Edges take_edges() {
    const EventSet::Edges edges = events_.load(std::memory_order_relaxed)->take();
    if (edges.refused) [[unlikely]]
      throw_refused();
    return edges;
  }
  [[noreturn]] static void throw_refused();
  /// A wait that only the last resort ended: true unless a waker was just about to come.
  bool really_rescued() noexcept;
  /// After a wake for nothing.
  void note_false_alarm(std::uint64_t now) noexcept;
  void waits_no_more() noexcept {
    if (std::exchange(waits_, false)) line_.set_since(0);
  }

  const QueueMemory map_;
  const unsigned owner_;
  bool symmetric_;
  std::atomic<EventSet*> events_ = nullptr;  // ours; event mode only
  std::atomic<bool> interrupted_ = false;
  SleepWord line_;
  const unsigned most_pauses_;  // between two looks
  const bool adaptive_;
  bool waits_ = false;       // event mode: the last try found nothing
  std::uint64_t budget_ns_;  // how long to spin before sleeping; 0: not at all
  // When the clock was read last: who finds something while spinning does not read it again.
  std::uint64_t spun_until_ns_ = 0;
  std::uint64_t shares_until_ns_ = 0;  // others use our processor: until then spinning gives way to them
  bool yielding_ = false;
  std::uint64_t sleeps_ = 0;
  std::uint64_t rescued_ = 0;
  std::uint64_t needless_ = 0;
  std::uint64_t blocked_ns_ = 0;
  unsigned false_alarms_ = 0;
  std::uint64_t false_alarms_since_ns_ = 0;
};

template <class LookFn, class ArmFn, class PassOnFn>
Waiter::Ended Waiter::wait(const Until& until, LookFn&& look, ArmFn&& arm, PassOnFn&& pass_on) {
  // A try in event mode may have left us armed: whoever spins is not to be woken. What woke us may be for another.
  const bool owed = line_.armed() && line_.disarm();
  line_.set_sleeps_on(k_sleeps_on_futex);
  waits_no_more();
  yielding_ = false;
  if (budget_ns_ != 0) {
    for (unsigned paused = 0, pauses = 1; paused < k_burst;
         paused += pauses, pauses = std::min(2 * pauses, most_pauses_)) {
      if (look()) {
        if (event_mode()) ring_self();
        return Ended::found;
      }
      pause(pauses);
    }
  }
  const std::uint64_t start = kernel::now_ns();
  spun_until_ns_ = start;
  line_.set_since(start);
  const std::uint64_t deadline = deadline_of(until);
  std::optional<Ended> ended;
  if (budget_ns_ != 0) {
    const std::uint64_t spin_until_ns = budget_ns_ == k_never ? k_never : start + budget_ns_;
    ended = spin(spin_until_ns, deadline, until.stop(), look);
  }
  const bool sleeps = !ended;
  if (sleeps) {
    ended = sleep(deadline, until.stop(), look, arm, pass_on);
    spun_until_ns_ = kernel::now_ns();
  }
  learn(*ended, sleeps, spun_until_ns_ - start);
  blocked_ns_ += spun_until_ns_ - start;
  line_.set_since(0);
  if (owed && *ended != Ended::found) pass_on();
  if (event_mode()) ring_self();  // however it ended: we are not armed
  return *ended;
}

template <class LookFn>
std::optional<Waiter::Ended> Waiter::spin(std::uint64_t until_ns, std::uint64_t deadline_ns,
                                          const std::stop_token& stop, LookFn&& look) {
  for (;;) {
    for (unsigned paused = 0; paused < k_pauses_a_check; paused += most_pauses_) {
      if (look()) return Ended::found;
      pause(most_pauses_);
    }
    if (stop.stop_requested()) return Ended::stopped;
    if (take_interrupt()) return Ended::interrupted;
    const std::uint64_t now = kernel::now_ns();
    // Somebody else had our processor meanwhile, and he may be the one for whom we wait.
    if (now - spun_until_ns_ > k_preempted_ns) shares_until_ns_ = now + k_shares_ns;
    spun_until_ns_ = now;
    if (now >= deadline_ns) return Ended::timeout;
    if (now >= until_ns) return std::nullopt;
    yielding_ = now < shares_until_ns_;
    if (yielding_) [[unlikely]]
      give_way();
  }
}

template <class LookFn, class ArmFn, class PassOnFn>
Waiter::Ended Waiter::sleep(std::uint64_t deadline_ns, const std::stop_token& stop, LookFn&& look, ArmFn&& arm,
                            PassOnFn&& pass_on) {
  const auto ring = [this] { ring_self(); };
  std::optional<std::stop_callback<decltype(ring)>> on_stop;
  if (stop.stop_possible()) on_stop.emplace(stop, ring);
  for (;;) {
    arm();
    if (look()) {
      if (line_.disarm()) pass_on();  // we have ours already: that wake was meant for another message
      return Ended::found;
    }
    std::uint64_t now = kernel::now_ns();
    bool woken = true;
    bool interrupted = take_interrupt();
    std::uint64_t patience = 0;
    if (now < deadline_ns && !stop.stop_requested() && !interrupted) {
      patience = deadline_ns - now < k_last_resort_ns ? deadline_ns - now : k_last_resort_ns;
      ++sleeps_;
      const kernel::Slept slept = sleep_until(now + patience);
      woken = slept != kernel::Slept::timed_out;
      interrupted = slept == kernel::Slept::interrupted && ends_by_signal(stop);
    }
    const bool last_resort = !woken && patience == k_last_resort_ns;
    if (last_resort && look()) {
      if (really_rescued()) ++rescued_;
      if (line_.disarm()) pass_on();
      return Ended::found;
    }
    const bool listed = line_.listed();
    const bool signalled = line_.disarm();
    if (look()) return Ended::found;
    now = kernel::now_ns();
    interrupted = take_interrupt() || interrupted;
    if (interrupted || stop.stop_requested() || now >= deadline_ns) {
      // What woke us may be there for another: a message that a claim before it still hides, or one we may not lease.
      if (signalled) pass_on();
      if (stop.stop_requested()) return Ended::stopped;
      return interrupted ? Ended::interrupted : Ended::timeout;
    }
    if (signalled && !listed) pass_on();  // the waker saw us in the list of an earlier sleep
    if (woken) note_false_alarm(now);
  }
}

template <class LookFn, class ArmFn, class PassOnFn>
bool Waiter::after_try(bool found, LookFn&& look, ArmFn&& arm, PassOnFn&& pass_on) {
  if (!found && line_.armed() && !line_.called()) {
    const EventSet::Edges edges = take_edges();
    // In this order: a waker changes the word first and rings then. So a ring that we have taken was for us only if the word
    // has changed by now, and whoever changes it later rings again.
    if (!edges.self && !line_.called()) {
      if (edges.bell) ++needless_;
      return false;
    }
  }
  if (!found) {
    const bool called = line_.called();
    if (line_.armed()) line_.disarm();
    take_edges();
    line_.set_sleeps_on(k_sleeps_on_bell);
    if (!std::exchange(waits_, true)) line_.set_since(kernel::now_ns());
    arm();
    found = look();
    if (!found) {
      ++sleeps_;
      if (called) ++needless_;
      return false;
    }
  }
  waits_no_more();
  if (!line_.armed()) return true;
  // Who SIGNALLED has rung since we armed, and nobody has taken that edge: we are readable without ringing ourselves.
  if (line_.disarm()) {
    pass_on();
  } else {
    ring_self();
  }
  return true;
}

}  // namespace beltway
