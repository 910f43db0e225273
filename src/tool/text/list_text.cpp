#include "tool/text/list_text.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "tool/text/lifetime.hpp"
#include "tool/text/payload_text.hpp"
#include "tool/text/table.hpp"
#include "watch/format.hpp"
#include "watch/process_info.hpp"
#include "watch/verdicts.hpp"
#include "wire/option_values.hpp"

namespace beltway::tool {

namespace {

using watch::QueueView;

constexpr auto k_orders = std::to_array<std::pair<std::string_view, ListOrder>>({
    {"trouble", ListOrder::trouble},
    {"name", ListOrder::name},
    {"used", ListOrder::used},
    {"lag", ListOrder::lag},
    {"in", ListOrder::in},
    {"out", ListOrder::out},
    {"age", ListOrder::age},
    {"size", ListOrder::size},
});

/// So much of a name is shown at most, so that there is room for figures.
constexpr std::size_t k_name_columns = 24;
/// In less room, what is wrong is not said in words.
constexpr std::size_t k_least_trouble_columns = 16;
constexpr std::size_t k_gap = 2;

/// What is sorted by: the greatest first.
double rank_of(const QueueView& queue, ListOrder order) {
  const auto slots = static_cast<double>(queue.info.options.slots);
  switch (order) {
    case ListOrder::used: return static_cast<double>(queue.used) / slots;
    case ListOrder::lag: return static_cast<double>(queue.lag);
    case ListOrder::in: return queue.rates.in;
    case ListOrder::out: return queue.rates.out;
    case ListOrder::age: return queue.oldest_age ? static_cast<double>(queue.oldest_age->count()) : -1.0;
    case ListOrder::size: return static_cast<double>(queue.info.shared_bytes);
    case ListOrder::trouble:
    case ListOrder::name: break;
  }
  return 0;
}

bool matches_text(const std::string& text, const std::string& filter, bool is_pattern) {
  return is_pattern ? fnmatch(filter.c_str(), text.c_str(), 0) == 0 : text.find(filter) != std::string::npos;
}

/// "!": a process waits or messages are lost; "*": it may come to that; "-": worth knowing. `top` has the same marks.
std::string mark_of(const QueueView& queue) {
  if (!queue.severity()) return "";
  switch (*queue.severity()) {
    case watch::Severity::trouble: return "!";
    case watch::Severity::warning: return "*";
    case watch::Severity::note: break;
  }
  return "-";
}

std::string trouble_of(const QueueView& queue) {
  if (queue.verdicts.empty()) return {};
  const watch::Verdict& verdict = queue.verdicts.front();
  std::string text = printable(verdict.cause.empty() ? verdict.subject : verdict.cause);
  if (queue.verdicts.size() > 1) text += " (and " + std::to_string(queue.verdicts.size() - 1) + " more)";
  return text;
}

/// What finds no room begins with its kind in words, which say the most.
std::string trouble_that_fits(const QueueView& queue, std::size_t room) {
  const std::string text = trouble_of(queue);
  if (queue.verdicts.empty() || columns_of(text) <= room) return text;
  return shortened(watch::kind_words(queue.verdicts.front()) + ": " + text, room);
}

std::string of(unsigned count, std::uint32_t limit) { return std::to_string(count) + "/" + std::to_string(limit); }

std::string groups_cell(const QueueInfo& info) {
  std::string groups;
  for (const NamedGroup& group : info.options.groups) groups += (groups.empty() ? "" : " ") + group.name;
  return groups.empty() ? "-" : groups;
}

std::string percent(const QueueView& queue) {
  if (!queue.readable || queue.info.options.slots == 0) return "-";
  return std::to_string(queue.used * 100 / queue.info.options.slots) + "%";
}

struct Column {
  std::string_view heading;
  std::function<std::string(const QueueView&)> cell;
};

std::string count_or_dash(const QueueView& queue, std::uint64_t count) {
  return queue.readable ? watch::format_count(count) : "-";
}

/// The columns after the name, the most telling first: what finds no room is left out from the end.
std::vector<Column> columns(bool with_rates) {
  std::vector<Column> all{{">FULL", percent},
                          {">LAG", [](const QueueView& queue) { return count_or_dash(queue, queue.lag); }}};
  if (with_rates) {
    all.push_back(
        {">IN", [](const QueueView& queue) { return queue.readable ? watch::format_rate(queue.rates.in) : "-"; }});
    all.push_back(
        {">OUT", [](const QueueView& queue) { return queue.readable ? watch::format_rate(queue.rates.out) : "-"; }});
  }
  all.push_back({">AGE", [](const QueueView& queue) {
                   return queue.oldest_age ? watch::format_duration(*queue.oldest_age) : std::string("-");
                 }});
  all.push_back({">PROD", [](const QueueView& queue) { return std::to_string(queue.producers); }});
  all.push_back({">CONS", [](const QueueView& queue) { return std::to_string(queue.consumers); }});
  all.push_back({"OWNER", [](const QueueView& queue) { return watch::user_name(queue.info.owner_uid); }});
  return all;
}

std::size_t width_of(const std::vector<QueueView>& queues, const Column& column) {
  std::size_t width = columns_of(column.heading) - (column.heading.starts_with('>') ? 1 : 0);
  for (const QueueView& queue : queues) width = std::max(width, columns_of(column.cell(queue)));
  return width;
}

/// How many of the columns find room beside the name and the words of what is wrong.
std::size_t count_that_fit(const std::vector<QueueView>& queues, const std::vector<Column>& all, std::size_t room) {
  std::size_t used = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    used += k_gap + width_of(queues, all[i]);
    if (used > room) return i;
  }
  return all.size();
}

}  // namespace

