// "Did you mean": the word of a list that a mistyped one is most like.
// Thread safety: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tool/commands/command_tree.hpp"

namespace beltway::tool {

/// How many letters were left out, added, changed or swapped with the next one.
[[nodiscard]] std::size_t edit_distance(std::string_view left, std::string_view right);

/// The candidate that `word` was most likely meant to be: it begins with the word, or few letters differ. Nothing: none is
/// like it.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);

/// The command of that meaning under a name of another tool: "publish", "ls". Nothing: it is none.
[[nodiscard]] std::optional<std::string> command_meant_by(std::string_view word);

/// The command below `command` that the word was meant to be.
[[nodiscard]] std::optional<std::string> suggest_command(const CommandDescription& command, const std::string& word);

/// The command that these words name, from `all` down. Throws Failure(usage) for a word that is none.
[[nodiscard]] const CommandDescription& find_command(const CommandDescription& all,
                                                     const std::vector<std::string>& words);

/// The option of `command` or of `global` that the word was meant to be, with its dashes.
[[nodiscard]] std::optional<std::string> suggest_option(const CommandDescription& command,
                                                        const CommandDescription& global, const std::string& word);

/// "; did you mean \"orders\"?", or empty.
[[nodiscard]] std::string did_you_mean(const std::optional<std::string>& suggestion);

}  // namespace beltway::tool
