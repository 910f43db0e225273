// The sections of `show`.
#include "tool/text/show_text.hpp"
#include "tool/text/ages_text.hpp"

#include <algorithm>

#include "tool/text/causes_text.hpp"
#include "tool/text/lifetime.hpp"
#include "tool/text/table.hpp"
#include "tool/text/units.hpp"
#include "tool/text/wrapped.hpp"
#include "watch/json.hpp"
#include "watch/per_message.hpp"
#include "watch/process_info.hpp"
#include "wire/options_schema.hpp"

namespace beltway::tool {

namespace {

constexpr std::size_t k_indent = 2;

std::string process_cell(const EndpointInfo& endpoint) {
  if (endpoint.pid == 0) return "unknown (of another pid namespace)";
  const std::optional<watch::ProcessInfo> process = watch::process_info(endpoint.pid);
  if (!process) return std::to_string(endpoint.pid);
  return std::to_string(endpoint.pid) + " " + process->name;
}

std::string state_text(const EndpointInfo& endpoint, SleepState sleep) {
  if (endpoint.evicted) return "EVICTED";
  const std::optional<watch::ProcessInfo> process = watch::process_info(endpoint.pid);
  if (process && process->stopped()) return "STOPPED";
  return std::string(watch::name_of(sleep));
}

/// All that its counters tell: it was active then, and maybe since.
std::string within(std::uint64_t then_ns, std::uint64_t now_ns) {
  if (then_ns == 0) return "-";
  return format_nanoseconds(now_ns > then_ns ? static_cast<double>(now_ns - then_ns) : 0.0);
}

/// With the wait that has not ended yet.
std::string waited_text(std::uint64_t blocked_ns, std::uint64_t since_ns, std::uint64_t now_ns) {
  const std::uint64_t present_ns = since_ns != 0 && now_ns > since_ns ? now_ns - since_ns : 0;
  return format_nanoseconds(static_cast<double>(blocked_ns) + static_cast<double>(present_ns));
}

std::string group_text(const EndpointInfo& endpoint) {
  if (!endpoint.group.empty()) return endpoint.group + (endpoint.leaving ? " (removed)" : "");
  return endpoint.lossy ? "(private, lossy)" : "(private)";
}

/// A count, and how many that is a message.
std::string with_ratio(std::uint64_t count, std::uint64_t messages) {
  std::string text = format_count(count);
  if (count == 0 || messages == 0) return text;
  return text + " (" + format_ratio(static_cast<double>(count) / static_cast<double>(messages)) + ")";
}

std::string waking_text(const watch::PerMessage& costs) {
  return format_ratio(costs.wakes) + " wakes, " + format_ratio(costs.sleeps) + " sleeps, " +
         format_ratio(costs.system_calls()) + " system calls";
}

/// The options that have a line of their own, the last ones of the table first.
void add_labelled_options(Facts& facts, const QueueOptions& options) {
  const auto text = [](const wire::QueueOption& row, const QueueOptions& of) {
    return row.visit(of, [&]<class Value>(const Value& value) -> std::string {
      if constexpr (std::is_same_v<Value, std::chrono::milliseconds>) {
        return format_duration(value);
      } else if constexpr (std::is_same_v<Value, std::string>) {
        return value;
      } else {
        return row.text(of);
      }
    });
  };
  const std::span<const wire::QueueOption> rows = wire::options_of<QueueOptions>();
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
    if (!row->label.empty() && !row->is_default(options)) facts.add(std::string(row->label), text(*row, options));
  }
}

std::string facts_text(const QueueSnapshot& snapshot, const std::optional<watch::FlowRates>& rates, std::size_t width) {
  const QueueInfo& info = snapshot.info;
  const QueueOptions& options = info.options;
  Facts facts;
  facts.add("owner", watch::user_name(info.owner_uid) + ", mode " + wire::octal(options.mode));
  facts.add("slots", std::to_string(options.slots) + " of " + format_size(options.slot_bytes) + ", lanes of " +
                         format_size(static_cast<double>(options.lane_bytes)) + ", " +
                         format_size(static_cast<double>(info.shared_bytes)) + " in all");
  facts.add("limits", std::to_string(options.max_producers) + " producers, " + std::to_string(options.max_consumers) +
                          " consumers, " + std::to_string(options.max_groups) + " named groups");
  facts.add("fences", snapshot.symmetric_fences && options.fence == Fence::asymmetric
                          ? "symmetric, since some process cannot use membarrier"
                          : std::string(wire::word_of(options.fence)));
  add_labelled_options(facts, options);
  if (const std::string lifetime = lifetime_text(info); !lifetime.empty()) facts.add("lasts", lifetime);
  facts.add("position", std::to_string(snapshot.position));
  facts.add("in use", std::to_string(snapshot.used) + " of " + std::to_string(options.slots) + " slots");
  if (snapshot.parked != 0) {
    facts.add("parked", std::to_string(snapshot.parked) + " slots of " + std::to_string(snapshot.max_parked) +
                            " at most: their messages do not hold the ring");
  }
  if (rates) {
    facts.add("in", format_rate(rates->messages_in) + ", " + format_size(rates->bytes_in) + "/s");
    facts.add("out", format_rate(rates->messages_out) + ", " + format_size(rates->bytes_out) + "/s");
    if (rates->refused > 0) facts.add("refused", format_rate(rates->refused));
    if (rates->lost > 0) facts.add("lost", format_rate(rates->lost));
  }
  const auto costs = rates ? watch::per_message(*rates) : watch::per_message(watch::flow_of(snapshot));
  if (costs) facts.add("a message", waking_text(*costs));
  return facts.text(k_indent, width);
}

/// How long a message that failed waits: "1 ms to 1 s".
std::string retry_text(const GroupState& group) {
  const std::chrono::milliseconds first = std::min(group.retry_delay, group.retry_delay_max);
  if (first.count() == 0) return "at once";
  if (first == group.retry_delay_max) return format_duration(first);
  return format_duration(first) + " to " + format_duration(group.retry_delay_max);
}

/// What has become of messages that were given up: "12 to failed, 3 wait".
std::string dead_letters_text(const GroupState& group) {
  if (group.dead_letter.empty() && group.dead_lettered == 0 && group.to_move == 0) return "-";
  std::string text = format_count(group.dead_lettered);
  if (!group.dead_letter.empty()) text += " to " + group.dead_letter;
  return group.to_move == 0 ? text : text + ", " + format_count(group.to_move) + " wait";
}

std::string groups_text(const QueueSnapshot& snapshot, std::size_t width) {
  Table table{"GROUP",      ">DEPTH", ">LEASED",       ">RETRY",         ">DELAYED", ">DUE IN",      ">PARKED",
              ">DISCARDED", ">FLOOR", ">EVICTS AFTER", ">RETRIES AFTER", ">AT MOST", "DEAD LETTERS", "CONSUMERS"};
  for (const GroupState& group : snapshot.groups) {
    std::string consumers;
    for (const unsigned index : group.consumers) consumers += (consumers.empty() ? "" : " ") + std::to_string(index);
    if (group.paused_for) consumers += (consumers.empty() ? "" : " ") + std::string("(paused)");
    table.add({group.name, format_count(group.depth), format_count(group.leased), format_count(group.retry),
               format_count(group.delayed), group.due_in ? format_duration(*group.due_in) : "-",
               format_count(group.parked), group.discard || group.discarded != 0 ? format_count(group.discarded) : "-",
               std::to_string(group.floor),
               group.evict_after.count() > 0 ? format_duration(group.evict_after) : "never", retry_text(group),
               group.max_deliveries != 0 ? format_count(group.max_deliveries) + " times" : "-",
               dead_letters_text(group), consumers.empty() ? "-" : consumers});
  }
  return table.empty() ? "" : "\n" + table.text(k_indent, width);
}

/// A line for each group that sends its dead letters somewhere.
std::string dead_letters_text(const QueueSnapshot& snapshot, std::size_t width) {
  const std::vector<std::string>& missing = snapshot.info.missing_dead_letter_queues;
  Table table{"GROUP", "DEAD LETTERS TO", ">MOVED", ">TO MOVE"};
  for (const GroupState& group : snapshot.groups) {
    const std::string& target = group.dead_letter;
    const bool is_missing = std::ranges::find(missing, target) != missing.end();
    if (target.empty()) continue;
    table.add({group.name, target + (is_missing ? " (missing)" : ""), format_count(group.dead_lettered),
               format_count(group.to_move)});
  }
  return table.empty() ? "" : "\n" + table.text(k_indent, width);
}

/// A line for each group whose leases end by time.
std::string leases_text(const QueueSnapshot& snapshot, std::size_t width) {
  Table table{"GROUP", ">LEASES LAST", ">OVER", ">TIMED OUT"};
  for (const GroupState& group : snapshot.groups) {
    if (group.lease_timeout.count() == 0 && group.timed_out == 0) continue;
    table.add({group.name, group.lease_timeout.count() != 0 ? format_duration(group.lease_timeout) : "for ever",
               format_count(group.overdue), format_count(group.timed_out)});
  }
  return table.empty() ? "" : "\n" + table.text(k_indent, width);
}

std::string newest_text(const QueueSnapshot& snapshot, std::size_t width) {
  Table table{"GROUP", ">KEEPS THE NEWEST", ">DROPPED"};
  for (const GroupState& group : snapshot.groups) {
    if (group.drop_oldest == 0 && group.dropped == 0) continue;
    table.add(
        {group.name, group.drop_oldest != 0 ? format_count(group.drop_oldest) : "all", format_count(group.dropped)});
  }
  return table.empty() ? "" : "\n" + table.text(k_indent, width);
}

std::string producer_names_text(const QueueInfo& info, std::size_t width) {
  Table table{"PRODUCER NAME", ">LAST SEQUENCE", "PRODUCER"};
  for (const ProducerName& each : info.producer_names) {
    const auto attached = std::ranges::find_if(info.endpoints, [&each](const EndpointInfo& endpoint) {
      return endpoint.producer && endpoint.name == each.name;
    });
    table.add({each.name, std::to_string(each.last_sequence),
               attached == info.endpoints.end() ? "-" : std::to_string(attached->index)});
  }
  return table.empty() ? "" : "\n" + table.text(k_indent, width);
}

std::string producers_text(const QueueSnapshot& snapshot, std::uint64_t now_ns, std::size_t width) {
  Table table{">PRODUCER", "PROCESS",    "USER",          "STATE",          ">MESSAGES",
              ">BYTES",    ">REFUSED",   ">CLAIMED",      ">WAKES (A MSG)", ">SLEEPS (A MSG)",
              ">WAITED",   ">MOST USED", ">ACTIVE WITHIN"};
  for (const ProducerState& producer : snapshot.producers) {
    const ProducerCounters& counters = producer.counters;
    table.add({std::to_string(producer.endpoint.index), process_cell(producer.endpoint),
               watch::user_name(producer.endpoint.uid), state_text(producer.endpoint, producer.sleep),
               format_count(counters.messages), format_size(static_cast<double>(counters.bytes)),
               format_count(counters.refused), format_count(producer.claimed),
               with_ratio(counters.wakes, counters.messages), with_ratio(counters.sleeps, counters.messages),
               waited_text(counters.blocked_ns, producer.waits_since_ns, now_ns), format_count(counters.high_water),
               within(counters.last_progress_ns, now_ns)});
  }
  return table.empty() ? "" : "\n" + table.text(k_indent, width);
}

std::string consumers_text(const QueueSnapshot& snapshot, std::uint64_t now_ns, std::size_t width) {
  Table table{">CONSUMER",       "PROCESS",   "USER",          "GROUP", "STATE",        ">LAG",
              ">HELD",           ">MESSAGES", ">BYTES",        ">LOST", ">REDELIVERED", ">WAKES (A MSG)",
              ">SLEEPS (A MSG)", ">WAITED",   ">ACTIVE WITHIN"};
  for (const ConsumerState& consumer : snapshot.consumers) {
    const ConsumerCounters& counters = consumer.counters;
    const bool own_place = consumer.endpoint.group.empty();
    table.add(
        {std::to_string(consumer.endpoint.index), process_cell(consumer.endpoint),
         watch::user_name(consumer.endpoint.uid), group_text(consumer.endpoint),
         state_text(consumer.endpoint, consumer.sleep), own_place ? format_count(consumer.lag) : "-",
         format_count(consumer.held), format_count(counters.messages), format_size(static_cast<double>(counters.bytes)),
         format_count(counters.lost), format_count(counters.redelivered), with_ratio(counters.wakes, counters.messages),
         with_ratio(counters.sleeps, counters.messages),
         waited_text(counters.blocked_ns, consumer.waits_since_ns, now_ns), within(counters.last_progress_ns, now_ns)});
  }
  return table.empty() ? "" : "\n" + table.text(k_indent, width);
}

std::string totals_text(const QueueTotals& totals, std::size_t width) {
  Facts facts;
  facts.add("gone endpoints",
            format_count(totals.messages_in) + " messages in (" + format_size(static_cast<double>(totals.bytes_in)) +
                "), " + format_count(totals.messages_out) + " out (" +
                format_size(static_cast<double>(totals.bytes_out)) + "), " + format_count(totals.refused) +
                " refused, " + format_count(totals.lost) + " lost, " + format_count(totals.redelivered) +
                " redelivered, " + format_count(totals.discarded) + " discarded");
  facts.add("repairs", "of " + format_count(totals.repairs) + " endpoints, with " + format_count(totals.voided) +
                           " claims voided and " + format_count(totals.released) + " leases given back");
  if (totals.unread != 0) {
    facts.add("unread",
              format_count(totals.unread) +
                  " messages were published while there was no group and no consumer: they are not delivered");
  }
  return "\n" + facts.text(k_indent, width);
}

/// Sentences are broken into lines; a command stays in one, to be copied.
std::string wrapped_causes(const std::string& text, std::size_t width) {
  constexpr std::string_view k_mark = "  ! ";
  if (width <= k_mark.size()) return text;
  std::string out;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    if (line.starts_with(k_mark)) {
      out += std::string(k_mark) + wrapped(line.substr(k_mark.size()), width - k_mark.size(), k_mark.size());
    } else {
      out += line;
    }
    out += '\n';
    begin = end + 1;
  }
  return out;
}

}  // namespace

