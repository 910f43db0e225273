// `beltway check`: one queue against limits, in one line and an exit code, for Nagios, its kin and liveness probes.
#include <algorithm>
#include <iostream>
#include <limits>

#include "beltway/error.hpp"
#include "tool/commands/commands.hpp"
#include "tool/commands/examination.hpp"
#include "tool/text/nagios.hpp"
#include "tool/text/output.hpp"
#include "wire/validate.hpp"

namespace beltway::tool {

namespace {

using Time = std::chrono::nanoseconds;

struct CheckOptions {
  std::string name;
  std::string group;
  std::optional<Limit<std::uint64_t>> max_lag;
  std::optional<Limit<Time>> max_age;
  std::optional<Limit<std::uint64_t>> min_consumers;

  [[nodiscard]] bool has_limits() const noexcept { return max_lag || max_age || min_consumers; }
};

double seconds(Time time) { return std::chrono::duration<double>(time).count(); }

/// Sets the limits of a reading whose values `to_number` makes numbers.
template <class Value, class ToNumber>
void set_limits(Reading& reading, const Limit<Value>& limit, const ToNumber& to_number) {
  if (limit.warning) reading.warning = to_number(*limit.warning);
  reading.critical = to_number(limit.critical);
}

/// The group of --group, or nothing if it was not given. Throws if there is no such group.
const GroupState* chosen_group(const QueueSnapshot& snapshot, const std::string& name) {
  if (name.empty()) return nullptr;
  const auto found = std::ranges::find(snapshot.groups, name, &GroupState::name);
  if (found != snapshot.groups.end()) return &*found;
  std::vector<std::string> names;
  for (const GroupState& group : snapshot.groups) names.push_back(group.name);
  throw Error(Errc::not_found, "check \"" + snapshot.info.name + "\": it has no group \"" + name + "\"" +
                                   wire::groups_text(snapshot.info.name, names));
}

/// Of the group, or of the slowest group or private consumer.
Reading lag_of(const QueueSnapshot& snapshot, const GroupState* group) {
  std::uint64_t lag = group != nullptr ? group->depth : 0;
  if (group == nullptr) {
    for (const GroupState& each : snapshot.groups) lag = std::max(lag, each.depth);
    for (const ConsumerState& each : snapshot.consumers) {
      if (!each.endpoint.lossy) lag = std::max(lag, each.lag);
    }
  }
  return {.label = "lag", .value = static_cast<double>(lag), .text = "lag " + std::to_string(lag)};
}

Reading age_of(const QueueSnapshot& snapshot, const GroupState* group) {
  std::chrono::microseconds oldest{0};
  const auto add = [&oldest](const MessageAges& ages) { oldest = std::max(oldest, ages.oldest.value_or(oldest)); };
  if (group != nullptr) {
    add(group->ages);
  } else {
    for (const GroupState& each : snapshot.groups) add(each.ages);
    for (const ConsumerState& each : snapshot.consumers) add(each.ages);
  }
  return {.label = "age",
          .value = seconds(oldest),
          .unit = "s",
          .text = "oldest message " + (oldest.count() == 0 ? std::string("none") : format_duration(oldest))};
}

/// Of the group. Without one, of the named group that has the fewest: a group that nothing reads must not hide behind another.
Reading consumers_of(const QueueSnapshot& snapshot, const GroupState* group) {
  if (group == nullptr && !snapshot.groups.empty()) {
    group =
        &*std::ranges::min_element(snapshot.groups, {}, [](const GroupState& each) { return each.consumers.size(); });
  }
  const std::size_t number = group != nullptr ? group->consumers.size() : snapshot.consumers.size();
  return {.label = "consumers",
          .value = static_cast<double>(number),
          .text = std::to_string(number) + (number == 1 ? " consumer" : " consumers") +
                  (group != nullptr ? " in group " + group->name : ""),
          .bound = Reading::Bound::at_least};
}

CheckState check_limits(const CheckOptions& options, const QueueSnapshot& snapshot, std::string& line) {
  if (options.max_age && snapshot.info.options.stamps == Stamps::off) {
    line = nagios_line(CheckState::unknown, options.name +
                                                ": the queue has no stamps, so ages are not known; use --max-lag, " +
                                                "or declare the queue anew with --stamps coarse");
    return CheckState::unknown;
  }
  const GroupState* const group = chosen_group(snapshot, options.group);
  const auto as_is = [](std::uint64_t value) { return static_cast<double>(value); };
  std::vector<Reading> readings;
  // All that is known is printed: what has no limit yet shows which limit would make sense.
  readings.push_back(lag_of(snapshot, group));
  if (options.max_lag) set_limits(readings.back(), *options.max_lag, as_is);
  if (snapshot.info.options.stamps != Stamps::off) {
    readings.push_back(age_of(snapshot, group));
    if (options.max_age) set_limits(readings.back(), *options.max_age, seconds);
  }
  readings.push_back(consumers_of(snapshot, group));
  if (options.min_consumers) set_limits(readings.back(), *options.min_consumers, as_is);
  line = nagios_line(options.name, readings);
  return state_of(readings);
}

/// Without limits: what the doctor says of the queue, or of the group of --group and of what is not of one group alone.
CheckState check_verdicts(const Globals& globals, const CheckOptions& options, std::string& line) {
  const Examination examination =
      examine(globals.inspect_options(), {.command = "check", .progress = globals.progress_when()});
  std::vector<watch::Verdict> verdicts = examination.verdicts_of(options.name);
  std::erase_if(verdicts, [&options](const watch::Verdict& each) {
    return !options.group.empty() && !each.group.empty() && each.group != options.group;
  });
  CheckState state = CheckState::ok;
  for (const watch::Verdict& verdict : verdicts) {
    if (verdict.severity == watch::Severity::trouble) state = worse(state, CheckState::critical);
    if (verdict.severity == watch::Severity::warning) state = worse(state, CheckState::warning);
  }
  if (state == CheckState::ok) {
    line = nagios_line(state, options.name + ": nothing is wrong");
  } else {
    line =
        nagios_line(state, watch::text_of(verdicts.front()) +
                               (verdicts.size() > 1 ? " (and " + std::to_string(verdicts.size() - 1) + " more)" : ""));
  }
  return state;
}

/// A monitor shows standard output alone: a failure is a line there, too.
CheckState state_of_error(Errc reason) {
  return reason == Errc::no_daemon || reason == Errc::not_found || reason == Errc::removed ? CheckState::critical
                                                                                           : CheckState::unknown;
}

ExitCode run(const Globals& globals, const CheckOptions& options) {
  std::string line;
  CheckState state = CheckState::unknown;
  try {
    const Queue queue = Connection::open(globals.inspect_options()).open_queue(options.name);
    const QueueSnapshot snapshot = queue.snapshot();
    static_cast<void>(chosen_group(snapshot, options.group));
    state = options.has_limits() ? check_limits(options, snapshot, line) : check_verdicts(globals, options, line);
  } catch (const Error& error) {
    state = state_of_error(error.reason());
    line = nagios_line(state, error.what());
  }
  Output output(1);
  output.append(line);
  output.flush();
  return ExitCode{static_cast<int>(state)};
}

}  // namespace

void add_check(Command& app, Globals& globals) {
  Command command = app.add_command("check", "Check a queue against limits: one line and an exit code for monitors");
  const auto options = std::make_shared<CheckOptions>();
  command.add_queue_name(options->name);
  command.add_text("--group", options->group, "Measure this group alone").type_name("NAME");
  const auto counts = [](const std::string& text) { return parse_limit<std::uint64_t>(text, &parse_count); };
  const auto times = [](const std::string& text) { return parse_limit<Time>(text, &parse_duration); };
  command.add_parsed("--max-lag", options->max_lag, counts, "a NUMBER or WARN:CRIT", "Messages not acknowledged yet")
      .type_name("[WARN:]CRIT");
  command
      .add_parsed("--max-age", options->max_age, times, "a TIME or WARN:CRIT",
                  "Age of the oldest message (needs --stamps)")
      .type_name("[WARN:]CRIT");
  command
      .add_parsed("--min-consumers", options->min_consumers, counts, "a NUMBER or WARN:CRIT",
                  "Consumers of the group, or of each group")
      .type_name("[WARN:]CRIT");
  command.footer(R"(A limit is one value, which is critical, or WARN:CRIT. A value at the limit is still good.
Without limits the queue's verdicts decide: trouble is critical (see beltway doctor).
Exit codes: 0 OK; 1 WARNING; 2 CRITICAL, also if no daemon answers, or there is no such queue or
group; 3 UNKNOWN: no right to read the queue, or ages without stamps.
Examples:
  beltway check orders --max-lag 1k:5k --min-consumers 2:1
  beltway check orders --group billing --max-age 10s:1m
  beltway check orders)");
  command.on_parsed([&globals, options] {
    const auto check_order = [](const auto& limit, const char* name, bool at_most) {
      if (!limit || !limit->warning) return;
      const bool fits = at_most ? *limit->warning <= limit->critical : *limit->warning >= limit->critical;
      if (!fits) throw_usage(name, at_most ? "WARN must not be above CRIT" : "WARN must not be below CRIT");
    };
    check_order(options->max_lag, "--max-lag", true);
    check_order(options->max_age, "--max-age", true);
    check_order(options->min_consumers, "--min-consumers", false);
    globals.action = [&globals, options] { return run(globals, *options); };
  });
}

}  // namespace beltway::tool
