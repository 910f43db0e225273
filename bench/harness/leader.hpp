// What the worker processes of a scenario do: the first leads, the others follow its orders.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "harness/scenario.hpp"
#include "tool/bench/bench_shared.hpp"

namespace beltway::bench {

inline constexpr std::uint32_t k_most_consumers = 16;

/// The page that all workers share.
struct Page {
  tool::BenchShared control;        ///< orders, probes, counts
  tool::SharedWord candidate;       ///< leader, before an order: whose slice it is
  tool::SharedWord interval_ticks;  ///< leader, once: between two messages of one producer, one way
  std::array<tool::Histogram, k_most_consumers> one_way;  ///< each consumer its own, cleared at the start of a slice
};

/// Worker `worker`, until the end; the leader's results go to `report`.
void run_worker(Page& page, const Spec& spec, const Settings& settings, std::uint32_t worker,
                std::vector<std::unique_ptr<Candidate>>& candidates, const std::function<void(Results&)>& report);

}  // namespace beltway::bench
