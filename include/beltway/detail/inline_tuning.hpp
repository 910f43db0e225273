// The tuning constants that inline code needs; all others are in src/ring/tuning.hpp. bench/TUNING.md gives the reasons.
#pragma once

#include "beltway/detail/requirements.hpp"

#include <cstddef>
#include <cstdint>

namespace beltway::detail {

/// Positions after which an endpoint stores its counters for observers: stores against counters that are seen late.
inline constexpr std::uint64_t k_positions_per_counter_store = 64;
/// Bytes. Code size in callers against calls between two messages: larger copies are not inline.
inline constexpr std::size_t k_page_bytes = 4096;
/// Messages that one turn of an event loop takes from one consumer: calls of the loop against other work that waits.
inline constexpr unsigned k_messages_per_turn = 16;

}  // namespace beltway::detail
