// Operations that move messages to a dead letter queue: not in operations(), since each needs a group that has one. The dead
// letter queue is the journal.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "endpoint/dead_letters.hpp"
#include "operations.hpp"

namespace beltway::crash {

/// Counts each message that comes, in the journal of `world`. As a full queue while the journal says so.
[[nodiscard]] std::shared_ptr<endpoint::DeadLetters> make_dead_letters(World& world);

[[nodiscard]] std::span<const Operation> dead_letter_operations() noexcept;
/// The beginnings that have a named group, some of them in queues that park.
[[nodiscard]] std::vector<Beginning> with_dead_letters(std::vector<Beginning> beginnings);

}  // namespace beltway::crash
