// Words of the command line that are no option and no command, whatever they look like.
//
// CLI11 2.1 loses "--" where options of the parent are taken too, and splits a word in square brackets where several values may
// stand: a message that is a JSON array would be several messages. So such a word gets a mark in front before CLI11 sees it, and
// each option and argument takes the mark away (command_line.cpp). The mark is a byte that no argument of a process can have.
// Thread safety: functions without state.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace beltway::tool {

inline constexpr char k_plain_mark = '\0';

/// The words as CLI11 should see them: without the first "--", and with a mark on all words behind it and on words in brackets.
[[nodiscard]] inline std::vector<std::string> with_plain_words(const std::vector<std::string>& words) {
  std::vector<std::string> marked;
  bool is_plain = false;
  for (const std::string& word : words) {
    if (!is_plain && word == "--") {
      is_plain = true;
      continue;
    }
    const bool is_bracketed = word.starts_with('[') && word.ends_with(']');
    marked.push_back(is_plain || is_bracketed ? k_plain_mark + word : word);
  }
  return marked;
}

/// The text as the user wrote it.
[[nodiscard]] inline std::string without_marks(std::string text) {
  std::erase(text, k_plain_mark);
  return text;
}

}  // namespace beltway::tool
