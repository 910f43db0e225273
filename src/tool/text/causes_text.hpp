// Causes and remedies as lines for people.
#pragma once

#include <string>
#include <vector>

#include "watch/causes.hpp"

namespace beltway::tool {

/// One line for each command, indented, with the commands in one column.
[[nodiscard]] std::string remedies_text(const std::vector<watch::Remedy>& remedies);
/// "  ! sentence" a line, its remedies below it.
[[nodiscard]] std::string causes_text(const std::vector<watch::Cause>& causes);

}  // namespace beltway::tool
