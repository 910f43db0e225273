// A look at all queues for some seconds, for commands that print verdicts: `doctor`, `check`, `metrics`.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "beltway/options.hpp"
#include "tool/text/progress.hpp"
#include "watch/model.hpp"

namespace beltway::tool {

/// Long enough to see whether a queue moves, and short enough for a person.
inline constexpr std::chrono::seconds k_default_examination{2};

struct Examination {
  watch::Fleet fleet;
  std::vector<watch::Verdict> verdicts = {};  ///< of the machine, the daemon and all queues, the gravest first
  std::chrono::nanoseconds looked_for{0};

  [[nodiscard]] std::vector<watch::Verdict> verdicts_of(std::string_view queue) const;
};

struct ExaminationPlan {
  std::string command;  ///< whom the line of progress names: "doctor"
  Progress::When progress = Progress::When::never;
  std::chrono::nanoseconds time = k_default_examination;
};

/// Looks for the time, and somewhat longer while something is suspected that is not certain yet. The line of progress is gone
/// when it returns. Throws Error(no_daemon).
[[nodiscard]] Examination examine(const ConnectionOptions& connection, const ExaminationPlan& plan,
                                  const std::stop_token& stop = {});

}  // namespace beltway::tool
