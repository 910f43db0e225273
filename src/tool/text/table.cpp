// Aligning of columns.
#include "tool/text/table.hpp"

#include <algorithm>

namespace beltway::tool {

namespace {

constexpr std::size_t k_gap = 2;

void end_line(std::string& out) {
  out.erase(out.find_last_not_of(' ') + 1);
  out += '\n';
}

}  // namespace

std::size_t columns_of(std::string_view text) noexcept {
  // Every byte but the continuation bytes (10xxxxxx) starts a character.
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

Table::Table(std::initializer_list<std::string_view> headings) {
  for (std::string_view heading : headings) {
    const bool right = heading.starts_with('>');
    if (right) heading.remove_prefix(1);
    columns_.push_back({std::string(heading), right});
  }
}

void Table::add(std::vector<std::string> row) {
  row.resize(columns_.size());
  rows_.push_back(std::move(row));
}

std::string Table::text(std::size_t indent) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = columns_of(columns_[i].heading);
    for (const auto& row : rows_) width = std::max(width, columns_of(row[i]));
    widths.push_back(width);
  }
  std::string out;
  const auto add_cell = [&](std::size_t column, std::string_view cell) {
    const std::string padding(widths[column] - columns_of(cell), ' ');
    if (column > 0) out.append(k_gap, ' ');
    if (columns_[column].right) out += padding;
    out += cell;
    if (!columns_[column].right) out += padding;
  };
  out.append(indent, ' ');
  for (std::size_t i = 0; i < columns_.size(); ++i) add_cell(i, columns_[i].heading);
  end_line(out);
  for (const auto& row : rows_) {
    out.append(indent, ' ');
    for (std::size_t i = 0; i < columns_.size(); ++i) add_cell(i, row[i]);
    end_line(out);
  }
  return out;
}

std::string Facts::text(std::size_t indent) const {
  std::size_t width = 0;
  for (const Line& line : lines_) width = std::max(width, columns_of(line.label));
  std::string out;
  for (const Line& line : lines_) {
    out.append(indent, ' ');
    out += line.label;
    out.append(width - columns_of(line.label) + k_gap, ' ');
    out += line.value;
    end_line(out);
  }
  return out;
}

}  // namespace beltway::tool
