// The machine's limit, printed beside every result: two processes pass a cache line to and fro. Half a round trip is the least
// time that any message needs from one core to the other. A host may move a virtual machine's processors together or apart at
// any second, so a figure means little without its probe.
#pragma once

#include <cstdint>

#include "tool/bench/bench_shared.hpp"

namespace beltway::tool {

/// The leader's side: ns of half a round trip, the mean of 2000 or of as many as fit into two milliseconds.
[[nodiscard]] double probe(BenchShared& shared) noexcept;

/// The partner's side, at the same time.
void answer_probe(BenchShared& shared) noexcept;

}  // namespace beltway::tool
