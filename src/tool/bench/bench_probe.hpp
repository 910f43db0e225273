// The machine's limit, to be printed beside every result: two processes bounce a cache line. Half a round trip is the
// time that news takes from one core to the other, whatever carries it. Virtual machines move between near and
// far from one second to the next, so a figure without its probe says little.
#pragma once

#include <cstdint>

#include "tool/bench/bench_shared.hpp"

namespace beltway::tool {

/// The leader's side: ns of half a round trip, the mean of 2000 or of as many as fit into two milliseconds.
[[nodiscard]] double probe(BenchShared& shared) noexcept;

/// The partner's side, at the same time.
void answer_probe(BenchShared& shared) noexcept;

}  // namespace beltway::tool