std::optional<ListOrder> parse_list_order(const std::string& text) {
  for (const auto& [word, order] : k_orders) {
    if (word == text) return order;
  }
  return std::nullopt;
}

std::string list_order_words() {
  std::string words;
  for (const auto& [word, order] : k_orders) words += (words.empty() ? "" : "|") + std::string(word);
  return words;
}

void sort_queues(std::vector<QueueView>& queues, ListOrder order) {
  if (order == ListOrder::trouble) return;
  std::ranges::stable_sort(queues, [order](const QueueView& left, const QueueView& right) {
    const double a = rank_of(left, order);
    const double b = rank_of(right, order);
    return a != b ? a > b : left.info.name < right.info.name;
  });
}

bool matches(const QueueView& queue, const std::string& filter) {
  const bool is_pattern = filter.find_first_of("*?[") != std::string::npos;
  if (matches_text(queue.info.name, filter, is_pattern)) return true;
  if (matches_text(watch::user_name(queue.info.owner_uid), filter, is_pattern)) return true;
  return std::ranges::any_of(queue.info.options.groups,
                             [&](const NamedGroup& group) { return matches_text(group.name, filter, is_pattern); });
}

std::string list_text(const std::vector<QueueView>& queues) {
  Table table{"QUEUE",      ">USED", ">SLOTS", ">SLOT", ">LANE",  ">SIZE",  ">PRODUCERS",
              ">CONSUMERS", "OWNER", "MODE",   "LASTS", "GROUPS", "TROUBLE"};
  for (const QueueView& queue : queues) {
    const QueueInfo& info = queue.info;
    table.add(
        {info.name, queue.readable ? std::to_string(queue.used) : "-", std::to_string(info.options.slots),
         watch::format_size(info.options.slot_bytes), watch::format_size(static_cast<double>(info.options.lane_bytes)),
         watch::format_size(static_cast<double>(info.shared_bytes)), of(queue.producers, info.options.max_producers),
         of(queue.consumers, info.options.max_consumers), watch::user_name(info.owner_uid),
         wire::octal(info.options.mode), lifetime_cell(info), groups_cell(info), trouble_of(queue)});
  }
  return table.text();
}

std::string list_text_fitted(const std::vector<QueueView>& queues, std::size_t width, bool with_rates) {
  std::size_t names = columns_of("QUEUE");
  for (const QueueView& queue : queues) names = std::max(names, columns_of(queue.info.name));
  names = std::min(names, k_name_columns);
  const std::size_t before = 1 + k_gap + names;  // the mark and the name
  const bool has_trouble = std::ranges::any_of(queues, [](const QueueView& each) { return !each.verdicts.empty(); });
  const std::size_t kept = before + (has_trouble ? k_gap + k_least_trouble_columns : 0);
  const std::vector<Column> all = columns(with_rates);
  const std::size_t shown = count_that_fit(queues, all, width > kept ? width - kept : 0);
  std::vector<std::string_view> headings{"", "QUEUE"};
  std::size_t used = before;
  for (std::size_t i = 0; i < shown; ++i) {
    headings.push_back(all[i].heading);
    used += k_gap + width_of(queues, all[i]);
  }
  headings.push_back(has_trouble ? "TROUBLE" : "");
  Table table(headings);
  for (const QueueView& queue : queues) {
    std::vector<std::string> row{mark_of(queue), shortened(queue.info.name, names)};
    for (std::size_t i = 0; i < shown; ++i) row.push_back(all[i].cell(queue));
    row.push_back(used + k_gap < width ? trouble_that_fits(queue, width - used - k_gap) : "");
    table.add(std::move(row));
  }
  return table.text();
}

watch::Json list_json(const watch::Fleet& fleet, const std::vector<watch::QueueView>& queues, bool with_rates) {
  using watch::Json;
  Json list = Json::array();
  for (const watch::QueueView& queue : queues) {
    Json json = watch::to_json(queue.info);
    json["position"] = queue.readable ? Json(queue.position) : Json(nullptr);
    json["used"] = queue.readable ? Json(queue.used) : Json(nullptr);
    json["lag"] = queue.readable ? Json(queue.lag) : Json(nullptr);
    if (with_rates) json["rates"] = watch::to_json(queue.rates);
    json["verdicts"] = watch::to_json(queue.verdicts);
    list.push_back(std::move(json));
  }
  return {{"daemon", watch::to_json(fleet.daemon)},
          {"queues", std::move(list)},
          {"verdicts", watch::to_json(fleet.verdicts)}};
}

}  // namespace beltway::tool
