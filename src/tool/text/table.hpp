// Text in aligned columns, for people.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace beltway::tool {

/// Characters that a UTF-8 text takes on a terminal, as far as a code point is one column.
[[nodiscard]] std::size_t columns_of(std::string_view text) noexcept;

/// Rows of cells under a header. A column whose heading starts with '>' is aligned to the right.
class Table {
 public:
  Table(std::initializer_list<std::string_view> headings) : Table(std::vector(headings)) {}
  explicit Table(const std::vector<std::string_view>& headings);

  /// Missing cells at the end stay empty; more than there are headings are left out.
  void add(std::vector<std::string> row);
  [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }

  /// Header and rows, each line indented by `indent` blanks and ended by a newline, without blanks at line ends. Where lines were
  /// longer than `width` columns (0: no limit), the table is told in parts, one below the other, each with the first column.
  [[nodiscard]] std::string text(std::size_t indent = 0, std::size_t width = 0) const;

 private:
  struct Column {
    std::string heading;
    bool right = false;
  };
  using Part = std::vector<std::size_t>;  // columns by number
  [[nodiscard]] std::vector<std::size_t> widths() const;
  [[nodiscard]] static std::vector<Part> parts_of(const std::vector<std::size_t>& widths, std::size_t room);
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// "label   value" lines with the values in one column.
class Facts {
 public:
  void add(std::string label, std::string value) { lines_.push_back({std::move(label), std::move(value)}); }
  /// Values that go beyond `width` columns (0: no limit) go on in the next line.
  [[nodiscard]] std::string text(std::size_t indent = 0, std::size_t width = 0) const;

 private:
  struct Line {
    std::string label;
    std::string value;
  };
  std::vector<Line> lines_;
};

}  // namespace beltway::tool
