// A queue in full: figures, past, ring, verdicts, groups. Its endpoints: endpoint_lines.cpp.
#include <algorithm>
#include <array>
#include <cstdio>

#include "beltway/detail/words.hpp"
#include "tool/text/units.hpp"
#include "tool/top/bars.hpp"
#include "tool/top/pages.hpp"

namespace beltway::tool {

namespace {

std::string seconds_text(const std::optional<watch::Nanoseconds>& time) {
  return time ? short_duration(std::chrono::duration<double>(*time).count()) : "-";
}

std::string of_text(std::uint64_t part, std::uint64_t all) { return format_count(part) + " of " + format_count(all); }

std::string mode_text(std::uint32_t mode) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%04o", static_cast<unsigned>(mode & 0777U));
  return text.data();
}

/// Facts with gaps between them, in as many lines as they need.
void add_facts(std::vector<PageLine>& lines, const std::vector<std::string>& facts, std::size_t width,
               Charset charset) {
  static constexpr std::string_view k_gap = "   ";
  std::string line;
  for (const std::string& fact : facts) {
    if (!line.empty() && width_of(line, charset) + k_gap.size() + width_of(fact, charset) + 1 > width) {
      lines.push_back({.spans = {{' ' + line}}});
      line.clear();
    }
    line += (line.empty() ? "" : std::string(k_gap)) + fact;
  }
  lines.push_back({.spans = {{' ' + line}}});
}

void add_state(std::vector<PageLine>& lines, const OpenQueue& open, std::size_t width, Charset charset) {
  const QueueSnapshot& snapshot = open.detail.snapshot;
  const QueueInfo& info = snapshot.info;
  const auto owner = open.users.find(info.owner_uid);
  std::vector<std::string> facts{
      "position " + std::to_string(snapshot.position),
      "used " + of_text(snapshot.used, info.options.slots) + " [" + bar(depth_of(open.detail.view), 10, charset) + "]",
      "parked " + of_text(snapshot.parked, snapshot.max_parked),
      "memory " + format_size(static_cast<double>(info.shared_bytes)),
      "owner " + (owner == open.users.end() ? std::to_string(info.owner_uid) : owner->second) + " " +
          mode_text(info.options.mode)};
  if (!info.options.description.empty()) facts.push_back(info.options.description);
  if (snapshot.removed) facts.emplace_back("REMOVED");
  add_facts(lines, facts, width, charset);
}

void add_rates(std::vector<PageLine>& lines, const watch::QueueView& view, std::size_t width, Charset charset) {
  const watch::Rates& rates = view.rates;
  std::vector<std::string> facts{"in " + short_number(rates.in) + "/s " + format_size(rates.bytes_in) + "/s",
                                 "out " + short_number(rates.out) + "/s " + format_size(rates.bytes_out) + "/s",
                                 "lag " + format_count(view.lag), "delay " + seconds_text(view.delay),
                                 "oldest " + seconds_text(view.oldest_age)};
  if (rates.redelivered > 0) facts.push_back("redelivered " + short_number(rates.redelivered) + "/s");
  if (rates.dead_lettered > 0) facts.push_back("dead-lettered " + short_number(rates.dead_lettered) + "/s");
  if (rates.lost > 0) facts.push_back("lost " + short_number(rates.lost) + "/s");
  add_facts(lines, facts, width, charset);
}

void add_past(std::vector<PageLine>& lines, const watch::QueueView& view, std::size_t width, Charset charset) {
  const std::size_t columns = std::min<std::size_t>(60, width > 12 ? width - 12 : 0);
  const auto add = [&](const std::string& label, float watch::HistoryPoint::* member) {
    std::vector<float> values;
    for (const watch::HistoryPoint& point : view.history) values.push_back(point.*member);
    if (values.size() > columns) values.erase(values.begin(), values.end() - static_cast<std::ptrdiff_t>(columns));
    const float highest = values.empty() ? 0 : *std::max_element(values.begin(), values.end());
    lines.push_back({.spans = {{label},
                               {sparkline(values, columns, charset), {Ink::note}},
                               {" " + short_number(static_cast<double>(highest)) + " at most", {Ink::quiet}}}});
  };
  add(" in/s  ", &watch::HistoryPoint::in_per_s);
  add(" out/s ", &watch::HistoryPoint::out_per_s);
  add(" lag   ", &watch::HistoryPoint::lag);
}

void add_ring(std::vector<PageLine>& lines, const watch::RingStrip& strip, std::size_t width, Charset charset) {
  if (strip.cells.empty()) return;
  std::vector<Span> ring = strip_spans(strip);
  ring.insert(ring.begin(), {" |"});
  ring.push_back({"|"});
  lines.push_back({.spans = std::move(ring)});
  if (!strip.floors.empty()) lines.push_back({.spans = {{"  " + floors_row(strip), {.bold = true}}}});
  // The first lap has no oldest position yet.
  const bool is_first_lap = detail::distance(strip.first, 0) < 0;
  std::string legend = is_first_lap ? "first lap: " : "from position " + std::to_string(strip.first) + ": ";
  legend += strip_legend(strip);
  if (!strip.floors.empty()) legend += "; floors: " + floors_legend(strip);
  for (const std::string& line : wrapped(legend, width > 2 ? width - 2 : 1, charset))
    lines.push_back({.spans = {{"  " + line, {Ink::quiet}}}});
}

const watch::GroupView* find_view(const watch::QueueView& view, const std::string& group) {
  const auto found = std::find_if(view.groups.begin(), view.groups.end(),
                                  [&](const watch::GroupView& each) { return each.name == group; });
  return found == view.groups.end() ? nullptr : &*found;
}

struct GroupColumn {
  std::string_view heading;
  std::size_t width;
};
constexpr std::array k_group_columns{GroupColumn{"LAG", 5},   GroupColumn{"IN/s", 5},  GroupColumn{"OUT/s", 5},
                                     GroupColumn{"DELAY", 5}, GroupColumn{"FULL", 5},  GroupColumn{"AGE", 5},
                                     GroupColumn{"HELD", 5},  GroupColumn{"AGAIN", 5}, GroupColumn{"PARK", 4},
                                     GroupColumn{"DEAD", 4},  GroupColumn{"CONS", 4}};
constexpr std::size_t k_group_name = 12;
constexpr std::size_t k_usual_width = 80;

std::size_t name_width(std::size_t width) {
  return k_group_name + (width > k_usual_width ? std::min<std::size_t>((width - k_usual_width) / 2, 24) : 0);
}

std::string group_row(const GroupState& state, const watch::GroupView& view, std::size_t width, Charset charset) {
  // A paused group has no delay: it receives nothing.
  const std::array<std::string, k_group_columns.size()> cells{
      short_number(static_cast<double>(view.lag)),
      short_number(view.in_per_s),
      short_number(view.out_per_s),
      state.paused_for ? "pause" : seconds_text(view.delay),
      seconds_text(view.time_to_full),
      seconds_text(view.oldest_age),
      short_number(static_cast<double>(state.leased)),
      short_number(static_cast<double>(state.retry + state.delayed)),
      short_number(static_cast<double>(state.parked)),
      short_number(static_cast<double>(state.dead_lettered)),
      std::to_string(state.consumers.size())};
  std::string row = "  " + fitted(state.name, name_width(width), charset);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    row += ' ' + fitted(cells[i], k_group_columns[i].width, charset, Align::right);
  }
  return row;
}

}  // namespace

