// Operations in a group that keeps only its newest messages: not in operations(), since each needs that option and a full ring.
#pragma once

#include <span>

#include "operations.hpp"

namespace beltway::crash {

[[nodiscard]] std::span<const Operation> dropping_operations() noexcept;

}  // namespace beltway::crash
