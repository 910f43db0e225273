// Operations around parked messages: not in operations(), since each needs a message that a consumer holds, and max_parked.
#pragma once

#include <span>
#include <vector>

#include "operations.hpp"

namespace beltway::crash {

[[nodiscard]] std::span<const Operation> parking_operations() noexcept;
/// The beginnings that have a named group, in queues that park.
[[nodiscard]] std::vector<Beginning> with_parking(std::vector<Beginning> beginnings);

}  // namespace beltway::crash
