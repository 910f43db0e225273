// Any bytes as text for a terminal.
#pragma once

#include <string>
#include <string_view>

namespace beltway {

/// Control characters and bytes that are no UTF-8 become \n, \t, \xNN; so a message cannot move a terminal's cursor.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace beltway
