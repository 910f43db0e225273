// Short options: one letter for one long option, the same in all commands. README.md has the table.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace beltway::tool {

/// No command has both --file and --follow.
inline constexpr auto k_short_options = std::to_array<std::pair<std::string_view, char>>({
    {"--batch", 'b'},
    {"--count", 'n'},
    {"--create-group", 'c'},
    {"--file", 'f'},
    {"--follow", 'f'},
    {"--format", 'o'},
    {"--group", 'g'},
    {"--header", 'H'},
    {"--interval", 'd'},
    {"--key", 'k'},
    {"--lossy", 'l'},
    {"--properties", 'p'},
    {"--raw", 'r'},
    {"--socket", 's'},
    {"--timeout", 't'},
    {"--version", 'V'},
    {"--watch", 'w'},
});

/// "-n,--count" of "--count", as the parser takes it; a name without a letter stays as it is.
[[nodiscard]] inline std::string with_short_option(const std::string& name) {
  const auto found = std::ranges::find(k_short_options, name, &std::pair<std::string_view, char>::first);
  return found == k_short_options.end() ? name : std::string("-") + found->second + "," + name;
}

}  // namespace beltway::tool
