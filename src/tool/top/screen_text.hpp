// Text as a terminal may show it: characters with their widths, and nothing that moves a cursor or turns text around.
// Thread safety: pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace beltway::tool {

/// Which characters the terminal knows.
enum class Charset : unsigned char { ascii, utf8 };

/// A character with the combining marks that stand on it.
struct Glyph {
  std::string bytes;
  std::size_t columns = 1;  ///< 1 or 2
};

/// Control characters, bytes that are no UTF-8 and characters that are invisible or change the direction of text become escapes:
/// `\n`, `\x1b`, `\u202e`. Of many combining marks on one character only the first are kept. With `ascii`, other characters
/// become question marks of the same width.
[[nodiscard]] std::vector<Glyph> glyphs_of(std::string_view text, Charset charset);

/// Columns that the text takes.
[[nodiscard]] std::size_t width_of(std::string_view text, Charset charset);

enum class Align : unsigned char { left, right };
/// The text in exactly `width` columns, with blanks, or cut with a mark at its end.
[[nodiscard]] std::string fitted(std::string_view text, std::size_t width, Charset charset, Align align = Align::left);

/// The text in lines of at most `width` columns, broken at blanks where it has some. At least one line.
[[nodiscard]] std::vector<std::string> wrapped(std::string_view text, std::size_t width, Charset charset);

/// In four columns: "0", "0.5", "999", "1.2k", "12k", "1.2M".
[[nodiscard]] std::string short_number(double number);
/// In five columns: "85us", "3.4ms", "12s", "12m", "5.1h", "3d".
[[nodiscard]] std::string short_duration(double seconds);

}  // namespace beltway::tool
