// Families of single queues and groups, and the writer of metric lines. See metric_writer.hpp.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>

#include "watch/metric_writer.hpp"
#include "watch/metrics_text.hpp"

namespace beltway::watch {

namespace {

/// HELP texts escape backslashes and newlines only.
std::string escape_help(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out;
}

std::string number_text(double number) {
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, number).ptr};
}

std::uint64_t severity_number(const QueueView& queue) {
  const std::optional<Severity> severity = queue.severity();
  return severity ? static_cast<std::uint64_t>(*severity) + 1 : 0;
}

/// A gauge of a queue that sums up for the queues that are not told one by one.
void add_gauge(MetricWriter& out, const QueueSelection& selection, const char* name, const char* help,
               const std::function<std::uint64_t(const QueueView&)>& value) {
  out.family(name, "gauge", help);
  for (const QueueView* const queue : selection.chosen) out.value(value(*queue), {{"queue", queue->info.name}});
  if (selection.others.empty()) return;
  std::uint64_t sum = 0;
  for (const QueueView* const queue : selection.others) sum += value(*queue);
  out.value(sum, {{"queue", k_other_queues}});
}

/// A gauge of a group. `value` returns nothing if the group has none.
template <class Value>
void add_group_gauge(MetricWriter& out, const QueueSelection& selection, const char* name, const char* help,
                     const Value& value) {
  out.family(name, "gauge", help);
  for (const QueueView* const queue : selection.chosen) {
    for (const GroupView& group : queue->groups) {
      if (const auto number = value(group)) out.value(*number, {{"queue", queue->info.name}, {"group", group.name}});
    }
  }
}

}  // namespace

std::string escape_label(const std::string& value) {
  std::string out;
  for (const char c : value) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '"')
      out += "\\\"";
    else if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out;
}

MetricWriter& MetricWriter::family(const std::string& name, const char* type, const std::string& help) {
  name_ = "beltway_" + name;
  text_ += "# HELP " + name_ + " " + escape_help(help) + "\n# TYPE " + name_ + " " + type + "\n";
  return *this;
}

MetricWriter& MetricWriter::value(double number, const Labels& labels) { return add(number_text(number), labels); }

MetricWriter& MetricWriter::value(Nanoseconds time, const Labels& labels) {
  return value(std::chrono::duration<double>(time).count(), labels);
}

MetricWriter& MetricWriter::add(const std::string& number, const Labels& labels, const std::string& suffix) {
  text_ += name_ + suffix;
  std::string inside;
  for (const auto& [name, value] : labels)
    inside += (inside.empty() ? "" : ",") + name + "=\"" + escape_label(value) + "\"";
  if (!inside.empty()) text_ += "{" + inside + "}";
  text_ += " " + number + "\n";
  return *this;
}

QueueSelection select_queues(const Fleet& fleet, std::size_t max_queues) {
  QueueSelection selection;
  for (const QueueView& queue : fleet.queues) {
    if (queue.readable && !queue.removed) selection.chosen.push_back(&queue);
  }
  std::ranges::sort(selection.chosen, {}, [](const QueueView* queue) { return queue->info.id; });
  if (selection.chosen.size() > max_queues) {
    const auto first = selection.chosen.begin() + static_cast<std::ptrdiff_t>(max_queues);
    selection.others.assign(first, selection.chosen.end());
    selection.chosen.erase(first, selection.chosen.end());
  }
  std::ranges::sort(selection.chosen, {}, [](const QueueView* queue) { return queue->info.name; });
  return selection;
}

void MetricWriter::ages(const std::vector<std::uint64_t>& counts, const Labels& labels) {
  // Each bucket of four times the one before: enough to see a delay grow, and few series.
  static constexpr std::size_t k_first = 4;
  static constexpr std::size_t k_step = 2;
  Labels with_edge = labels;
  std::string& edge = with_edge.emplace_back("le", "").second;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i + 1 < counts.size(); ++i) {
    sum += counts[i];
    if (i < k_first || (i - k_first) % k_step != 0) continue;
    edge = number_text(std::ldexp(1e-6, static_cast<int>(i)));
    add(std::to_string(sum), with_edge, "_bucket");
  }
  if (!counts.empty()) sum += counts.back();
  edge = "+Inf";
  add(std::to_string(sum), with_edge, "_bucket");
  add(std::to_string(sum), labels, "_count");
}

void add_age_histograms(MetricWriter& out, const QueueSelection& selection) {
  out.family("queue_delivery_age_seconds", "histogram",
             "How old messages were when consumers got them; queues with stamps.");
  for (const QueueView* const queue : selection.chosen) {
    if (!queue->age_counts.empty()) out.ages(queue->age_counts, {{"queue", queue->info.name}});
  }
  std::vector<std::uint64_t> others;
  for (const QueueView* const queue : selection.others) {
    others.resize(std::max(others.size(), queue->age_counts.size()));
    for (std::size_t i = 0; i < queue->age_counts.size(); ++i) others[i] += queue->age_counts[i];
  }
  if (!others.empty()) out.ages(others, {{"queue", k_other_queues}});
}

void add_queue_gauges(MetricWriter& out, const QueueSelection& selection) {
  const auto add = [&](const char* name, const char* help,
                       const std::function<std::uint64_t(const QueueView&)>& value) {
    add_gauge(out, selection, name, help, value);
  };
  add("queue_slots", "Slots of the ring.", [](const QueueView& queue) { return queue.info.options.slots; });
  add("queue_used_slots", "Slots that the slowest reliable group still needs.",
      [](const QueueView& queue) { return queue.used; });
  add("queue_parked_slots", "Slots whose messages are held for long and do not hold the ring.",
      [](const QueueView& queue) { return queue.parked; });
  add("queue_lag_messages", "Lag of the slowest group or private consumer.",
      [](const QueueView& queue) { return queue.lag; });
  add("queue_producers", "Producers that are attached.", [](const QueueView& queue) { return queue.producers; });
  add("queue_consumers", "Consumers that are attached.", [](const QueueView& queue) { return queue.consumers; });
  add("queue_shared_memory_bytes", "Size of the memory segments.",
      [](const QueueView& queue) { return queue.info.shared_bytes; });
  // A sum of severities and of ages says nothing: these two leave the others out.
  out.family("queue_severity", "gauge", "The gravest verdict: 0 none, 1 note, 2 warning, 3 trouble.");
  for (const QueueView* const queue : selection.chosen)
    out.value(severity_number(*queue), {{"queue", queue->info.name}});
  out.family("queue_oldest_message_age_seconds", "gauge",
             "Age of the oldest message that is not finished; queues with stamps.");
  for (const QueueView* const queue : selection.chosen) {
    if (queue->oldest_age) out.value(*queue->oldest_age, {{"queue", queue->info.name}});
  }
  add_group_gauge(out, selection, "group_lag_messages", "Messages that the group has not acknowledged.",
                  [](const GroupView& group) { return std::optional(group.lag); });
  add_group_gauge(out, selection, "group_consumers", "Consumers of the group.",
                  [](const GroupView& group) { return std::optional(group.consumers); });
  add_group_gauge(out, selection, "group_paused", "1 if the group is paused.",
                  [](const GroupView& group) { return std::optional(group.paused ? 1U : 0U); });
  add_group_gauge(out, selection, "group_delay_seconds", "Lag divided by the rate of receipt.",
                  [](const GroupView& group) { return group.delay; });
  add_group_gauge(out, selection, "group_full_in_seconds",
                  "Time until the ring is full at the present rates; missing if the lag does not grow.",
                  [](const GroupView& group) { return group.time_to_full; });
}

}  // namespace beltway::watch
