// Messages that are given up: rejected ones, and those that a consumer must not deliver any more. See consumer_core.hpp.
#include "endpoint/consumer_core.hpp"
#include "ring/tuning.hpp"

namespace beltway::endpoint {

bool ConsumerCore::give_up(const ring::SlotView& view, ring::FailReason reason) noexcept {
  if (reason == ring::FailReason::expired) return expire(view);
  if (!named_->discard(view.position, view.tries)) return false;
  // At once: a message that is dropped must not vanish from the counts.
  words_.discarded.store_relaxed(named_->discarded());
  return true;
}

bool ConsumerCore::reject(const Message& message) noexcept {
  nacks_.fetch_add(1, std::memory_order_relaxed);
  return give_up(view_of(message), ring::FailReason::rejected);
}

void ConsumerCore::end_put_aside() noexcept {
  ring::NamedReader& reader = *named_;
  for (const ring::PutAside& entry : reader.put_aside()) {
    if (give_up(entry.view, entry.reason)) wakes_ += reader.after_ack(entry.view.position);
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
