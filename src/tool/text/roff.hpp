// Text for a manual page, in the language of man(7).
#pragma once

#include <string>
#include <string_view>

namespace beltway::tool {

/// `text` so that troff shows it as it is: backslashes, dashes, and a dot or quote that begins a line are escaped.
[[nodiscard]] std::string roff_escaped(std::string_view text);

}  // namespace beltway::tool
