// A manual page of a command, made from its help.
// Thread safety: pure functions.
#pragma once

#include <string>

#include "tool/commands/command_tree.hpp"

namespace beltway::tool {

/// "beltway-group-reset": of `beltway group reset`.
[[nodiscard]] std::string page_name(const CommandDescription& command);

/// The page in man(7). `global`: the command at the top.
[[nodiscard]] std::string manual_page(const CommandDescription& command, const CommandDescription& global);

}  // namespace beltway::tool
