// See reattachment.hpp.
#include "endpoint/reattachment.hpp"

#include <utility>

#include "beltway/error.hpp"
#include "endpoint/consumer_core.hpp"
#include "os/kernel.hpp"

namespace beltway::endpoint {

Status Reattachment::go_on(CorePointer& core) {
  auto& old = static_cast<ConsumerCore&>(*core);
  Attachment attachment;
  try {
    attachment = attach_();
  } catch (const Error& error) {
    if (error.reason() == Errc::not_found || error.reason() == Errc::removed) return Status::removed;
    throw;
  }
  CorePointer next(ConsumerCore::successor(old, std::move(attachment), options_));
  core_.store(static_cast<ConsumerCore*>(next.get()));
  // A thread that interrupts may have loaded the old core before.
  while (interrupting_.load() != 0) os::give_way();
  static_cast<ConsumerCore&>(*next).take_interrupt_of(old);
  core = std::move(next);  // and detaches the old one
  ++count_;
  return Status::ok;
}

void Reattachment::interrupt() noexcept {
  interrupting_.fetch_add(1);
  core_.load()->interrupt();
  interrupting_.fetch_sub(1);
}

void ConsumerCore::take_interrupt_of(ConsumerCore& old) noexcept {
  if (old.waiter_.take_interrupt()) waiter_.interrupt();
}

ConsumerCore* ConsumerCore::successor(ConsumerCore& old, Attachment attachment, const ConsumerOptions& options) {
  attachment.producers_ended = old.producers_ended_;
  ring::Position lost = 0;
  if (old.is_private() && attachment.kind == ring::GroupKind::private_reliable) {
    const std::int64_t behind = ring::distance(attachment.start, old.read());
    if (behind < 0) attachment.start = old.read();
    lost = behind > 0 ? static_cast<ring::Position>(behind) : 0;
  }
  std::unique_ptr<ConsumerCore, detail::ConsumerCoreDeleter> next(
      new ConsumerCore(std::move(attachment), options, old.waiter_.policy()));
  if (next->is_private()) {
    next->lost_before_ = lost;
    next->is_after_gap_ = true;
    next->choose_path();
    if (next->restore_floor()) next->wake_for_room(next->floor());  // the daemon gave it the oldest position
  }
  if (old.waiter_.event_mode()) {
    next->waiter_.take_events(old.waiter_, "attach a consumer of \"" + next->queue_name() + "\" again");
    next->choose_path();
  }
  return next.release();
}

ring::ReadResult ConsumerCore::read_after_gap(std::span<Message> out, std::size_t& count) noexcept {
  const std::size_t before = count;
  const ring::ReadResult result = (this->*plain_read_)(out, count);
  if (count == before) return result;
  out[before].lost_ = lost_before_;
  counters_.lost += lost_before_;
  is_after_gap_ = false;
  choose_path();
  return result;
}

}  // namespace beltway::endpoint
