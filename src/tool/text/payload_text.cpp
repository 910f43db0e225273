// Columns, base64.
#include "tool/text/payload_text.hpp"

#include <algorithm>

#include "tool/text/table.hpp"

namespace beltway::tool {

std::string shortened(std::string text, std::size_t max_columns) {
  static constexpr std::string_view k_more = "...";
  if (columns_of(text) <= max_columns) return text;
  const std::size_t wanted = max_columns > k_more.size() ? max_columns - k_more.size() : 0;
  std::size_t end = 0;
  for (std::size_t taken = 0; taken < wanted; ++taken) {
    ++end;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) ++end;
  }
  text.resize(end);
  return text += k_more;
}

std::string base64(std::string_view bytes) {
  static constexpr std::string_view k_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t there = std::min<std::size_t>(3, bytes.size() - i);
    unsigned group = 0;
    for (std::size_t j = 0; j < 3; ++j)
      group = group << 8 | (j < there ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    for (std::size_t j = 0; j < 4; ++j) out += j <= there ? k_digits[group >> (18 - 6 * j) & 63U] : '=';
  }
  return out;
}

}  // namespace beltway::tool
