// Text in UTF-8, as strangers send it.
// Thread safety: pure functions.
#pragma once

#include <cstddef>
#include <string_view>

namespace beltway {

/// Bytes of the well-formed character at the start of `text` (RFC 3629: no surrogates, no overlong forms), or 0. `text` is not
/// empty.
[[nodiscard]] std::size_t utf8_character_size(std::string_view text) noexcept;

/// Whether a well-formed character is C0, DEL, or C1, which some terminals obey too.
[[nodiscard]] bool is_control_character(std::string_view character) noexcept;

[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

}  // namespace beltway
