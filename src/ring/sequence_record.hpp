// The sequence record of a named producer: which sequence number it has committed last, and which one it is committing. So a
// producer that starts again under its name does not publish a message twice.
//
//   claim p; pending = (p, n); payload; READY(p); committed = n; pending = none
//
// A dead producer has committed n if its slot says so. A claim that is not READY stays CLAIMED, or unmarked, until the repair
// makes it VOID. So a slot that has gone on to a later lap was READY. settle() must therefore run before the repair.
//
// Thread safety: begin(), commit() and take_back() belong to the producer; settle() to the daemon, once no process has the
// record's producer any more. All values are a peer's: a producer that writes over a record spoils only what the record promises.
#pragma once

#include <cstdint>

#include "ring/queue_memory.hpp"

namespace beltway::ring {

/// After the claim of `position`, before its READY. `sequence`: not 0.
inline void begin_sequence(SequenceRecord& record, std::uint64_t sequence, Position position) noexcept {
  record.pending_position.store_relaxed(position);
  // Pairs with the acquire in settle_sequence(): the position is there. It comes before the READY, which is a release store.
  record.pending_sequence.store_release(sequence);
}
/// After READY.
inline void commit_sequence(SequenceRecord& record, std::uint64_t sequence) noexcept {
  // plant: sequence_is_cleared_before_it_is_committed
  record.committed.store_release(sequence);
  record.pending_sequence.store_release(0);
}
/// Before the claim becomes VOID: its message could not be written.
inline void take_back_sequence(SequenceRecord& record) noexcept { record.pending_sequence.store_release(0); }

/// Decides whether the dead producer of the record has committed its pending sequence. Call it before the repair. Safe to repeat.
void settle_sequence(const QueueMemory& memory, unsigned record) noexcept;

}  // namespace beltway::ring
