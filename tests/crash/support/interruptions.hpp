// What may happen while an actor stands still between two of its instructions, before it goes on as if nothing had happened.
#pragma once

#include <span>

#include "scenarios.hpp"

namespace beltway::crash {

[[nodiscard]] std::span<const Interruption> interruptions() noexcept;

}  // namespace beltway::crash
