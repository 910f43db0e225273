// Named groups that keep only their newest messages (option drop_oldest).
//
//   older lap, RETRY(p), DELAYED(p) -> DONE(p, 255)   drop_at(): no consumer holds the message, and the group will not see it
//
// A message is old when as many newer positions as the group keeps lie behind it, up to the newest message. A consumer drops what
// is old before it leases (NamedReader::drop_old()). A producer that needs room drops what is old, and what stands in its way,
// and parks what is held: so such a group holds no producer back. DROP_OLDEST.md has the table.
//
// Thread safety: all functions work on shared memory and may run in any number of processes at once. None of them trusts what it
// reads.
#pragma once

#include <cstdint>

#include "ring/queue_memory.hpp"

namespace beltway::ring {

/// How many messages the group keeps; 0: all.
[[nodiscard]] inline std::uint32_t kept_by(const GroupBlock& group) noexcept {
  return static_cast<std::uint32_t>(group.keeps.load_relaxed());
}

/// True if any group that holds producers back keeps only its newest messages.
[[nodiscard]] bool has_dropping_group(const QueueMemory& memory) noexcept;

/// Right behind the newest message; `from` if there is none behind it.
[[nodiscard]] Position end_of_messages(const QueueMemory& memory, Position from) noexcept;

enum class Drop : std::uint8_t {
  dropped,
  held,        ///< a consumer holds the message, or it is parked, or waits for the dead letter queue
  passed,      ///< nothing to drop: done, or no message
  unfinished,  ///< a producer has not finished the position yet
};
/// Drops the message of `position`, and counts it, if no consumer holds it.
Drop drop_at(const QueueMemory& memory, unsigned group, Position position) noexcept;
/// The same of a delayed message that is parked, whose lease word is `seen`. True if it did.
bool drop_parked(const QueueMemory& memory, unsigned group, Word& word, std::uint64_t seen) noexcept;

/// For a producer that needs room: in each group that drops, drops what is old, and all positions before `past` that no other
/// group holds. Parks what consumers hold there. Wakes producers that sleep for the room. False if no
/// group drops. Otherwise scan the floors again: also a floor that another process has moved makes room.
bool drop_for_room(const QueueMemory& memory, Position past) noexcept;
/// The same in one group, for the producers that sleep. True if its floor moved.
bool drop_for_sleepers(const QueueMemory& memory, unsigned group) noexcept;

}  // namespace beltway::ring
