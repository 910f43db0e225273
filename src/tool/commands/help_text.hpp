// The help of a command as text of at most k_help_columns columns.
#pragma once

#include <cstddef>
#include <string>

#include "tool/commands/command_tree.hpp"

namespace beltway::tool {

inline constexpr std::size_t k_help_columns = 100;

/// What `beltway COMMAND --help` prints. `global`: the command at the top, whose options each command takes, too.
[[nodiscard]] std::string help_text(const CommandDescription& command, const CommandDescription& global);

/// The footer in lines of at most `columns`. Examples, which begin with blanks, stay as they are.
[[nodiscard]] std::string footer_text(const CommandDescription& command, std::size_t columns);

/// "beltway sub [OPTIONS] NAME".
[[nodiscard]] std::string usage_text(const CommandDescription& command);

/// "-n, --count NUMBER": how an option is written.
[[nodiscard]] std::string synopsis_of(const OptionDescription& option);

/// The help of an option, with the value that it has if it is not given.
[[nodiscard]] std::string help_of(const OptionDescription& option);

}  // namespace beltway::tool
