// A picture for a terminal: rows and columns of cells with styles. It is computed without a terminal.
// Thread safety: a value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tool/top/screen_text.hpp"

namespace beltway::tool {

/// What a text is. The terminal chooses colours for it, or other marks where there are no colours.
enum class Ink : std::uint8_t { plain, quiet, good, note, warning, trouble };

struct Style {
  Ink ink = Ink::plain;
  bool bold = false;
  bool reverse = false;
  bool underline = false;
  bool operator==(const Style&) const = default;
};

struct Size {
  std::size_t rows = 24;
  std::size_t columns = 80;
  bool operator==(const Size&) const = default;
};

struct Cell {
  std::string bytes = " ";  ///< one character with its marks; empty: the right half of a wide character
  Style style = {};
};

class Grid {
 public:
  Grid(Size size, Charset charset);

  [[nodiscard]] Size size() const noexcept { return size_; }
  [[nodiscard]] Charset charset() const noexcept { return charset_; }
  [[nodiscard]] const Cell& at(std::size_t row, std::size_t column) const {
    return cells_[row * size_.columns + column];
  }

  /// Writes the text and returns the column behind it. What lies outside of the grid is left out.
  std::size_t put(std::size_t row, std::size_t column, std::string_view text, Style style = {});
  /// Fills the rest of the row with blanks.
  void fill(std::size_t row, std::size_t column, Style style);
  /// Gives the style to a whole row, and leaves its text.
  void mark(std::size_t row, Style style);

  /// A row without blanks at its end.
  [[nodiscard]] std::string row_text(std::size_t row) const;
  /// All rows, each ended by a newline.
  [[nodiscard]] std::string text() const;

 private:
  Size size_;
  Charset charset_;
  std::vector<Cell> cells_;
};

/// A piece of a line.
struct Span {
  std::string text;
  Style style = {};
};

}  // namespace beltway::tool
