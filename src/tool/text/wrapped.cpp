#include "tool/text/wrapped.hpp"

#include <algorithm>

#include "tool/text/table.hpp"

namespace beltway::tool {

std::string wrapped(std::string_view text, std::size_t columns, std::size_t indent) {
  std::string out;
  std::size_t used = 0;  // columns of the present line
  const auto begin_line = [&] {
    out += "\n" + std::string(indent, ' ');
    used = 0;
  };
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of(" \n", at), text.size());
    const std::string_view word = text.substr(at, end - at);
    const std::size_t width = columns_of(word);
    if (columns != 0 && used != 0 && used + 1 + width > columns) begin_line();
    if (used != 0) out += ' ';
    out += word;
    used += width + (used != 0 ? 1 : 0);
    if (end < text.size() && text[end] == '\n') begin_line();
    at = end + 1;
  }
  return out;
}

}  // namespace beltway::tool
