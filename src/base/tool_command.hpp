// Commands of the tool as a shell takes them, for people who copy them.
// Thread safety: a function without state.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/shell_word.hpp"

namespace beltway {

/// `beltway VERB OPERANDS OPTIONS`. `verb`: the command, e.g. "group add". `operands`: names and positions, quoted where a shell
/// needs it. `options`: text that stands as it is. If an operand begins with "-", all operands follow "--", which ends options.
[[nodiscard]] inline std::string tool_command(std::string_view verb, std::initializer_list<std::string_view> operands,
                                              std::string_view options = {}) {
  std::string words;
  bool looks_like_option = false;
  for (const std::string_view operand : operands) {
    words += " " + shell_word(operand);
    looks_like_option = looks_like_option || operand.starts_with('-');
  }
  std::string command = "beltway " + std::string(verb);
  if (!looks_like_option) command += words;
  if (!options.empty()) command += " " + std::string(options);
  if (looks_like_option) command += " --" + words;
  return command;
}

}  // namespace beltway
