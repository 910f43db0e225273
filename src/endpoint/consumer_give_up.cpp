// Messages that are given up: rejected ones, and those that a consumer must not deliver any more. See consumer_core.hpp.
#include <algorithm>

#include "endpoint/consumer_core.hpp"
#include "ring/redelivery.hpp"
#include "ring/tuning.hpp"

namespace beltway::endpoint {

bool ConsumerCore::give_up(const ring::SlotView& view, ring::FailReason reason, unsigned deliveries) noexcept {
  if (named_->redelivery().dead_letters) return move_away(view, reason, deliveries);
  if (reason == ring::FailReason::expired) return expire(view);
  if (!named_->discard(view.position, view.tries)) return false;
  // At once: a message that is dropped must not vanish from the counts.
  words_.discarded.store_relaxed(named_->discarded());
  return true;
}

bool ConsumerCore::move_away(const ring::SlotView& view, ring::FailReason reason, unsigned deliveries) noexcept {
  if (!named_->is_ours(view.position, view.tries)) return false;
  const DeadLetter letter{.reason = reason_of(reason),
                          .deliveries = deliveries,
                          .position = view.position,
                          .queue = queue_name(),
                          .group = group()};
  DeadLetters* const way = attachment_.dead_letters.get();
  // plant: done_before_it_is_moved
  const Move moved = way == nullptr ? Move::not_now : way->move(view, letter, *named_);
  if (moved == Move::not_ours) return false;
  // plant: not_moved_is_dropped
  if (moved == Move::done) {
    move_delay_us_.store(0, std::memory_order_relaxed);
    // plant: moved_and_not_done
    const bool was_ours = named_->ack(view.position, view.tries);
    if (reason == ring::FailReason::expired) ++counters_.expired;
    words_.dead_lettered.store_relaxed(dead_lettered_.fetch_add(1, std::memory_order_relaxed) + 1);
    return was_ours;
  }
  failed_moves_.fetch_add(1, std::memory_order_relaxed);
  const auto delayed = named_->delay_move(view.position, view.tries, deliveries, next_move_delay_us(), reason);
  // plant: failed_move_wakes_no_sleeper
  if (delayed == ring::NamedReader::Delayed::first_of_all &&
      ring::wake_one_of_group(attachment_.memory, named_->group(), ring::k_no_owner)) {
    ++wakes_;
  }
  return delayed != ring::NamedReader::Delayed::not_ours;
}

std::uint64_t ConsumerCore::next_move_delay_us() noexcept {
  // Doubled once in each time that it lasts, and not by each of many messages that fail together.
  const std::uint64_t now = ring::now_us();
  const std::uint64_t delay = move_delay_us_.load(std::memory_order_relaxed);
  if (delay != 0 && now - move_failed_us_.load(std::memory_order_relaxed) < delay) return delay;
  const std::uint64_t next =
      delay == 0 ? ring::k_dead_letter_retry_us : std::min(2 * delay, ring::k_dead_letter_retry_max_us);
  move_delay_us_.store(next, std::memory_order_relaxed);
  move_failed_us_.store(now, std::memory_order_relaxed);
  return next;
}

bool ConsumerCore::fail_for_good(const Message& message, ring::FailReason reason) noexcept {
  nacks_.fetch_add(1, std::memory_order_relaxed);
  return give_up(view_of(message), reason, message.deliveries());
}

void ConsumerCore::end_put_aside() noexcept {
  ring::NamedReader& reader = *named_;
  for (const ring::PutAside& entry : reader.put_aside()) {
    if (give_up(entry.view, entry.reason, entry.view.tries)) wakes_ += reader.after_ack(entry.view.position);
  }
  reader.forget_put_aside();
  store_counters();
}

ring::ReadResult ConsumerCore::read_past_put_aside(std::span<ring::SlotView> views, std::size_t& leased,
                                                   ring::ReadResult result) noexcept {
  // So often that all messages of a ring can be given up. A peer may write lease words without end.
  for (std::size_t i = 0; i <= attachment_.memory.geometry.slots / ring::k_put_aside_batch; ++i) {
    const bool ended_early = named_->is_put_aside_full();
    end_put_aside();
    if (leased != 0 || !ended_early) return result;
    result = named_->lease(views.data(), views.size(), leased, counters_.corrupt);
    if (named_->put_aside().empty()) return result;
  }
  end_put_aside();
  return leased != 0 ? result : ring::ReadResult::again;
}

}  // namespace beltway::endpoint
