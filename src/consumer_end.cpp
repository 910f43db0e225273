// Ending messages, and the end of a consumer that the last of them brings. See consumer_core.hpp.
#include "consumer_core.hpp"

namespace beltway {

namespace detail {

void ConsumerCore::wake_for_room(Position floor) noexcept {
  // From the board, not from our waiter: this may be another thread than the consumer's, and the news may not have come there.
  publish_fence((Notice::of(attachment_.map.board().notice.load_relaxed()).flags & k_notice_symmetric) != 0);
  if (attachment_.map.board().producer_sleepers.load_relaxed() == 0) [[likely]]
    return;
  wakes_ += beltway::wake_for_room(attachment_.map, floor);
}

bool ConsumerCore::end_private(Position position) noexcept {
  const bool ours = !is_evicted();  // else what it showed may be another message by now
  const bool last = private_ != nullptr ? private_->held() == 1 : --copies_held_ == 0;
  if (private_ != nullptr && private_->let_go(position)) wake_for_room(private_->floor());
  if (last && released_) [[unlikely]]
    delete this;
  return ours;
}

bool ConsumerCore::end_named(NamedReader& reader, const Message& message, End end) noexcept {
  const QueueMap& map = attachment_.map;
  bool ours = false;
  if (end == End::ack || (end == End::dropped && ack_ == Ack::automatic)) {
    ours = reader.ack(message.position_, message.tries_);
  } else {
    nacks_.fetch_add(1, std::memory_order_relaxed);
    ours = reader.nack(message.position_, message.tries_);
    if (ours && wake_one_of_group(map, reader.group(), k_no_owner)) ++wakes_;
  }
  if (reader.settle(message.position_)) wake_for_room(reader.floor());
  // With no producer left, the last acknowledgement is the end of the stream: whoever sleeps must look.
  if (map.board().live_producers.load_relaxed() == 0) wakes_ += wake_all_of_group(map, reader.group());
  if (count_end()) [[unlikely]]
    delete this;
  return ours;
}

bool ConsumerCore::count_end() noexcept {
  std::int64_t seen = ends_.load(std::memory_order_acquire);  // pairs with release(): leased_ is read then
  for (;;) {
    if ((seen & k_wants_credit) != 0) [[unlikely]] {
      // Rung before the end is counted, since nothing of ours may be touched after it. Who is awake before it is counted, and
      // still finds no credit, says that it wants it again: then the swap below fails, and the bell is rung again.
      if (want_credit_no_more()) waiter_.ring_self();
      seen = ends_.load(std::memory_order_acquire);
      continue;
    }
    endpoint_.counters[5].store_relaxed(ended(seen) + 1 - nacks_.load(std::memory_order_relaxed));
    if (ends_.compare_exchange_weak(seen, seen - k_one_end)) return seen == k_one_end;
  }
}

void QuickRead::tell_of_room() noexcept { static_cast<ConsumerCore*>(this)->wake_for_room(stored_); }

bool ConsumerCore::end_message(const Message& message, End end) noexcept {
  // In a forked child the message is the parent's.
  if (guard_.in_child()) [[unlikely]]
    return false;
  if (private_ != nullptr) [[likely]]
    return end_private(message.position_);
  if (auto* const named = std::get_if<NamedReader>(&reader_)) return end_named(*named, message, end);
  return end_private(message.position_);
}

void ConsumerCore::release() noexcept {
  if (!guard_.in_child()) {
    if (waiter_.silence()) pass_on();
    store_counters();
  }
  if (!std::holds_alternative<NamedReader>(reader_)) {
    released_ = true;
    quick_end_ = 0;
    if (copies_held_ == 0 && (private_ == nullptr || private_->held() == 0)) delete this;
    return;
  }
  // From now on it counts what is held: whoever brings it to 0 is the last.
  want_credit_no_more();
  const std::int64_t leased = static_cast<std::int64_t>(leased_) * k_one_end;
  if (ends_.fetch_add(leased) + leased == 0) delete this;
}

void ConsumerCoreDeleter::operator()(QuickRead* core) const noexcept { static_cast<ConsumerCore*>(core)->release(); }

}  // namespace detail

namespace {

bool end_message(detail::QuickRead* core, const Message& message, detail::ConsumerCore::End end) noexcept {
  return static_cast<detail::ConsumerCore*>(core)->end_message(message, end);
}

}  // namespace

bool Message::ack_slowly() noexcept { return end_message(core_, *this, detail::ConsumerCore::End::ack); }

bool Message::nack() noexcept {
  if (core_ == nullptr) return false;
  const bool done = end_message(std::exchange(core_, nullptr), *this, detail::ConsumerCore::End::nack);
  data_ = nullptr;
  size_ = 0;
  return done;
}

void Message::let_go() noexcept {
  detail::QuickRead* const core = std::exchange(core_, nullptr);
  if (!core->let_go_now(position_)) end_message(core, *this, detail::ConsumerCore::End::dropped);
}

}  // namespace beltway
