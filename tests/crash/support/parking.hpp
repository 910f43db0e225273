// Operations around parked messages: not in operations(), since each needs a message that a consumer holds, and max_parked.
#pragma once

#include <span>
#include <vector>

#include "operations.hpp"

namespace beltway::crash {

[[nodiscard]] std::span<const Operation> parking_operations() noexcept;
/// A consumer parks before the ring is full. In with_early_parking() alone: it does so only in rings that are large enough.
[[nodiscard]] const Operation& early_parking_operation() noexcept;
[[nodiscard]] std::vector<Beginning> with_early_parking(std::vector<Beginning> beginnings);
/// The beginnings that have a named group, in queues that park.
[[nodiscard]] std::vector<Beginning> with_parking(std::vector<Beginning> beginnings);

}  // namespace beltway::crash
