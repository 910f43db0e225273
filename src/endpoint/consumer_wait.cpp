// Waiting for messages, asleep and in an event loop. See consumer_core.hpp.
#include "endpoint/consumer_core.hpp"

namespace beltway::detail {

void ConsumerCore::arm() noexcept {
  store_counters();
  if (at_prefetch_limit()) {
    // Not in the list: a waker must not choose an endpoint that may not lease. Whoever ends a message of ours rings us.
    waiter_.line().arm_unlisted();
    ends_.want_credit();
  } else {
    waiter_.line().arm(waiter_.symmetric());
  }
}

void ConsumerCore::hand_wake_on() noexcept {
  if (attachment_.kind != GroupKind::named) return;
  if (wake_one_of_group(attachment_.map, attachment_.group, attachment_.owner)) ++wakes_;
}

Status ConsumerCore::try_take(std::span<Message> out, std::size_t& count) {
  Status status = take(out, count);
  if (!waiter_.event_mode()) [[likely]]
    return status;
  if (status == Status::prefetch_limit) {
    // Not readable until a message of ours has ended.
    if (waiter_.silence()) hand_wake_on();
    waiter_.line().set_sleeps_on(k_sleeps_on_bell);
    waiter_.line().arm_unlisted();
    ends_.want_credit();
    if (!at_prefetch_limit() && ends_.want_credit_no_more()) waiter_.ring_self();
    return waiter_.take_interrupt() ? Status::interrupted : status;
  }
  const auto look = [&] { return (status = take(out, count)) != Status::empty; };
  // The wake was most likely for the message that we have. If there is another, its waker may have counted on us.
  const auto pass_on_the_rest = [&] {
    if (named_ != nullptr && (status != Status::ok || named_->has_ready())) hand_wake_on();
  };
  waiter_.after_try(status != Status::empty, look, [this] { arm(); }, pass_on_the_rest);
  return status == Status::empty && waiter_.take_interrupt() ? Status::interrupted : status;
}

Status ConsumerCore::wait_take(std::span<Message> out, std::size_t& count, const Until& until) {
  Status status = take(out, count);
  const auto nothing = [&] { return status == Status::empty || status == Status::prefetch_limit; };
  if (!nothing()) [[likely]]
    return status;
  const SingleUse<InlineReceiver> use(*this);
  const auto look = [&] {
    status = take(out, count);
    return !nothing();
  };
  const std::uint64_t slept_before = waiter_.sleeps();
  const Waiter::Ended ended = waiter_.wait(until, look, [this] { arm(); }, [this] { hand_wake_on(); });
  ends_.want_credit_no_more();
  // Who only spun has no time for it: arm() and every 64th message do.
  if (waiter_.sleeps() != slept_before) store_counters();
  if (ended == Waiter::Ended::stopped) return Status::stopped;
  if (ended == Waiter::Ended::interrupted) return Status::interrupted;
  if (ended == Waiter::Ended::found || status == Status::prefetch_limit) return status;
  return Status::timeout;
}

int ConsumerCore::poll_fd() {
  const SingleUse<InlineReceiver> use(*this);
  check_fork();
  if (private_ != nullptr) inline_size_limit_ = 0;  // of a group others may read it, who end messages
  quick_named_ = nullptr;
  return waiter_.enable_events("fd of a consumer of \"" + queue_name() + "\"");
}

}  // namespace beltway::detail
