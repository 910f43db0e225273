// How old the messages of a queue are: what its stamps say.
// Thread safety: functions, from any thread.
#pragma once

#include <chrono>
#include <optional>

#include "beltway/info.hpp"
#include "ring/queue_memory.hpp"

namespace beltway::client {

/// The age of the message at `position`. Nothing if it has no stamp.
[[nodiscard]] std::optional<std::chrono::microseconds> age_at(const ring::QueueMemory& memory,
                                                              ring::Position position) noexcept;

/// The snapshot, and in it the ages of all groups and consumers, and what is said of ttl. Requires all else of it.
[[nodiscard]] QueueSnapshot with_ages(const ring::QueueMemory& memory, QueueSnapshot snapshot) noexcept;

}  // namespace beltway::client
