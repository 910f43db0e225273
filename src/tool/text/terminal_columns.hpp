// How many columns a line may have.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace beltway::tool {

/// The columns of the terminal that `fd` is: $COLUMNS, else what the terminal says, else 80. 0: `fd` is no terminal, and lines
/// are as long as they are, whatever the environment says.
[[nodiscard]] std::size_t terminal_columns(int fd);

/// As above, with what was found out: `said` is the text of $COLUMNS, `measured` what the terminal says (0: nothing).
[[nodiscard]] std::size_t columns_from(std::optional<std::string_view> said, std::size_t measured);

}  // namespace beltway::tool
