// See counters.hpp.
#include "ring/counters.hpp"

#include <algorithm>

#include "ring/slot_view.hpp"

namespace beltway::ring {

namespace {

/// The messages in the slots of [from, to), and their bytes.
[[nodiscard]] Published count_in_slots(const QueueMemory& memory, Position from, Position to) noexcept {
  Published counted;
  // A peer may write any position.
  const std::int64_t positions = std::min<std::int64_t>(distance(to, from), memory.geometry.slots);
  for (std::int64_t i = 0; i < positions; ++i) {
    const Position position = wrap(to - static_cast<Position>(positions - i));
    const SlotState state = SlotState::of(memory.slot(position).state.load_acquire());
    const bool is_over = state.phase == SlotPhase::reclaimed;
    if (state.position != position || (state.phase != SlotPhase::ready && !is_over)) continue;
    SlotView view;
    ++counted.messages;
    // The properties of a message that is over may be gone, and with them their length.
    const bool makes_sense = !is_over && view_slot(memory, state, view);
    counted.bytes += makes_sense ? view.size : SlotMeta::of(memory.slot(position).meta.load_relaxed()).size;
  }
  return counted;
}

}  // namespace

Published load_published(const QueueMemory& memory, unsigned producer, Position tail) noexcept {
  if (!memory.geometry.single_producer()) {
    const Word* const words = memory.endpoint(producer).counters;
    return {words[0].load_relaxed(), words[1].load_relaxed()};
  }
  const RingHead& head = memory.ring_head();
  Published published;
  for (unsigned attempt = 0; attempt < k_attempts; ++attempt) {
    // The producer stores both words of the pair at once, or the bytes first. If it has stored them again meanwhile, it may have
    // overwritten slots that were to be counted.
    const Position counted = wrap(head.counted[0].load_acquire());
    const std::uint64_t bytes = head.counted[1].load_relaxed();
    const Position not_messages = wrap(head.not_messages.load_relaxed());
    published = count_in_slots(memory, counted, tail);
    published.messages += wrap(counted - not_messages);
    published.bytes += bytes;
    acquire_fence();
    if (wrap(head.counted[0].load_relaxed()) == counted) break;
    tail = load_tail(memory);
  }
  return published;
}

void reset_published(const QueueMemory& memory) noexcept {
  if (!memory.geometry.single_producer()) return;
  const Position tail = load_tail(memory);
  memory.ring_head().counted[1].store_relaxed(0);
  memory.ring_head().not_messages.store_relaxed(tail);
  memory.ring_head().counted[0].store_release(tail);
}

}  // namespace beltway::ring
