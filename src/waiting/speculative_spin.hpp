// The looks of a consumer that spins, at the one word that it waits for.
//
// A look at a line that another processor has just written takes a whole transfer, 70 ns and more. What follows the wait, the
// handler and often an answer, needs lines of its own, and an answer's line has to be taken from the one who waits for it:
// another transfer. A processor overlaps the two if it believes that the wait is over while the look is under way; but a loop
// of looks that find nothing teaches it that nothing will be there.
//
// So an eager loop hides what it does: each look is a call, whose end is predicted to be where calls end, and that is where the
// message is there. One that finds nothing changes where it returns to, and that takes the processor back, which is also the
// pause between two looks (see short_pause()); they are 15 to 20 ns apart. A look that finds nothing is over soon, out of the
// processor's own cache, and little was begun by then; but a stream of large messages notices (ConsumerCore::await_next()).
//
// Half a round trip of 8 bytes where two processors share no cache: most often 135 ns instead of 326 (bench/README.md).
#pragma once

#include <cstdint>

#include "beltway/detail/atomics.hpp"

namespace beltway {

/// Looks until `state & mask` is `wanted`, `looks` times at most, which is at least 1. True: it was, and whoever goes on makes
/// sure with an acquire load. Thread-safe. Eager ones are plain where they cannot be had: not on x86-64, or with shadow
/// stacks (-fcf-protection), which forbid them.
[[nodiscard]] bool look_eagerly(const Word& state, std::uint64_t mask, std::uint64_t wanted, unsigned looks) noexcept;
[[nodiscard]] bool look_plainly(const Word& state, std::uint64_t mask, std::uint64_t wanted, unsigned looks) noexcept;

}  // namespace beltway
