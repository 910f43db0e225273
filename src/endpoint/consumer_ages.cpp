// How old messages are at their delivery, and which are too old for it. See consumer_core.hpp and ring/stamps.hpp.
#include "endpoint/consumer_core.hpp"

namespace beltway::endpoint {

bool ConsumerCore::is_too_old(ring::Position position, std::uint64_t now_us) const noexcept {
  if (ttl_us_ == 0) return false;
  const std::uint64_t stamp_us = ring::load_stamp(attachment_.memory, position);
  return stamp_us != 0 && ring::age_us(stamp_us, now_us) > ttl_us_;
}

std::size_t ConsumerCore::pass_over_old(std::span<ring::SlotView> views) noexcept {
  const std::uint64_t now_us = stamp_clock_us();
  std::size_t kept = 0;
  for (const ring::SlotView& view : views) {
    if (is_too_old(view.position, now_us)) {
      if (give_up(view, ring::FailReason::expired, view.tries)) wakes_ += named_->after_ack(view.position);
      continue;
    }
    count_age(ring::load_stamp(attachment_.memory, view.position), now_us);
    views[kept++] = view;
  }
  if (kept != views.size()) store_counters();
  return kept;
}

bool ConsumerCore::expire(const ring::SlotView& view) noexcept {
  if (!named_->ack(view.position, view.tries)) return false;
  ++counters_.expired;
  return true;
}

void ConsumerCore::count_age(std::uint64_t stamp_us, std::uint64_t now_us) noexcept {
  if (stamp_us == 0) return;
  ring::count_age(attachment_.memory.age_histogram(index()), ring::age_us(stamp_us, now_us));
}

void ConsumerCore::count_passed_over(ring::ReadResult result) noexcept {
  ++(result == ring::ReadResult::expired ? counters_.expired : counters_.corrupt);
  store_counters();
}

std::uint64_t ConsumerCore::stamp_of(const Message& message) const noexcept {
  if (guard_.in_child()) return 0;
  if (lossy_) return ring::LossyReader::stamp_of(message.data_ - message.properties_bytes());
  return ring::load_stamp(attachment_.memory, message.position_);
}

}  // namespace beltway::endpoint

namespace beltway {

std::uint64_t Message::stamp_us() const noexcept {
  return core_ == nullptr ? 0 : static_cast<endpoint::ConsumerCore&>(*core_).stamp_of(*this);
}

std::optional<std::chrono::microseconds> Message::age() const noexcept {
  const std::uint64_t stamp = stamp_us();
  if (stamp == 0) return std::nullopt;
  return std::chrono::microseconds(ring::age_us(stamp, ring::stamp_clock_us(Stamps::fine)));
}

std::optional<PublishTime> Message::published_at() const noexcept {
  const std::uint64_t stamp = stamp_us();
  if (stamp == 0) return std::nullopt;
  const auto& core = static_cast<endpoint::ConsumerCore&>(*core_);
  return PublishTime(std::chrono::microseconds(ring::published_us(core.attachment_.memory, stamp)));
}

}  // namespace beltway
