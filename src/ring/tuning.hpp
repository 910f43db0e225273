// All tuning constants of the library's inner loops, each with what it trades. bench/TUNING.md says why each has its value.
#pragma once

#include <cstddef>
#include <cstdint>

namespace beltway {

// -- write side -------------------------------------------------------------------------------------------------

/// Positions. One prefetch a claim against a locked swap that waits for the line of the slot before.
inline constexpr std::uint64_t k_slot_prefetch_distance = 4;
/// Records. One prefetch a mark against a locked swap that waits for the slot's line.
inline constexpr std::uint64_t k_reclaim_prefetch_distance = 8;
/// Records. How slow one loan may be against how soon lane memory comes back.
inline constexpr std::uint64_t k_max_reclaimed_per_loan = 128;
/// Records. Memory of each producer against allocations while its loans grow.
inline constexpr std::uint64_t k_first_records = 64;
/// Bytes. Code size in callers against calls between two messages: larger copies are not inline.
inline constexpr std::size_t k_page_bytes = 4096;
/// Polls. How soon a spinning producer sees acknowledgements that no floor has passed, against taking their lines from consumers
/// that are about to move the floor themselves: see k_ack_lag.
inline constexpr unsigned k_polls_per_ack_scan = 32;
/// How long a free slot is left to the first producer of the line, against the room that a stopped one wastes. Many times what a
/// wake takes.
inline constexpr std::uint64_t k_turn_ns = 5'000'000;
/// A waiting producer asks for what comes free in this time: fewer wakes against its latency.
inline constexpr std::uint64_t k_room_interval_ns = 200'000;
/// A producer that sleeps for several slots looks again after this long, once: a second look against waiting for a pace that the
/// ring has lost. Many intervals, so that it does not happen to a ring that keeps its pace.
inline constexpr std::uint64_t k_pace_holds_ns = 10 * k_room_interval_ns;

}  // namespace beltway
