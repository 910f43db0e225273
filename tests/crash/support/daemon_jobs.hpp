// What the daemon does to a queue at work, killed at every step: it comes back, knows from its own records what it was
// about, and does it again.
#pragma once

#include <span>

#include "scenarios.hpp"

namespace beltway::crash {

struct DaemonJob {
  const char* name;
  bool (*applies)(const Beginning& beginning);
  void (*run)(World& world);    ///< stepped
  void (*again)(World& world);  ///< after its death: from wherever it was
  void (*prepare)(Crew& crew) = nullptr;
};

[[nodiscard]] std::span<const DaemonJob> daemon_jobs() noexcept;

/// Kills `job` at every step; what it had begun is done again, and the queue must be as it was meant to be.
Counts kill_daemon(const DaemonJob& job, const std::vector<Beginning>& beginnings);

}  // namespace beltway::crash
