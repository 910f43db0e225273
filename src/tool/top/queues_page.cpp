// The list of queues: one row each, and the verdict of the marked one in full.
#include <algorithm>

#include "tool/top/bars.hpp"
#include "tool/top/pages.hpp"
#include "watch/verdicts.hpp"

namespace beltway::tool {

namespace {

/// Columns of the list, as wide as the screen allows.
struct Widths {
  std::size_t name = 16;
  std::size_t bar = 6;
  std::size_t past = 10;
  std::size_t verdict = 0;
};

constexpr std::size_t k_mark = 2;
constexpr std::size_t k_rate = 5;
constexpr std::size_t k_percent = 5;
constexpr std::size_t k_age = 6;
constexpr std::size_t k_gap = 1;

Widths widths_of(std::size_t columns, const std::vector<const watch::QueueView*>& queues) {
  static constexpr std::size_t k_usual = 80;
  const std::size_t more = columns > k_usual ? columns - k_usual : 0;
  Widths widths;
  std::size_t longest = 8;
  for (const watch::QueueView* queue : queues) longest = std::max(longest, queue->info.name.size());
  widths.name = std::min<std::size_t>(longest, 16 + more / 4);
  widths.past = std::min<std::size_t>(60, 10 + more / 4);
  widths.bar = std::min<std::size_t>(12, 6 + more / 12);
  const std::size_t taken = k_mark + widths.name + 2 * (k_gap + k_rate) + k_gap + widths.bar + k_percent + k_gap +
                            widths.past + k_gap + k_age + k_gap;
  widths.verdict = columns > taken ? columns - taken : 0;
  return widths;
}

Style heading_style(const TopState& state, QueueSort sort) {
  return {.bold = true, .underline = state.selection.sort == sort};
}

void draw_heading(Grid& grid, std::size_t row, const TopState& state, const Widths& widths) {
  const Charset charset = grid.charset();
  std::size_t column = k_mark;
  const auto add = [&](const std::string& text, std::size_t width, Align align, QueueSort sort) {
    const std::string cell = fitted(text, width, charset, align);
    const std::size_t blanks = align == Align::right ? cell.find_first_not_of(' ') : 0;
    grid.put(row, column + blanks, text, heading_style(state, sort));
    column += width + k_gap;
  };
  add("NAME", widths.name, Align::left, QueueSort::name);
  add("IN/s", k_rate, Align::right, QueueSort::in);
  add("OUT/s", k_rate, Align::right, QueueSort::out);
  add("DEPTH", widths.bar + k_percent, Align::left, QueueSort::depth);
  grid.put(row, column, "IN, 60 s", {.bold = true});
  column += widths.past + k_gap;
  add("AGE", k_age, Align::right, QueueSort::age);
  add("WHY", widths.verdict, Align::left, QueueSort::trouble);
}

std::string percent_text(double share) { return short_number(std::min(share, 1.0) * 100) + "%"; }

/// The age of the oldest message; "~": as depth and rate say.
std::string age_text(const watch::QueueView& queue) {
  if (!queue.oldest_age && !queue.delay) return "-";
  return (queue.oldest_age ? "" : "~") + short_duration(age_of(queue));
}

std::vector<float> past_of(const watch::QueueView& queue) {
  std::vector<float> values;
  values.reserve(queue.history.size());
  for (const watch::HistoryPoint& point : queue.history) values.push_back(point.in_per_s);
  return values;
}

/// Words that find no room begin with their kind, which says the most, unless the subject says it: "is full".
std::string why_text(const watch::QueueView& queue, std::size_t room) {
  if (!queue.readable) return "no right to read";
  if (queue.removed) return "removed";
  if (queue.verdicts.empty()) return {};
  const watch::Verdict& verdict = queue.verdicts.front();
  const std::string words = words_of(verdict);
  if (verdict.subject != verdict.queue || words.size() <= room) return words;
  return watch::kind_words(verdict) + ": " + words;
}

Style row_style(const watch::QueueView& queue) {
  if (!queue.readable || queue.removed) return {.ink = Ink::quiet};
  const std::optional<watch::Severity> severity = queue.severity();
  if (!severity) return {};
  return {.ink = ink_of(*severity), .bold = *severity == watch::Severity::trouble};
}

void draw_row(Grid& grid, std::size_t row, const watch::QueueView& queue, const Widths& widths, bool marked) {
  const Charset charset = grid.charset();
  const Style style = row_style(queue);
  std::size_t column = k_mark;
  const auto add = [&](const std::string& text, std::size_t width, Align align, Style with) {
    grid.put(row, column, fitted(text, width, charset, align), with);
    column += width + k_gap;
  };
  const auto known = [&](const std::string& text) { return queue.readable ? text : std::string("-"); };
  if (queue.severity()) grid.put(row, 0, std::string(1, mark_of(*queue.severity())), style);
  add(queue.info.name, widths.name, Align::left, style);
  add(known(short_number(queue.rates.in)), k_rate, Align::right, {});
  add(known(short_number(queue.rates.out)), k_rate, Align::right, {});
  if (queue.readable) grid.put(row, column, bar(depth_of(queue), widths.bar, charset), style);
  grid.put(row, column + widths.bar, fitted(known(percent_text(depth_of(queue))), k_percent, charset, Align::right));
  column += widths.bar + k_percent + k_gap;
  add(sparkline(past_of(queue), widths.past, charset), widths.past, Align::left, {Ink::note});
  add(known(age_text(queue)), k_age, Align::right, {});
  add(why_text(queue, widths.verdict), widths.verdict, Align::left, style);
  if (marked) grid.mark(row, {.ink = style.ink, .bold = style.bold, .reverse = true});
}

/// The marked queue in words. Its remedy is the most useful line, so it always has room.
void draw_panel(Grid& grid, std::size_t row, std::size_t rows, const watch::QueueView& queue) {
  if (queue.verdicts.empty()) {
    const std::string trouble = !queue.readable ? "you have no right to read it"
                                : queue.removed ? "it was removed"
                                                : "no trouble";
    grid.put(row, 0, "  " + queue.info.name + ": " + trouble, {Ink::quiet});
    return;
  }
  const watch::Verdict& verdict = queue.verdicts.front();
  std::vector<PageLine> lines;
  watch::Verdict words = verdict;
  words.remedies.clear();
  add_verdict_lines(lines, words, grid.size().columns, grid.charset());
  const std::size_t for_remedy = verdict.remedies.empty() ? 0 : 1;
  for (std::size_t i = 0; i + for_remedy < rows && i < lines.size(); ++i) put_spans(grid, row + i, lines[i].spans);
  if (for_remedy != 0) {
    const std::size_t at = row + std::min(rows - 1, lines.size());
    const std::size_t column = grid.put(at, 4, verdict.remedies.front().command, {.bold = true});
    grid.put(at, column + 3, verdict.remedies.front().effect, {Ink::quiet});
  }
}

}  // namespace

void draw_queues(Grid& grid, const TopState& state, const TopData& data, const PageLayout& layout) {
  const std::vector<const watch::QueueView*> queues = selected_queues(*data.fleet, state.selection);
  const Widths widths = widths_of(grid.size().columns, queues);
  draw_heading(grid, 2, state, widths);
  for (std::size_t i = 0; i < layout.body && state.queues.first + i < queues.size(); ++i) {
    const std::size_t index = state.queues.first + i;
    draw_row(grid, layout.header + i, *queues[index], widths, index == state.queues.line);
  }
  if (queues.empty()) {
    const std::string none = state.selection.filter.empty()
                                 ? "there are no queues"
                                 : "no queue fits the filter \"" + state.selection.filter + "\"; Esc clears it";
    grid.put(layout.header, 1, none, {Ink::quiet});
  } else if (layout.panel > 0) {
    draw_panel(grid, layout.header + layout.body, layout.panel,
               *queues[std::min(state.queues.line, queues.size() - 1)]);
  }
}

}  // namespace beltway::tool
