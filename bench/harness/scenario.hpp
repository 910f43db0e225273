// One scenario: its candidates side by side in the same worker processes, slice by slice, between raw probes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "candidates/candidate.hpp"
#include "candidates/spec.hpp"
#include "tool/bench/bench_plan.hpp"
#include "tool/bench/histogram.hpp"

namespace beltway::bench {

struct Settings {
  std::uint32_t runs = 3;
  std::uint32_t slices = 12;  ///< near slices that each candidate shall have in each run
  double run_s = 20;          ///< a run ends after this long, whatever it has
  std::uint64_t slice_ns = 20'000'000;
  tool::ProbeBand near{52, 110};
  std::vector<int> processors;  ///< of the workers, in turn
  bool keep_far = false;        ///< measure far slices, too, and report them apart
};

/// What one candidate made of one run, near and far apart.
struct Tally {
  std::vector<double> rates;  ///< throughput: messages a second of each slice
  std::vector<double> probes_ns;
  tool::Histogram ticks;  ///< round trips, or one-way latencies
};
struct RunResult {
  Tally near;
  Tally far;
  std::uint32_t far_slices = 0;  ///< also those that were not run because the probe before said far
};

struct Result {
  std::string candidate;
  std::uint64_t bytes_in_flight = 0;
  std::vector<RunResult> runs;
};

struct Results {
  double ns_per_tick = 1;
  std::vector<Result> candidates;
};

/// Forks workers, measures, calls `report` in the leader's process, and ends all that it made. `spec` says what to measure;
/// its socket, name and folder are filled here. Throws Failure with what a worker complained about, or when interrupted.
void run_scenario(Spec spec, const Settings& settings, const Entries& entries,
                  const std::function<void(const Spec& spec, const Results& results)>& report);

}  // namespace beltway::bench
