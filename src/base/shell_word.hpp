// Text as one word of a POSIX shell, for commands that people copy.
// Thread safety: a function without state.
#pragma once

#include <string>
#include <string_view>

namespace beltway {

/// `text` itself, or in quotes if a shell would not take it as one word.
[[nodiscard]] inline std::string shell_word(std::string_view text) {
  constexpr std::string_view k_plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./-";
  if (!text.empty() && text.find_first_not_of(k_plain) == std::string_view::npos) return std::string(text);
  std::string word = "'";
  for (const char c : text) {
    if (c == '\'') word += "'\\'";
    word += c;
  }
  return word + "'";
}

}  // namespace beltway
