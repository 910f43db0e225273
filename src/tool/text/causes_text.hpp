// Verdicts on one queue and their remedies as lines for people.
#pragma once

#include <string>
#include <vector>

#include "watch/model.hpp"

namespace beltway::tool {

/// One line for each command, indented, with the commands in one column.
[[nodiscard]] std::string remedies_text(const std::vector<watch::Remedy>& remedies);
/// "  ! sentence; evidence; for how long; forecast" a line, its remedies below it.
[[nodiscard]] std::string causes_text(const std::vector<watch::Verdict>& verdicts);

}  // namespace beltway::tool
