// Making, removing and emptying groups, and the notices that the daemon posts. All of it is run by one thread of the
// daemon, while producers and consumers go on.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "beltway/options.hpp"
#include "ring/queue_memory.hpp"

namespace beltway::ring {

/// Makes group `index` (its state FREE) and returns its floor: the first position that it will see.
Position join(const QueueMemory& memory, unsigned index, GroupKind kind, Start start) noexcept;

/// Ends new leases in a named group, and holds producers no more as soon as no lease is left. The group's consumers get
/// Status::removed. True if it is drained already; otherwise the last ack, nack or repair drains it.
bool leave(const QueueMemory& memory, unsigned index) noexcept;

/// After leave(): DRAINED if no lease is left. Also called by consumers that end a lease.
bool try_drain(const QueueMemory& memory, unsigned index) noexcept;

/// Makes the place free for another group. Only when no endpoint that was attached to it remains.
void free_group(const QueueMemory& memory, unsigned index) noexcept;

/// Moves the floor of a group on to `to`, but never back: helpers may have moved it already.
void raise_floor(GroupBlock& group, Position to) noexcept;

/// For a group that producers see and whose floor lies behind limits that they have cached. With several producers: makes these
/// limits invalid, and raises the floor to the oldest position that no producer has claimed again. False: the queue has one
/// producer, or its producers claim without a pause. Then the caller posts a notice and runs a heavy barrier.
bool void_limits(const QueueMemory& memory, GroupBlock& group) noexcept;

/// What a purge found.
struct Purged {
  struct Held {
    std::uint64_t messages = 0;
    Position oldest = 0;
  };
  std::uint64_t messages = 0;                     ///< acknowledged
  std::array<Held, 2 * k_first_consumer> held{};  ///< by owner number: leased by consumers, being written by producers
};
/// Acknowledges all messages of a named group that no consumer holds; with `until`, those before this position.
Purged purge(const QueueMemory& memory, unsigned index, std::optional<Position> until = {}) noexcept;

/// Sets `flags` (k_notice_*) in the notice, in addition to those set, with a new epoch. Loses no flag that a client sets at the
/// same moment. The daemon alone.
void post_notice(const QueueMemory& memory, std::uint32_t flags) noexcept;

/// A client's word that its daemon does not know the queue: every endpoint asks its own daemon (see standing.hpp). Loses no
/// flag of the daemon's.
void post_doubt(const QueueMemory& memory) noexcept;

/// Makes every producer scan the floors again before it claims, whatever it has seen there before.
void forget_limits(const QueueMemory& memory) noexcept;

/// Rings the bell of every endpoint that says it sleeps: after a death, a removal, a change of the producers.
void wake_all_sleepers(const QueueMemory& memory) noexcept;

}  // namespace beltway::ring
