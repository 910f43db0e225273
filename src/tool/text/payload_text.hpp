// Payloads are any bytes. Here they become text for a terminal or for a JSON document.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace beltway::tool {

/// Control characters and bytes that are no UTF-8 become \n, \t, \xNN; so a message cannot move a terminal's cursor.
[[nodiscard]] std::string printable(std::string_view text);

/// At most `max_columns` characters of a printable text. If the text is longer, the result ends with "...".
[[nodiscard]] std::string shortened(std::string text, std::size_t max_columns);

[[nodiscard]] std::string base64(std::string_view bytes);

[[nodiscard]] inline std::string_view as_text(std::span<const std::byte> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace beltway::tool
