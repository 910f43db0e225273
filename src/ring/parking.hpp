// Parked messages: a message of a named group that is held for long does not hold the ring.
//
//   LEASED(p, c, t)  -> PARKED(p, c, t)          park(): the consumer holds the message as before
//   DELAYED(p, c, t) -> PARKED_DELAYED(p, c, t)  park(): the message waits for its retry as before
//
// The floor may pass a parked message. Its slot keeps meta and payload, and its lane keeps the bytes. Only the state of the slot
// goes on: a claimer that reaches the slot in a later lap makes that position VOID and touches nothing else. So no byte moves
// while a consumer reads it. The lease word alone says whether a slot is parked. Who moves a floor over a parked message marks
// the slot before (ParkedSlots), so producers look at the lease words of marked slots alone.
//
// A message is parked only if a producer needs room, and room is gained by it. Also, no message near the floor waits for a
// consumer (k_park_window), or a producer has waited for k_park_patience_ns. READY messages and RETRY words are never parked: a
// group without workers holds the ring.
//
// Thread safety: all functions work on shared memory and may run in any number of processes at once. None of them trusts
// what it reads.
#pragma once

#include <cstdint>
#include <optional>

#include "ring/queue_memory.hpp"
#include "ring/slot_view.hpp"

namespace beltway::ring {

// -- who parks --------------------------------------------------------------------------------------------------

/// Before a floor moves over `positions` from `first` on: marks the slots of those that are parked. False if peers kept changing
/// the marks: then the floor must not move.
[[nodiscard]] bool mark_parked(const QueueMemory& memory, unsigned group, Position first,
                               std::uint32_t positions) noexcept;

/// True if `slots` more may be parked: see geometry.max_parked.
[[nodiscard]] bool may_park_more(const QueueMemory& memory, std::uint32_t slots) noexcept;

/// Parks the held messages at the group's floor, if finished positions lie behind them, and moves the floor. `patient`: only
/// if no message near the floor waits for a consumer. True if the floor moved.
bool park_at_floor(const QueueMemory& memory, unsigned group, bool patient) noexcept;
/// Does so for each named group that holds producers back.
bool park_at_floors(const QueueMemory& memory, bool patient) noexcept;

/// For a consumer that has helped its group's floor while a producer sleeps: parks what holds that floor. `patient` unless a
/// sleeping producer has waited for k_park_patience_ns. In a group that keeps only its newest messages: drops what is in the way.
/// True if the floor moved.
bool park_for_sleepers(const QueueMemory& memory, unsigned group) noexcept;

/// Marks the slots of the parked messages that the group's floor has passed, where a peer wrote over the marks. True if one was
/// missing.
bool restore_marks(const QueueMemory& memory, unsigned group) noexcept;

// -- who goes around --------------------------------------------------------------------------------------------

/// `parked_slots`, here and below: the ParkedSlots words of a queue. False: no slot was ever marked, so none is parked. Who marks
/// the first one raises the version of the first word before. No version is 0 again.
[[nodiscard]] inline bool was_any_marked(const Word* parked_slots) noexcept {
  return ParkedSlots::of(parked_slots->load_acquire()).version != 0;
}
/// False: no floor has passed a message that is parked in this slot now. True: look at the lease words.
[[nodiscard]] inline bool is_marked(const Word* parked_slots, std::uint64_t slot) noexcept {
  const std::uint32_t slots = ParkedSlots::of(parked_slots[slot / ParkedSlots::k_slots].load_acquire()).slots;
  return (slots >> slot % ParkedSlots::k_slots & 1) != 0;
}
[[nodiscard]] bool is_any_marked(const QueueMemory& memory) noexcept;

/// True if the lease word of a named group that holds producers back says that the slot of `position` is parked, for any lap.
[[nodiscard]] bool is_slot_parked(const QueueMemory& memory, Position position) noexcept;
/// True if such a word says so of `position` itself.
[[nodiscard]] bool is_position_parked(const QueueMemory& memory, Position position) noexcept;

/// The position that is parked in slot `index`; nothing if the slot is not parked.
[[nodiscard]] std::optional<Position> parked_position(const QueueMemory& memory, std::uint64_t index) noexcept;

/// The first position from `from` on, before `limit`, whose slot is parked; `limit` if there is none. Requires that floors have
/// passed what the slots held before. Clears the marks of slots that are parked no more.
[[nodiscard]] Position first_parked(const QueueMemory& memory, Position from, Position limit) noexcept;

/// Slots that producers go around.
[[nodiscard]] std::uint32_t count_parked(const QueueMemory& memory) noexcept;

// -- the end of a parked lease ----------------------------------------------------------------------------------

/// Ends PARKED(position, owner, tries): the message is done. False if the word says something else. Wakes the producers that wait
/// for that.
bool ack_parked(const QueueMemory& memory, unsigned group, Lease lease, Position position) noexcept;
/// Gives it back, one try more, due at `due_us` (0: at once).
bool nack_parked(const QueueMemory& memory, unsigned group, Lease lease, Position position,
                 std::uint64_t due_us) noexcept;
/// Makes a parked message DONE whose lease word is `seen`. True if it did.
bool end_parked(const QueueMemory& memory, unsigned group, Word& word, std::uint64_t seen) noexcept;
/// PARKED, of a consumer that is gone or evicted: PARKED_DELAYED, due at once, one try more. True if it did.
bool give_back_parked(const QueueMemory& memory, unsigned group, Word& word, std::uint64_t seen) noexcept;

/// Wakes each producer that sleeps until a parked lease ends, after the store that ended it. Returns how many.
unsigned wake_for_parked_end(const QueueMemory& memory) noexcept;

// -- delivery of parked messages --------------------------------------------------------------------------------

/// Shows the message of a parked `position`, whose slot may say VOID for a later lap. False if the slot holds no such message.
[[nodiscard]] bool view_parked(const QueueMemory& memory, Position position, SlotView& view) noexcept;

}  // namespace beltway::ring
