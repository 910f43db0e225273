// The parent of a bench: makes processes, queues and an end of both.
#pragma once

#include "beltway/options.hpp"
#include "tool/bench/bench_plan.hpp"
#include "tool/bench/bench_shared.hpp"
#include "tool/process/exit_code.hpp"
#include "tool/text/progress.hpp"

namespace beltway::tool {

struct BenchOutcome {
  const BenchShared* results = nullptr;
  QueueOptions queue;
  ExitCode code = ExitCode::done;  ///< not done: interrupted, no results
};

/// Forks the workers, then declares the temporary queues, waits for the end and removes the queues, also when interrupted.
/// The process must have one thread and no connection yet. Throws Failure with the first worker's error, and Error.
[[nodiscard]] BenchOutcome run_bench(const BenchPlan& plan, const ConnectionOptions& connection,
                                     Progress::When progress);

}  // namespace beltway::tool
