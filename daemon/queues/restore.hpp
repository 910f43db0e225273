// The words of a queue's shared memory that only the daemon writes: what they must say follows from its record.
// Thread safety: the daemon's one thread, while producers and consumers go on.
#pragma once

#include "ring/queue_memory.hpp"
#include "survival/records.hpp"

namespace beltway::daemon {

/// Writes again, where a program has written over them: the header, the notice's flags, live_producers, producers_ever, the
/// identities, and the states of the groups. Returns how many were wrong. A group that is ACTIVE again may have been overrun:
/// call heal() afterwards. The totals are not restored: no step reads them, and they are nowhere else.
unsigned restore_words(const ring::QueueMemory& memory, const QueueRecord& record) noexcept;

}  // namespace beltway::daemon
