// Waiting for messages, asleep and in an event loop. See consumer_core.hpp.
#include "endpoint/consumer_core.hpp"
#include "ring/tuning.hpp"

namespace beltway::endpoint {

void ConsumerCore::arm() noexcept {
  store_counters();
  if (at_prefetch_limit()) {
    // Not in the list: a waker must not choose an endpoint that may not lease. The thread that ends a message of ours rings us.
    // plant: in_the_list_at_the_limit
    waiter_.line().arm_unlisted();
    ends_.want_credit();
  } else {
    waiter_.line().arm(waiter_.symmetric());
  }
}

void ConsumerCore::hand_wake_on() noexcept {
  // plant: no_passing_on
  if (attachment_.kind != ring::GroupKind::named) return;
  if (ring::wake_one_of_group(attachment_.memory, attachment_.group, attachment_.owner)) ++wakes_;
}

std::uint64_t ConsumerCore::watch() noexcept {
  if (!named_ || !waiter_.line().listed() || !named_->is_active()) return waiting::Waiter::k_never;
  const std::uint64_t due_us = named_->first_due_us();
  // Not if another one watches: each time would end the sleep of all.
  if (due_us == 0 || !ring::needs_watcher(attachment_.memory, attachment_.group, attachment_.owner)) {
    return waiting::Waiter::k_never;
  }
  waiter_.line().watch(due_us);
  // Also for a time that no step can have set, so that the next try sets it right.
  constexpr std::uint64_t k_at_once = 1;
  return named_->has_work_by_time(ring::now_us()) ? k_at_once : due_us * 1000;
}

void ConsumerCore::hand_watch_on() noexcept {
  // plant: watch_is_not_handed_on
  if (!named_ || attachment_.memory.shared_status().consumer_sleepers.load_relaxed() == 0) return;
  if (ring::needs_watcher(attachment_.memory, attachment_.group, attachment_.owner)) hand_wake_on();
}

Status ConsumerCore::try_take(std::span<Message> out, std::size_t& count) {
  Status status = take(out, count);
  if (!waiter_.event_mode()) [[likely]]
    return status;
  if (status == Status::prefetch_limit) {
    // Not readable until a message of ours has ended.
    if (waiter_.silence()) hand_wake_on();
    waiter_.line().set_sleeps_on(ring::k_sleeps_on_bell);
    waiter_.line().arm_unlisted();
    ends_.want_credit();
    if (!at_prefetch_limit() && ends_.want_credit_no_more()) waiter_.ring_self();
    return waiter_.take_interrupt() ? Status::interrupted : status;
  }
  const auto poll = [&] { return (status = take(out, count)) != Status::empty; };
  // The wake was most likely for the message that we have. If there is another, its waker may have counted on us.
  const auto hand_surplus_wake_on = [&] {
    if (named_ && (status != Status::ok || named_->may_have_more())) hand_wake_on();
  };
  waiter_.after_try(status != Status::empty, poll, [this] { arm(); }, [this] { return watch(); }, hand_surplus_wake_on);
  if (status != Status::empty) hand_watch_on();
  return status == Status::empty && waiter_.take_interrupt() ? Status::interrupted : status;
}

bool ConsumerCore::back_off(const ring::BackoffLimit& limit) noexcept {
  if (!has_caught_up()) return false;
  const ring::Position read = ring::wrap(words_.messages.load_relaxed());  // of a group's messages only its own
  const std::uint64_t bytes = words_.bytes.load_relaxed();
  if (!stream_backoff_.may_wait(read, bytes)) return false;
  const std::uint64_t now = waiter_.policy().now_ns();
  const std::uint64_t wait_ns = stream_backoff_.wait_ns(read, bytes, now, limit);
  while (wait_ns != 0 && waiter_.policy().now_ns() - now < wait_ns) detail::cpu_relax();
  return wait_ns != 0;
}

/// The rungs of the wait ladder of a consumer that takes one message at a time, or a batch.
struct ConsumerCore::Steps {
  ConsumerCore& core;
  std::span<Message> out;
  std::size_t& count;
  const bool in_batches = false;
  Status status = Status::empty;
  /// What poll_next() has leased, instead of a message in `out`: a message that is made and then moved is read wider than it was
  /// written, and the processor waits for that.
  ring::SlotView view{};
  bool has_view = false;

