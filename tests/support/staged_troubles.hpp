// Troubles that are made on purpose, each by processes of its own, for tests of what the doctor says about them.
//
// A queue of a name of its own is declared for each. Call stage() before the test starts threads: it forks. The processes end
// with the object. Thread safety: one thread.
#pragma once

#include <string>
#include <vector>

#include "child.hpp"
#include "daemon.hpp"

namespace beltway::test {

/// What goes on until the object ends. Its queue then stays.
struct StagedTrouble {
  std::vector<Child> actors = {};
};

struct TroubleKind {
  std::string name;      ///< of the stage, for test names
  std::string verdict;   ///< the kind that the doctor must tell, and no other
  bool of_queue = true;  ///< false: the verdict is about a process, not the queue
  StagedTrouble (*stage)(const TestDaemon& daemon, const std::string& queue);
};

/// All that can be staged.
[[nodiscard]] const std::vector<TroubleKind>& trouble_kinds();

/// Producers and consumers as in a working day: a steady stream, bursts, slow workers, workers that hold jobs for seconds,
/// processes that stop for less than a second, and workers that are killed and started again. Ends with the object.
[[nodiscard]] StagedTrouble stage_healthy_load(const TestDaemon& daemon);

}  // namespace beltway::test
