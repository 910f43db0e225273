// See sequence_record.hpp.
#include "ring/sequence_record.hpp"

#include <algorithm>

namespace beltway::ring {

void settle_sequence(const QueueMemory& memory, unsigned index) noexcept {
  SequenceRecord& record = memory.sequence_record(index);
  const std::uint64_t sequence = record.pending_sequence.load_acquire();
  if (sequence == 0) return;
  const Position position = wrap(record.pending_position.load_relaxed());
  const SlotState slot = SlotState::of(memory.slot(position).state.load_acquire());
  const std::int64_t ahead = distance(slot.position, position);
  const bool finished = slot.phase == SlotPhase::ready || slot.phase == SlotPhase::reclaimed;
  // plant: settle_believes_every_claim
  const bool committed = ahead > 0 || (ahead == 0 && finished);
  if (committed) record.committed.store_release(std::max(record.committed.load_relaxed(), sequence));
  record.pending_sequence.store_release(0);
}

}  // namespace beltway::ring
