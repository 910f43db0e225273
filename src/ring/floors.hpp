// Floors: the first position that each group still needs, and the tail they are measured against. A producer that finds a ring
// empty or full, goes to sleep or repairs, helps the floors of named groups on.
//
// Thread safety: all functions work on shared memory and may run in any number of processes at once. None of them
// trusts what it reads: a scribbled word gives a wrong number, never a wrong address or an endless loop.
#pragma once

#include "ring/queue_memory.hpp"
#include "ring/tuning.hpp"

namespace beltway::ring {

/// The full position of a tail word: the slot it points at shows the position of the lap before, or its own.
[[nodiscard]] inline Position tail_position(const QueueMemory& memory, Tail tail) noexcept {
  const SlotState slot = SlotState::of(memory.slot(tail.position).state.load_relaxed());
  // plant: tail_is_not_widened
  return widen<Tail::bits>(tail.position, slot.position);
}
/// The tail of a ring of one producer, which stores it nowhere: the position behind the last message, found by a binary search
/// over the slots. It was the tail at some moment of the search. An open claim is not seen.
[[nodiscard]] Position search_tail(const QueueMemory& memory) noexcept;
/// The next position to be claimed, as of now.
[[nodiscard]] inline Position load_tail(const QueueMemory& memory) noexcept {
  if (memory.geometry.single_producer()) return search_tail(memory);
  return tail_position(memory, Tail::of(memory.tail().load_acquire()));
}

/// The lowest floor of all groups that hold producers back, or `tail` if that is lower or there is none. `tail` must have
/// been read before: a group that joins meanwhile starts there or later, and is never overrun.
[[nodiscard]] Position lowest_floor(const QueueMemory& memory, Position tail) noexcept;

/// True if the group will never need `p` again: its lease word is DONE, or the slot is VOID or RECLAIMED and not leased.
[[nodiscard]] bool is_finished(const QueueMemory& memory, unsigned group, Position p) noexcept;

/// Moves a named group's floor over positions that are finished or parked. True if it moved.
bool help_floor(const QueueMemory& memory, unsigned group) noexcept;

/// Helps every named group; true if one moved.
bool help_floors(const QueueMemory& memory) noexcept;

}  // namespace beltway::ring
