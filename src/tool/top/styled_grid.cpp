#include "tool/top/styled_grid.hpp"

namespace beltway::tool {

Grid::Grid(Size size, Charset charset) : size_(size), charset_(charset), cells_(size.rows * size.columns) {}

std::size_t Grid::put(std::size_t row, std::size_t column, std::string_view text, Style style) {
  if (row >= size_.rows) return column;
  for (Glyph& glyph : glyphs_of(text, charset_)) {
    if (column + glyph.columns > size_.columns) break;
    Cell* const cell = &cells_[row * size_.columns + column];
    *cell = {std::move(glyph.bytes), style};
    if (glyph.columns == 2) cell[1] = {"", style};
    column += glyph.columns;
  }
  return column;
}

void Grid::fill(std::size_t row, std::size_t column, Style style) {
  if (row >= size_.rows) return;
  for (; column < size_.columns; ++column) cells_[row * size_.columns + column] = {" ", style};
}

void Grid::mark(std::size_t row, Style style) {
  if (row >= size_.rows) return;
  for (std::size_t column = 0; column < size_.columns; ++column) cells_[row * size_.columns + column].style = style;
}

std::string Grid::row_text(std::size_t row) const {
  std::string text;
  for (std::size_t column = 0; column < size_.columns; ++column) text += at(row, column).bytes;
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

std::string Grid::text() const {
  std::string text;
  for (std::size_t row = 0; row < size_.rows; ++row) text += row_text(row) + '\n';
  return text;
}

}  // namespace beltway::tool
