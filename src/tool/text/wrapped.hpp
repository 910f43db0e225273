// Text that is broken into lines at blanks.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace beltway::tool {

/// `text` in lines of at most `columns`, joined by a newline and `indent` blanks. A longer word is not broken. Lines that `text`
/// has stay apart. `columns` 0: no limit. No newline at the end.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t columns, std::size_t indent = 0);

}  // namespace beltway::tool