  bool back_off() noexcept {
    return core.back_off(in_batches ? ring::k_backoff_in_batches : ring::k_backoff_one_by_one);
  }
  bool poll_next(bool paused) noexcept {
    if (in_batches) return false;
    if (core.inline_size_limit_ != 0) return core.poll_position(paused);
    if (core.fast_named_reader_ == nullptr) return false;
    for (unsigned polls = ring::k_early_polls; polls != 0; --polls) {
      if (core.try_lease_next(view)) {
        has_view = true;
        status = Status::ok;
        return true;
      }
      if (core.fast_named_reader_->must_walk()) return false;
      detail::poll_gap();
    }
    return false;
  }
  bool poll() {
    status = core.take(out, count);
    return status != Status::empty && status != Status::prefetch_limit;
  }
  void arm() noexcept { core.arm(); }
  std::uint64_t watch() noexcept { return core.watch(); }
  [[nodiscard]] bool found_by_time() const noexcept { return core.named_ && core.named_->found_delayed(); }
  void hand_wake_on() noexcept { core.hand_wake_on(); }
};

bool ConsumerCore::poll_position(bool paused) noexcept {
  const std::uint64_t wanted = ring::SlotState{read_, 0, ring::SlotPhase::ready}.word();
  // A speculative spin begins to read what a stream's producer is writing. It pays for messages that come now and then.
  waiting::SpinFn* const spin = paused ? &waiting::plain_spin : waiter_.policy().spin;
  return spin(slot_->state, ~ring::SlotState::k_owner_mask, wanted, ring::k_early_polls);
}

bool ConsumerCore::await_next() noexcept {
  if (inline_size_limit_ == 0 || guard_.in_child()) return false;
  std::size_t count = 0;
  Steps steps{*this, {}, count};
  return waiter_.climb({}, waiting::Waiter::Rung::back_off, waiting::Waiter::Rung::speculative_spin, steps) ==
         waiting::Waiter::Ended::found;
}

Result<Message> ConsumerCore::receive(const Until& until) {
  check_fork();
  ring::SlotView view;
  if (try_next(view)) return received(view);
  Message message;
  std::size_t count = 0;
  // With a private group await_next() has been on the first rungs.
  const waiting::Waiter::Rung first =
      inline_size_limit_ != 0 ? waiting::Waiter::Rung::try_once : waiting::Waiter::Rung::back_off;
  Steps steps{*this, {&message, 1}, count};
  const Status status = wait_take(until, first, steps);
  if (status != Status::ok) return status;
  if (steps.has_view) return received(steps.view);
  return message;
}

Result<std::size_t> ConsumerCore::receive_batch(std::span<Message> out, const Until& until) {
  const detail::SingleUse<InlineReceiver> use(*this);
  check_fork();
  release_all(out);
  if (until.stop().stop_requested()) return Status::stopped;
  std::size_t count = 0;
  Steps steps{*this, out, count, true};
  const Status status = wait_take(until, waiting::Waiter::Rung::back_off, steps);
  last_batch_partial_ = count < out.size() && !at_prefetch_limit();
  if (status != Status::ok) return status;
  return count;
}

Status ConsumerCore::wait_take(const Until& until, waiting::Waiter::Rung first, Steps& steps) {
  const detail::SingleUse<InlineReceiver> use(*this);
  const std::uint64_t slept_before = waiter_.sleeps();
  const waiting::Waiter::Ended ended = waiter_.climb(until, first, waiting::Waiter::Rung::sleep, steps);
  ends_.want_credit_no_more();
  hand_watch_on();
  // A consumer that only spun has no time for it: arm() and every 64th message do.
  if (waiter_.sleeps() != slept_before) store_counters();
  if (ended == waiting::Waiter::Ended::stopped) return Status::stopped;
  if (ended == waiting::Waiter::Ended::interrupted) return Status::interrupted;
  if (ended == waiting::Waiter::Ended::found || steps.status == Status::prefetch_limit) return steps.status;
  return Status::timeout;
}

int ConsumerCore::poll_fd() {
  const detail::SingleUse<InlineReceiver> use(*this);
  check_fork();
  const int fd = waiter_.enable_events(named_ ? os::EventSet::Timer::one : os::EventSet::Timer::none,
                                       "poll_fd of a consumer of \"" + queue_name() + "\"");
  choose_path();
  return fd;
}

}  // namespace beltway::endpoint
