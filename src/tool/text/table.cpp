// Aligning of columns.
#include "tool/text/table.hpp"

#include <algorithm>

#include "tool/text/wrapped.hpp"

namespace beltway::tool {

namespace {

constexpr std::size_t k_gap = 2;
/// In less room, lines break where the terminal breaks them.
constexpr std::size_t k_least_value_columns = 16;

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

Table::Table(const std::vector<std::string_view>& headings) {
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

std::vector<std::size_t> Table::widths() const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = columns_of(columns_[i].heading);
    for (const auto& row : rows_) width = std::max(width, columns_of(row[i]));
    widths.push_back(width);
  }
  return widths;
}

std::vector<Table::Part> Table::parts_of(const std::vector<std::size_t>& widths, std::size_t room) {
  std::vector<Part> parts{{}};
  std::size_t used = 0;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    Part& part = parts.back();
    const std::size_t more = widths[i] + (part.empty() ? 0 : k_gap);
    // A part has at least one column beside the first, however wide that is.
    if (room == 0 || used + more <= room || part.size() < 2) {
      part.push_back(i);
      used += more;
    } else {
      parts.push_back({0, i});
      used = widths[0] + k_gap + widths[i];
    }
  }
  return parts;
}

std::string Table::text(std::size_t indent, std::size_t width) const {
  const std::vector<std::size_t> widths = this->widths();
  std::string out;
  const auto add_line = [&](const Part& part, const auto& cell_of) {
    out.append(indent, ' ');
    for (const std::size_t column : part) {
      const std::string_view cell = cell_of(column);
      const std::string padding(widths[column] - columns_of(cell), ' ');
      if (column != part.front()) out.append(k_gap, ' ');
      if (columns_[column].right) out += padding;
      out += cell;
      if (!columns_[column].right) out += padding;
    }
    end_line(out);
  };
  for (const Part& part : parts_of(widths, width > indent ? width - indent : 0)) {
    if (!out.empty()) out += '\n';
    add_line(part, [this](std::size_t column) -> std::string_view { return columns_[column].heading; });
    for (const auto& row : rows_)
      add_line(part, [&row](std::size_t column) -> std::string_view { return row[column]; });
  }
  return out;
}

std::string Facts::text(std::size_t indent, std::size_t width) const {
  std::size_t labels = 0;
  for (const Line& line : lines_) labels = std::max(labels, columns_of(line.label));
  const std::size_t begin = indent + labels + k_gap;
  std::string out;
  for (const Line& line : lines_) {
    out.append(indent, ' ');
    out += line.label;
    out.append(labels - columns_of(line.label) + k_gap, ' ');
    out += width > begin + k_least_value_columns ? wrapped(line.value, width - begin, begin) : line.value;
    end_line(out);
  }
  return out;
}

}  // namespace beltway::tool
