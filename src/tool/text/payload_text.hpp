// Payloads are any bytes. Here they become text for a terminal or for a JSON document.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/printable.hpp"

namespace beltway::tool {

/// At most `max_columns` characters of a printable text. If the text is longer, the result ends with "...".
[[nodiscard]] std::string shortened(std::string text, std::size_t max_columns);

[[nodiscard]] std::string base64(std::string_view bytes);

[[nodiscard]] inline std::string_view as_text(std::span<const std::byte> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace beltway::tool
