// A question before a command that loses something.
#pragma once

#include <string>

namespace beltway::tool {

/// True if standard input and standard error are no terminal, so that scripts are not asked. On a terminal: asks the question on
/// standard error, and returns whether the answer begins with "y".
[[nodiscard]] bool confirmed(const std::string& question);

}  // namespace beltway::tool