void add_group_lines(std::vector<PageLine>& lines, const watch::QueueDetail& detail, std::size_t width,
                     Charset charset) {
  std::string heading = "  " + fitted("GROUP", name_width(width), charset);
  for (const GroupColumn& column : k_group_columns)
    heading += ' ' + fitted(column.heading, column.width, charset, Align::right);
  lines.push_back(heading_line(heading));
  if (detail.snapshot.groups.empty()) lines.push_back({.spans = {{"  there is no named group", {Ink::quiet}}}});
  for (const GroupState& group : detail.snapshot.groups) {
    const watch::GroupView* const found = find_view(detail.view, group.name);
    watch::GroupView view = found == nullptr ? watch::GroupView{} : *found;
    if (found == nullptr) view.lag = group.depth;
    lines.push_back(
        {.spans = {{group_row(group, view, width, charset), {.ink = group.paused_for ? Ink::warning : Ink::plain}}},
         .target = Target{.kind = Target::Kind::group, .name = group.name}});
  }
  for (const LeavingGroup& group : detail.snapshot.leaving) {
    lines.push_back({.spans = {{"  " + group.name + " was removed, and keeps its place: consumers hold " +
                                    format_count(group.leased) + " of its messages",
                                {Ink::warning}}}});
  }
}

void add_routes(std::vector<PageLine>& lines, const watch::QueueView& view) {
  for (const watch::RouteView& route : view.routes) {
    const std::string there = route.exchange.empty() ? route.remote : route.exchange + "//" + route.remote;
    lines.push_back(
        {.spans = {{(route.direction == "out" ? " bridge to " : " bridge from ") + there + ": " + route.state + ", " +
                        format_count(route.remaining) + " wait, " + format_count(route.in_flight) + " on their way, " +
                        format_count(route.confirmed) + " confirmed",
                    {route.state == "running" ? Ink::plain : Ink::warning}}}});
  }
}

std::vector<PageLine> queue_lines(const OpenQueue& open, std::size_t width, Charset charset) {
  std::vector<PageLine> lines;
  add_state(lines, open, width, charset);
  add_rates(lines, open.detail.view, width, charset);
  add_routes(lines, open.detail.view);
  if (open.detail.view.verdicts.empty()) lines.push_back({.spans = {{" no trouble", {Ink::good}}}});
  for (const watch::Verdict& verdict : open.detail.view.verdicts) add_verdict_lines(lines, verdict, width, charset);
  lines.emplace_back();
  add_ring(lines, open.detail.strip, width, charset);
  add_past(lines, open.detail.view, width, charset);
  lines.emplace_back();
  add_age_lines(lines, open.detail, width, charset);
  add_group_lines(lines, open.detail, width, charset);
  add_endpoint_lines(lines, open, width, charset);
  return lines;
}

}  // namespace beltway::tool
