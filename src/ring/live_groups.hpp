// Pausing and resetting a named group while its consumers stay attached. All of it is run by one thread of the daemon, while
// producers and consumers go on.
#pragma once

#include <cstdint>

#include "ring/queue_memory.hpp"

namespace beltway::ring {

/// Ends new leases in an ACTIVE group until resume(). Leases that consumers hold stay. The floor holds producers as before.
/// Safe to repeat.
void pause(const QueueMemory& memory, unsigned index) noexcept;

/// Lets the consumers of a PAUSED group lease again, and wakes them. Safe to repeat.
void resume(const QueueMemory& memory, unsigned index) noexcept;

/// What a reset did.
struct Reset {
  std::uint64_t acknowledged = 0;  ///< messages before the new beginning that no consumer held
  std::uint64_t restored = 0;      ///< messages from there on that had been acknowledged: they are delivered again
  std::uint64_t held = 0;          ///< messages that consumers hold: they stay leased
};

/// Acknowledges each READY message before `to` that no consumer holds. Wakes all sleepers.
Reset skip(const QueueMemory& memory, unsigned index, Position to) noexcept;

/// Lets an ACTIVE or PAUSED group begin at `to`, a position of the last lap or `tail`. First calls skip(). Then makes each
/// acknowledged message from `to` on available again if no producer has reused its slot. Leases that consumers hold stay. Wakes
/// all sleepers. Safe to repeat: if the daemon dies in it, the next daemon must call it again before it heals the queue.
Reset reset(const QueueMemory& memory, unsigned index, Position to) noexcept;

}  // namespace beltway::ring
