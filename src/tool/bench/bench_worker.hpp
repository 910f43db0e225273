// What one process of a bench does once the queues exist.
#pragma once

#include <cstdint>

#include "tool/bench/bench_plan.hpp"
#include "tool/bench/bench_shared.hpp"

namespace beltway::tool {

/// Worker 0 leads and is the first producer, worker 1 its partner and the first consumer; the other producers come
/// next, then the other consumers. Throws Error and Failure.
void run_bench_worker(BenchShared& shared, const BenchPlan& plan, std::uint32_t worker);

/// Queue names of a latency bench: there and back. A throughput bench has the first only.
[[nodiscard]] std::string bench_queue_there(const BenchShared& shared);
[[nodiscard]] std::string bench_queue_back(const BenchShared& shared);

}  // namespace beltway::tool
