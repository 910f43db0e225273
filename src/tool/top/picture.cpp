// The whole screen: header, lines of the page, footer, dialog.
#include <algorithm>
#include <array>
#include <ctime>

#include "tool/text/units.hpp"
#include "tool/top/pages.hpp"

namespace beltway::tool {

namespace {

constexpr Style k_bar_style{.reverse = true};

std::string clock_text(std::int64_t at_s) {
  const std::time_t at = at_s;
  std::tm local{};
  localtime_r(&at, &local);
  std::array<char, 16> text{};
  std::strftime(text.data(), text.size(), "%H:%M:%S", &local);
  return text.data();
}

std::string count_text(std::size_t count, const std::string& one, const std::string& more) {
  return std::to_string(count) + ' ' + (count == 1 ? one : more);
}

std::size_t count_of(const watch::Fleet& fleet, watch::Severity severity) {
  return static_cast<std::size_t>(
      std::count_if(fleet.queues.begin(), fleet.queues.end(),
                    [severity](const watch::QueueView& queue) { return queue.severity() == severity; }));
}

std::string totals_text(const watch::Fleet& fleet) {
  const std::size_t troubles = count_of(fleet, watch::Severity::trouble);
  const std::size_t warnings = count_of(fleet, watch::Severity::warning);
  std::string text = count_text(fleet.queues.size(), "queue", "queues");
  text += troubles == 0 && warnings == 0 ? ", no trouble" : "";
  if (troubles != 0) text += ", " + std::to_string(troubles) + " in trouble";
  if (warnings != 0) text += ", " + count_text(warnings, "warning", "warnings");
  return text + "  in " + short_number(fleet.rates.in) + "/s out " + short_number(fleet.rates.out) + "/s";
}

std::string main_title(const TopState& state, const watch::Fleet& fleet) {
  static constexpr std::size_t k_with_memory = 100;
  std::string title = "beltway top  ";
  if (!state.selection.filter.empty()) title += "/" + state.selection.filter + "  ";
  title += totals_text(fleet);
  if (state.size.columns >= k_with_memory) title += "  memory " + format_size(static_cast<double>(fleet.shared_bytes));
  return title;
}

/// "beltway top  ...           12:00:00"
void draw_title(Grid& grid, const std::string& title, const TopData& data) {
  grid.put(0, 1, title);
  const std::string clock = clock_text(data.at_s);
  const std::size_t columns = grid.size().columns;
  if (columns > clock.size() + 40) grid.put(0, columns - clock.size() - 2, ' ' + clock + ' ');
  grid.mark(0, k_bar_style);
}

/// The daemon that was asked; or what is wrong with it.
void draw_daemon(Grid& grid, std::size_t row, const watch::Fleet& fleet) {
  const std::string who =
      "beltwayd " + fleet.daemon.version + " pid " + std::to_string(fleet.daemon.pid) + " at " + fleet.daemon.socket;
  if (!fleet.daemon_answers) {
    const std::string since =
        fleet.daemon_gone_for ? " for " + short_duration(std::chrono::duration<double>(*fleet.daemon_gone_for).count())
                              : std::string();
    grid.put(row, 0, "! the daemon does not answer" + since + "; below is the last known state. " + who,
             {Ink::trouble, true});
  } else if (!fleet.verdicts.empty()) {
    const watch::Verdict& verdict = fleet.verdicts.front();
    const std::size_t count = fleet.verdicts.size();
    const std::string of = count == 1 ? std::string() : "1 of " + std::to_string(count) + ": ";
    grid.put(row, 0, std::string(1, mark_of(verdict.severity)) + ' ' + of + words_of(verdict),
             {ink_of(verdict.severity), true});
  } else {
    grid.put(row, 0, "  " + who, {Ink::quiet});
  }
}

void draw_lines(Grid& grid, const std::vector<PageLine>& lines, const Cursor& cursor, bool marked,
                const PageLayout& layout) {
  for (std::size_t i = 0; i < layout.body && cursor.first + i < lines.size(); ++i) {
    put_spans(grid, layout.header + i, lines[cursor.first + i].spans);
    if (marked && cursor.first + i == cursor.line) grid.mark(layout.header + i, k_bar_style);
  }
}

std::string place_text(const Cursor& cursor, std::size_t lines, std::size_t seen) {
  if (lines <= seen) return {};
  return "  lines " + std::to_string(cursor.first + 1) + "-" + std::to_string(std::min(cursor.first + seen, lines)) +
         " of " + std::to_string(lines);
}

void draw_queue(Grid& grid, const TopState& state, const TopData& data, const PageLayout& layout) {
  if (!data.open) {
    draw_title(grid, "queue " + state.open_queue, data);
    grid.put(layout.header, 1, data.open_trouble.empty() ? "looking..." : data.open_trouble, {Ink::warning});
    return;
  }
  const std::vector<PageLine> lines = queue_lines(*data.open, state.size.columns, state.charset);
  const std::string gone = data.fleet->daemon_answers ? "" : "  THE DAEMON DOES NOT ANSWER";
  draw_title(grid, "queue " + state.open_queue + gone + place_text(state.queue, lines.size(), layout.body), data);
  draw_lines(grid, lines, state.queue, true, layout);
}

std::string list_title(const TopState& state) {
  return "messages of " + state.open_queue +
         (state.messages_group.empty() ? ", the whole ring" : ", group " + state.messages_group);
}

/// Which of the messages the list has; empty: all.
std::string part_of(const MessageList& list) {
  if (!list.more_before) return list.cut ? ", the oldest of them" : "";
  return list.cut ? ", a part of them" : ", the newest of them";
}

void draw_messages(Grid& grid, const TopState& state, const TopData& data, const PageLayout& layout) {
  const MessageList* const list = list_of(state, data);
  if (list == nullptr || !list->trouble.empty()) {
    draw_title(grid, list_title(state), data);
    grid.put(layout.header, 1, list != nullptr ? list->trouble : "looking...", {Ink::warning});
    return;
  }
  const std::size_t count = list->messages.size();
  draw_title(grid, list_title(state) + part_of(*list) + place_text(state.messages, count, layout.body), data);
  grid.put(1, 0, message_list_heading(), {.bold = true});
  const Cursor seen{.line = state.messages.line - std::min(state.messages.line, state.messages.first)};
  draw_lines(grid, message_list_lines(*list, state.messages.first, layout.body), seen, true, layout);
  if (count == 0) {
    grid.put(
        layout.header, 1,
        list->more_before ? "there are no messages from here on; Home goes to the oldest" : "there are no messages");
  }
}

void draw_message(Grid& grid, const TopState& state, const TopData& data, const PageLayout& layout) {
  const std::string title = "message " + std::to_string(state.position) + " of " + state.open_queue;
  if (!data.message) {
    draw_title(grid, title, data);
    grid.put(layout.header, 1, "looking...", {Ink::warning});
    return;
  }
  const std::vector<PageLine> lines = message_lines(*data.message, state.form, state.size.columns, state.charset);
  draw_title(grid, title + place_text(state.message, lines.size(), layout.body), data);
  draw_lines(grid, lines, state.message, false, layout);
}

std::string keys_of(Page page) {
  switch (page) {
    case Page::queues: return "Enter open  s sort  r reverse  / filter  u update  ? help  q quit";
    case Page::queue: return "a act  m messages  Tab next group or process  u update  ? help  Esc back";
    case Page::messages: return "Enter open  a act  / search  n next  g go to  u update  ? help  Esc back";
    case Page::message: return "t text  h hex  j JSON  a act  n next  p previous  ? help  Esc back";
  }
  return {};
}

std::string prompt_of(const TopState& state) {
  switch (state.input) {
    case Input::filter: return "filter (name, group or owner; * and ?): ";
    case Input::search: return "search for: ";
    case Input::go_to: return "go to position (1200) or age (10m): ";
    case Input::reset_to: return "begin at oldest, latest, a position, a time or an age: ";
    case Input::move_to: return "move to queue: ";
  }
  return {};
}

void draw_footer(Grid& grid, const TopState& state) {
  const std::size_t row = state.size.rows - 1;
  if (state.dialog == Dialog::input) {
    // The end of a long text is what one types.
    const std::string prompt = prompt_of(state);
    std::string text = state.typed;
    while (!text.empty() && width_of(prompt + text, state.charset) + 2 > state.size.columns) {
      const std::vector<Glyph> glyphs = glyphs_of(text, state.charset);
      text.erase(0, std::max<std::size_t>(1, glyphs.front().bytes.size()));
    }
    const std::size_t end = grid.put(row, grid.put(row, 0, prompt, {.bold = true}), text);
    grid.put(row, end, "_", {.reverse = true});
  } else if (!state.status.empty()) {
    grid.put(row, 0, state.status, {.ink = state.status_ink, .bold = true});
  } else {
    grid.put(row, 1, keys_of(state.page));
    grid.mark(row, k_bar_style);
  }
}

void draw_help(Grid& grid, const TopState& state, const TopData& data) {
  const std::vector<PageLine> lines = help_lines(state.page, state.size.columns, state.charset);
  const PageLayout layout{.header = 1, .body = state.size.rows > 2 ? state.size.rows - 2 : 0};
  draw_title(grid, "help" + place_text(state.help, lines.size(), layout.body), data);
  draw_lines(grid, lines, state.help, false, layout);
  grid.put(state.size.rows - 1, 1, "arrows scroll, any other key goes back");
  grid.mark(state.size.rows - 1, k_bar_style);
}

}  // namespace

PageLayout layout_of(Page page, Size size) noexcept {
  static constexpr std::size_t k_panel_rows = 3;
  static constexpr std::size_t k_rows_with_panel = 12;
  PageLayout layout;
  if (page == Page::queues) layout.header = 3;
  if (page == Page::messages) layout.header = 2;
  if (page == Page::queues && size.rows >= k_rows_with_panel) layout.panel = k_panel_rows;
  const std::size_t around = layout.header + layout.panel + layout.footer;
  layout.body = size.rows > around ? size.rows - around : 0;
  return layout;
}

void put_spans(Grid& grid, std::size_t row, const std::vector<Span>& spans) {
  std::size_t column = 0;
  for (const Span& span : spans) column = grid.put(row, column, span.text, span.style);
}

Grid picture_of(const TopState& state, const TopData& data) {
  Grid grid(state.size, state.charset);
  if (state.size.rows == 0 || state.size.columns == 0) return grid;
  if (state.dialog == Dialog::help) {
    draw_help(grid, state, data);
    return grid;
  }
  const PageLayout layout = layout_of(state.page, state.size);
  switch (state.page) {
    case Page::queues:
      draw_title(grid, main_title(state, *data.fleet), data);
      draw_daemon(grid, 1, *data.fleet);
      draw_queues(grid, state, data, layout);
      break;
    case Page::queue: draw_queue(grid, state, data, layout); break;
    case Page::messages: draw_messages(grid, state, data, layout); break;
    case Page::message: draw_message(grid, state, data, layout); break;
  }
  grid.fill(state.size.rows - 1, 0, {});
  draw_footer(grid, state);
  draw_dialog(grid, state, data);
  return grid;
}

}  // namespace beltway::tool
