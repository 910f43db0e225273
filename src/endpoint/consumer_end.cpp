// Ending messages, the end of the stream, and the end of a consumer that its last message brings. See consumer_core.hpp.
#include "endpoint/consumer_core.hpp"
#include "endpoint/overwriting.hpp"

#include <algorithm>
#include <cassert>
#include <string>

#include "base/tool_command.hpp"
#include "beltway/error.hpp"
#include "beltway/limits.hpp"

namespace beltway::endpoint {

void ConsumerCore::wake_for_room(ring::Position floor) noexcept {
  // From the notice word, not from our waiter: in another thread the waiter may not have read the notice yet.
  ring::publish_fence((ring::Notice::of(attachment_.memory.shared_status().notice.load_relaxed()).flags &
                       ring::k_notice_symmetric) != 0);
  if (attachment_.memory.shared_status().producer_sleepers.load_relaxed() == 0) [[likely]]
    return;
  wakes_ += ring::wake_for_room(attachment_.memory, floor);
}

bool ConsumerCore::end_private(ring::Position position) noexcept {
  // plant: thrown_out_is_told_it_was_its_own
  const bool ours = !is_evicted();  // else what it showed may be another message by now
  const bool last = is_private() ? held_count() == 1 : --copies_held_ == 0;
  if (is_private() && PrivateReader::release(position)) wake_for_room(floor());
  if (last && released_) [[unlikely]]
    delete this;
  return ours;
}

bool ConsumerCore::may_be_overwritten(const Message& message) noexcept {
  if (message.core_ == nullptr) return false;
  const auto& core = static_cast<const ConsumerCore&>(*message.core_);
  return core.named_ ? core.named_->ends_by_swap() : core.attachment_.evictable || !core.is_private();
}

bool may_be_overwritten(const Message& message) noexcept { return ConsumerCore::may_be_overwritten(message); }

bool ConsumerCore::give_back_at_once(const Message& message) noexcept {
  nacks_.fetch_add(1, std::memory_order_relaxed);
  const bool ours = named_->nack(message.position_, message.tries());
  if (ours && ring::wake_one_of_group(attachment_.memory, named_->group(), ring::k_no_owner)) ++wakes_;
  return ours;
}

bool ConsumerCore::fail(const Message& message, std::uint64_t delay_us) noexcept {
  const ring::Redelivery redelivery = named_->redelivery();
  if (redelivery.gives_up() && redelivery.max_deliveries != 0 && message.deliveries() >= redelivery.max_deliveries) {
    return fail_for_good(message, ring::FailReason::too_many_deliveries);
  }
  if (delay_us == Message::k_delay_of_group) delay_us = ring::retry_delay_us(redelivery, message.tries());
  if (delay_us == 0) return give_back_at_once(message);
  nacks_.fetch_add(1, std::memory_order_relaxed);
  const ring::NamedReader::Delayed delayed = named_->delay(message.position_, message.tries(), delay_us);
  // A consumer that fell asleep before does not know this time.
  // plant: nack_wakes_no_sleeper
  if (delayed == ring::NamedReader::Delayed::first_of_all &&
      ring::wake_one_of_group(attachment_.memory, named_->group(), ring::k_no_owner)) {
    ++wakes_;
  }
  return delayed != ring::NamedReader::Delayed::not_ours;
}

}  // namespace beltway::endpoint

namespace beltway::detail {

void InlineReceiver::wake_producers() noexcept { static_cast<endpoint::ConsumerCore*>(this)->wake_for_room(stored_); }

}  // namespace beltway::detail

namespace beltway::endpoint {

void ConsumerCore::detach() noexcept {
  if (!guard_.in_child()) {
    if (waiter_.silence()) hand_wake_on();
    hand_watch_on();
    closed_.store(true, std::memory_order_relaxed);
    store_counters();
  }
  if (!named_) {
    released_ = true;
    inline_size_limit_ = 0;
    if (copies_held_ == 0 && (!is_private() || held_count() == 0)) delete this;
    return;
  }
  // A child's copy leaks: the threads that end held messages are not there.
  if (!guard_.in_child() && ends_.close()) delete this;
}

bool ConsumerCore::had_producers() const noexcept {
  // Pairs with the daemon's release: a reader of the number sees the live bit that was set before.
  const std::uint64_t producers_ever = attachment_.memory.shared_status().producers_ever.load_acquire();
  if (end_of_stream_ == EndOfStream::drained) return producers_ever != 0;
  return producers_ever != producers_ended_;
}

}  // namespace beltway::endpoint

namespace beltway::detail {

void ConsumerCoreDeleter::operator()(InlineReceiver* core) const noexcept {
  static_cast<endpoint::ConsumerCore*>(core)->detach();
}

}  // namespace beltway::detail

