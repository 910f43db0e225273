// The page as it is embedded in the program, and the licences of what it is made of. The build writes their bytes (see page/).
// Thread safety: constants.
#pragma once

#include <span>
#include <string_view>

namespace beltway::tool {

struct PageFile {
  std::string_view name;  ///< "index.html"
  std::string_view type;  ///< its Content-Type
  std::string_view content;
};

/// Empty if the program was built without npm: then only the API answers.
[[nodiscard]] std::span<const PageFile> page_files() noexcept;
/// What a program without the page says of it, as a sentence without its end.
inline constexpr std::string_view k_no_page =
    "this beltway was built without npm and has no page; to get one, install npm (Debian: nodejs, npm) and build it "
    "again "
    "with -DBELTWAY_BUILD_PAGE=ON";

/// Empty without the page.
[[nodiscard]] std::string_view page_licences() noexcept;

}  // namespace beltway::tool