std::string show_text(const QueueSnapshot& snapshot, const std::vector<watch::Verdict>& verdicts,
                      const std::optional<watch::FlowRates>& rates, std::uint64_t now_ns, std::size_t width) {
  std::string out = snapshot.info.name + " (id " + std::to_string(snapshot.info.id) + ")\n";
  out += facts_text(snapshot, rates, width);
  out += groups_text(snapshot, width);
  out += ages_text(snapshot, k_indent, width);
  out += dead_letters_text(snapshot, width);
  out += leases_text(snapshot, width);
  out += newest_text(snapshot, width);
  out += producers_text(snapshot, now_ns, width);
  out += producer_names_text(snapshot.info, width);
  out += consumers_text(snapshot, now_ns, width);
  out += totals_text(snapshot.totals, width);
  out += wrapped_causes(causes_text(verdicts), width);
  return out;
}

watch::Json show_json(const QueueSnapshot& snapshot, const std::vector<watch::Verdict>& verdicts,
                      const std::optional<watch::FlowRates>& rates) {
  watch::Json shape = watch::to_json(snapshot);
  shape["causes"] = watch::causes_json(verdicts);
  if (rates) {
    shape["rates"] = watch::to_json(*rates);
    shape["rates"]["per_message"] = watch::to_json(watch::per_message(*rates));
  }
  return shape;
}

}  // namespace beltway::tool
