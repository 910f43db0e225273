#include "tool/top/batch.hpp"

#include <array>
#include <ctime>

#include "tool/text/table.hpp"
#include "tool/text/units.hpp"
#include "tool/top/pages.hpp"
#include "watch/json.hpp"
#include "watch/process_info.hpp"

namespace beltway::tool {

namespace {

std::string time_text(std::int64_t at_s) {
  const std::time_t at = at_s;
  std::tm utc{};
  gmtime_r(&at, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text.data();
}

std::string seconds_text(const std::optional<watch::Nanoseconds>& time) {
  return time ? short_duration(std::chrono::duration<double>(*time).count()) : "-";
}

void add_row(Table& table, const watch::QueueView& queue) {
  const std::string mark = queue.severity() ? std::string(1, mark_of(*queue.severity())) : std::string();
  if (!queue.readable) {
    table.add({mark, queue.info.name, "-", "-", "-", std::to_string(queue.info.options.slots), "-", "-", "-", "-", "-",
               "no_right_to_read"});
    return;
  }
  table.add({mark, queue.info.name, short_number(queue.rates.in), short_number(queue.rates.out),
             std::to_string(queue.used), std::to_string(queue.info.options.slots), std::to_string(queue.lag),
             seconds_text(queue.delay), seconds_text(queue.oldest_age), std::to_string(queue.producers),
             std::to_string(queue.consumers), queue.verdicts.empty() ? "-" : queue.verdicts.front().kind});
}

std::string verdicts_text(const std::vector<watch::Verdict>& verdicts) {
  std::string text;
  for (const watch::Verdict& verdict : verdicts) {
    text += std::string("  ") + mark_of(verdict.severity) + ' ' + watch::text_of(verdict) + '\n';
  }
  return text;
}

}  // namespace

std::string batch_text(const watch::Fleet& fleet, const QueueSelection& selection, std::int64_t at_s) {
  std::string text = time_text(at_s) + "  " + watch::daemon_text(fleet.daemon);
  if (!fleet.daemon_answers) text += "; it does not answer: this is the last known state";
  text += "\n" + std::to_string(fleet.queues.size()) + (fleet.queues.size() == 1 ? " queue" : " queues") + ", in " +
          short_number(fleet.rates.in) + "/s, out " + short_number(fleet.rates.out) + "/s, " +
          format_size(static_cast<double>(fleet.shared_bytes)) + "\n";
  text += verdicts_text(fleet.verdicts);
  Table table{"",     "NAME",   ">IN/s", ">OUT/s",     ">USED",      ">SLOTS",
              ">LAG", ">DELAY", ">AGE",  ">PRODUCERS", ">CONSUMERS", "WHY"};
  const std::vector<const watch::QueueView*> queues = selected_queues(fleet, selection);
  for (const watch::QueueView* queue : queues) add_row(table, *queue);
  if (!table.empty()) text += table.text();
  for (const watch::QueueView* queue : queues) text += verdicts_text(queue->verdicts);
  return text + '\n';
}

std::string batch_json(const watch::Fleet& fleet, const QueueSelection& selection, std::int64_t at_s) {
  watch::Fleet selected = fleet;
  selected.queues.clear();
  for (const watch::QueueView* queue : selected_queues(fleet, selection)) selected.queues.push_back(*queue);
  watch::Json json = watch::to_json(selected);
  json["at_s"] = at_s;
  return watch::json_line(json);
}

}  // namespace beltway::tool