namespace beltway {

std::size_t Message::end_run(std::span<const Message> run, End end, std::uint64_t delay_us) noexcept {
  auto& core = static_cast<endpoint::ConsumerCore&>(*run.front().core_);
  // In a forked child the messages are the parent's.
  if (core.guard_.in_child()) [[unlikely]]
    return 0;
  if (!core.named_) {
    assert(run.size() == 1);
    return core.end_private(run.front().position_) ? 1 : 0;
  }
  ring::NamedReader& named = *core.named_;
  const bool acks = end == End::ack || (end == End::dropped && core.ack_ == Ack::automatic);
  const bool at_once = end == End::dropped && core.closed_.load(std::memory_order_relaxed);
  const Message& last = run.back();
  std::size_t ours = 0;
  if (acks) {
    ours = named.ack_run(run, [](const Message& message) { return message.tries(); });
  } else {
    for (const Message& message : run) {
      const bool was_ours = end == End::reject ? core.fail_for_good(message, ring::FailReason::rejected)
                            : at_once          ? core.give_back_at_once(message)
                                               : core.fail(message, delay_us);
      ours += was_ours ? 1 : 0;
    }
  }
  const auto oldest = [run] {
    ring::Position first = run.front().position_;
    for (const Message& message : run) first = ring::distance(message.position_, first) < 0 ? message.position_ : first;
    return first;
  };
  // plant: acks_of_a_batch_move_no_floor
  const unsigned woken = named.after_ack(last.position_, oldest);
  core.count_ends(run.size(), woken);
  return ours;
}

bool Message::end_by_ack() noexcept {
  auto& core = static_cast<endpoint::ConsumerCore&>(*core_);
  if (!core.named_ || core.guard_.in_child()) [[unlikely]]
    return end_run({this, 1}, End::ack) != 0;
  const bool ours = core.named_->ack(position_, tries());
  core.count_ends(1, core.named_->after_ack(position_));
  return ours;
}

bool Message::nack() noexcept {
  if (core_ == nullptr) return false;
  const bool done = end_run({this, 1}, End::nack) != 0;
  forget();
  return done;
}

bool Message::nack(std::chrono::microseconds delay) {
  if (core_ == nullptr) return false;
  constexpr std::chrono::milliseconds k_longest(k_max_retry_delay_ms);
  if (delay.count() < 0 || delay > k_longest) {
    throw Error(Errc::invalid_option,
                "nack a message of \"" + static_cast<endpoint::ConsumerCore&>(*core_).queue_name() +
                    "\": the delay is " + std::to_string(delay.count()) + " us; it must be 0 to " +
                    std::to_string(std::chrono::microseconds(k_longest).count()));
  }
  const bool done = end_run({this, 1}, End::nack, static_cast<std::uint64_t>(delay.count())) != 0;
  forget();
  return done;
}

bool Message::reject() {
  if (core_ == nullptr) return false;
  const auto& core = static_cast<endpoint::ConsumerCore&>(*core_);
  if (core.named_ && !core.guard_.in_child() && !core.named_->redelivery().gives_up()) {
    const std::string queue = core.queue_name();
    const std::string group = core.group();
    nack();
    throw Error(Errc::misuse, "reject a message of \"" + queue + "\": group \"" + group +
                                  "\" does not say what to do with rejected messages; it was given back instead. Let "
                                  "the group drop them with \"" +
                                  tool_command("declare", {queue}, "--group " + group + ",discard=true") +
                                  "\", or keep them in another queue with \"" + group + ",dead-letter=QUEUE\"");
  }
  const bool done = end_run({this, 1}, End::reject) != 0;
  forget();
  return done;
}

bool Message::extend() noexcept {
  if (core_ == nullptr) return false;
  auto& core = static_cast<endpoint::ConsumerCore&>(*core_);
  if (!core.named_ || core.guard_.in_child()) return still_held();
  return core.named_->extend(position_, tries());
}

bool Message::still_held() const noexcept {
  if (core_ == nullptr) return false;
  const auto& core = static_cast<const endpoint::ConsumerCore&>(*core_);
  if (core.guard_.in_child()) return false;
  return core.named_ ? core.named_->is_ours(position_, tries()) : !core.is_evicted();
}

std::size_t ack_batch(std::span<Message> messages) noexcept {
  std::size_t ours = 0;
  while (!messages.empty()) {
    detail::InlineReceiver* const core = messages.front().core_;
    const auto another =
        std::ranges::find_if(messages, [core](const Message& message) { return message.core_ != core; });
    const std::span<Message> run = messages.first(static_cast<std::size_t>(another - messages.begin()));
    messages = messages.subspan(run.size());
    if (core == nullptr) continue;
    if (static_cast<endpoint::ConsumerCore*>(core)->named_) {
      ours += Message::end_run(run, Message::End::ack);
      for (Message& message : run) message.forget();
    } else {
      for (Message& message : run) ours += message.ack() ? 1 : 0;
    }
  }
  return ours;
}

void Message::release_message() noexcept {
  if (core_->inline_size_limit_ == 0 || !core_->try_release(position_)) end_run({this, 1}, End::dropped);
  core_ = nullptr;
}

}  // namespace beltway
