// What an import would do, and doing it.
#pragma once

#include <string>
#include <vector>

#include "beltway/connection.hpp"
#include "tool/text/definitions.hpp"
#include "tool/text/progress.hpp"

namespace beltway::tool {

/// What becomes of one definition.
struct ImportStep {
  enum class Kind : std::uint8_t { make, change, keep, skip };
  Definition definition;
  Kind kind = Kind::keep;
  std::vector<OptionChange> changes = {};    ///< of a queue that exists
  std::vector<std::string> new_groups = {};  ///< of a queue that exists
  std::vector<std::string> conflicts = {};   ///< "slots 1024, not 2048": fixed while the queue lives
};

/// Compares with the queues that exist. Throws nothing for conflicts.
[[nodiscard]] std::vector<ImportStep> plan_import(const std::vector<Definition>& definitions,
                                                  const std::vector<QueueInfo>& existing, bool skip_existing);

/// Declares the queues in this order. If one is refused, removes those that it has made and that nobody uses yet, and throws
/// Failure, which says what was changed and stays. Tells `progress` how far it came.
void run_import(const Connection& connection, const std::vector<ImportStep>& steps, Progress& progress);

}  // namespace beltway::tool
