// What a group still needs, as a process sees that may only read.
// Thread safety: functions, from any thread.
#pragma once

#include <cstdint>

#include "ring/queue_memory.hpp"

namespace beltway::client {

/// Positions from `floor` to `tail`, at most one lap; 0 if the word makes no sense.
[[nodiscard]] std::uint64_t depth_of(const ring::QueueMemory& memory, ring::Position floor,
                                     ring::Position tail) noexcept;

/// The floor word of a group, named or private.
[[nodiscard]] ring::Position floor_of(const ring::QueueMemory& memory, unsigned group) noexcept;

/// True if the named group will never need that position again: it is done, or was never a message or is none any more.
[[nodiscard]] bool is_over(const ring::QueueMemory& memory, unsigned group, ring::Position position) noexcept;

/// The first position that a named group still needs. Its floor may lag behind that: a producer that finds the ring full moves
/// it on.
[[nodiscard]] ring::Position first_needed(const ring::QueueMemory& memory, unsigned group, ring::Position floor,
                                          ring::Position tail) noexcept;
/// The same of any group.
[[nodiscard]] ring::Position needed_from(const ring::QueueMemory& memory, unsigned group, ring::Position tail) noexcept;

}  // namespace beltway::client
