// Menus and questions, drawn over the page.
#include <algorithm>

#include "tool/top/pages.hpp"

namespace beltway::tool {

namespace {

/// Lines in a box in the lower half of the screen. The last lines are the most important ones.
void draw_box(Grid& grid, const std::vector<PageLine>& lines) {
  const Size size = grid.size();
  const std::size_t rows = std::min(lines.size() + 1, size.rows > 1 ? size.rows - 1 : 0);
  const std::size_t first = size.rows - 1 - rows;
  const std::size_t left_out = lines.size() + 1 - rows;
  for (std::size_t row = 0; row < rows; ++row) {
    grid.fill(first + row, 0, {});
    if (row == 0) {
      grid.put(first, 0, std::string(size.columns, '-'), {Ink::quiet});
    } else {
      put_spans(grid, first + row, lines[row - 1 + left_out].spans);
    }
  }
}

void add_wrapped(std::vector<PageLine>& lines, const std::string& text, const Grid& grid, Style style = {}) {
  const std::size_t width = grid.size().columns > 4 ? grid.size().columns - 4 : 1;
  for (const std::string& line : wrapped(text, width, grid.charset()))
    lines.push_back({.spans = {{"  " + line, style}}});
}

void draw_sort_menu(Grid& grid, const TopState& state) {
  std::vector<PageLine> lines{heading_line("  Sort by")};
  for (const QueueSortName& each : k_queue_sorts) {
    const bool now = each.sort == state.selection.sort;
    lines.push_back({.spans = {{std::string("    ") + each.key, {.bold = true}},
                               {"  " + std::string(each.name) + (now ? "  (now)" : "")}}});
  }
  draw_box(grid, lines);
}

void draw_acts_menu(Grid& grid, const TopState& state) {
  std::vector<PageLine> lines{heading_line("  What shall be done? Any other key: nothing")};
  for (const ActChoice& choice : state.choices) {
    lines.push_back({.spans = {{std::string("    ") + choice.key, {.bold = true}}, {"  " + choice.label}}});
  }
  const bool is_queue = state.page == Page::queue;
  lines.push_back({.spans = {{is_queue ? "  Other groups and consumers: mark their line first."
                                       : "  Another group: open the list of its messages first.",
                              {Ink::quiet}}}});
  draw_box(grid, lines);
}

void draw_question(Grid& grid, const TopState& state, const TopData& data) {
  std::vector<PageLine> lines;
  lines.push_back({.spans = {{"  " + command_of(state.act), {.bold = true}}}});
  if (data.open) add_wrapped(lines, consequence_of(state.act, data.open->detail), grid, {Ink::warning});
  const std::string wanted = confirmation_of(state.act);
  if (wanted.size() == 1) {
    add_wrapped(lines, "Type " + wanted + " to do it. Any other key: nothing is done.", grid);
  } else {
    add_wrapped(lines, "Type the name of the queue and Enter to do it. Esc: nothing is done.", grid);
    lines.push_back({.spans = {{"  name: "}, {state.typed, {.bold = true}}, {"_", {.reverse = true}}}});
  }
  draw_box(grid, lines);
}

}  // namespace

void draw_dialog(Grid& grid, const TopState& state, const TopData& data) {
  switch (state.dialog) {
    case Dialog::none:
    case Dialog::help:
    case Dialog::input: break;
    case Dialog::sort: draw_sort_menu(grid, state); break;
    case Dialog::acts: draw_acts_menu(grid, state); break;
    case Dialog::confirm: draw_question(grid, state, data); break;
  }
}

}  // namespace beltway::tool
