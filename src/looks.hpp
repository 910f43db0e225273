// The looks of a consumer that spins, at the one word that it waits for.
//
// A look at a line that another processor has just written takes a whole transfer, 70 ns and more. What follows the wait, the
// handler and often an answer, needs lines of its own, and an answer's line has to be taken from the one who waits for it:
// another transfer. A processor overlaps the two if it believes that the wait is over while the look is under way; but a loop
// of looks that find nothing teaches it that nothing will be there.
//
// So an eager loop hides what it does: each look is a call, whose end is predicted to be where calls end, and that is where the
// message is there. One that finds nothing changes where it returns to, and that takes the processor back, which is also the
// pause between two looks (see short_pause()); they are 15 to 20 ns apart. A look that finds nothing is over so soon,
// out of the processor's own cache, that nothing was begun by then which others could notice.
//
// Half a round trip of 8 bytes: 60 ns instead of 80 to 85 (raw flag 85, a transfer 73), and where the two processors share no
// cache 135 instead of 326 (raw flag 317; src/README.md has more).
#pragma once

#include <cstdint>

#include "beltway/atomics.hpp"

namespace beltway {

/// Looks until `state & mask` is `wanted`, `looks` times at most, which is at least 1. True: it was, and whoever goes on makes
/// sure with an acquire load. Thread-safe. Eager ones are plain where they cannot be had: not on x86-64, or with shadow
/// stacks (-fcf-protection), which forbid them.
[[nodiscard]] bool look_eagerly(const Word& state, std::uint64_t mask, std::uint64_t wanted, unsigned looks) noexcept;
[[nodiscard]] bool look_plainly(const Word& state, std::uint64_t mask, std::uint64_t wanted, unsigned looks) noexcept;

}  // namespace beltway
