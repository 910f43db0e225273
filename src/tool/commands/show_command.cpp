// `beltway show`: one queue in full, once or again and again.
#include <unistd.h>

#include <ctime>
#include <thread>

#include "tool/commands/commands.hpp"
#include "tool/process/interrupt.hpp"
#include "tool/text/message_json.hpp"
#include "tool/text/output.hpp"
#include "tool/text/show_text.hpp"
#include "tool/text/terminal_columns.hpp"
#include "watch/flow.hpp"
#include "watch/per_message.hpp"
#include "watch/verdicts.hpp"

namespace beltway::tool {

namespace {

using Clock = std::chrono::steady_clock;

struct ShowOptions {
  std::string name;
  std::optional<std::chrono::nanoseconds> watch;
  std::optional<std::uint64_t> count;
};

std::uint64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

/// Long enough for a process that runs to finish what it has in hand.
constexpr std::chrono::milliseconds k_second_snapshot_ms{30};

struct Observation {
  QueueSnapshot snapshot;
  std::uint64_t now_ns = 0;
  Clock::time_point at = {};
  std::vector<watch::Cause> causes = {};
};

Observation observe_once(const Queue& queue) {
  Observation observation{.snapshot = queue.snapshot(), .now_ns = monotonic_ns(), .at = Clock::now()};
  observation.causes = watch::find_causes(observation.snapshot, observation.now_ns);
  return observation;
}

/// Twice if one snapshot cannot tell a process that stands still from one at work.
Observation observe(const Queue& queue) {
  Observation first = observe_once(queue);
  if (!watch::needs_second_snapshot(first.causes)) return first;
  std::this_thread::sleep_for(k_second_snapshot_ms);
  Observation second = observe_once(queue);
  second.causes = watch::confirmed(first.causes, std::move(second.causes));
  return second;
}

void print(Output& output, bool json, const Observation& observation, const std::optional<watch::FlowRates>& rates) {
  if (json) {
    Json shape = to_json(observation.snapshot);
    shape["causes"] = causes_json(watch::verdicts_of(observation.causes, observation.snapshot.info.name));
    if (rates) {
      shape["rates"] = to_json(*rates);
      shape["rates"]["per_message"] = to_json(watch::per_message(*rates));
    }
    output.append(json_line(shape));
  } else {
    output.append(show_text(observation.snapshot, observation.causes, rates, observation.now_ns,
                            terminal_columns(STDOUT_FILENO)));
  }
}

ExitCode watch(const Globals& globals, const ShowOptions& options, const Queue& queue) {
  static constexpr std::string_view k_clear_screen = "\x1b[H\x1b[2J";
  Interrupt interrupt;
  Output output(1, "standard output", interrupt.token());
  std::optional<watch::Flow> before;
  auto before_at = Clock::now();
  auto next = before_at;
  for (std::uint64_t rounds = 0; !options.count || rounds < *options.count; ++rounds) {
    if (rounds > 0 && !sleep_until(next, interrupt.token())) break;
    next += *options.watch;
    const Observation observation = observe(queue);
    const watch::Flow flow = watch::flow_of(observation.snapshot);
    std::optional<watch::FlowRates> rates;
    if (before) rates = watch::rates_between(*before, flow, observation.at - before_at);
    before = flow;
    before_at = observation.at;
    if (!globals.json() && output.is_terminal()) {
      output.append(k_clear_screen);
    } else if (!globals.json() && rounds > 0) {
      output.append('\n');
    }
    print(output, globals.json(), observation, rates);
    output.flush();
  }
  return interrupt.exit_code();
}

ExitCode run(const Globals& globals, const ShowOptions& options) {
  const Queue queue = globals.connect_to_inspect().open_queue(options.name);
  if (options.watch) return watch(globals, options, queue);
  Output output(1);
  print(output, globals.json(), observe(queue), std::nullopt);
  output.flush();
  return ExitCode::done;
}

}  // namespace

void add_show(Command& app, Globals& globals) {
  Command command = app.add_command("show", "Show a queue: options, depth, lag, messages held by consumers, counters");
  const auto options = std::make_shared<ShowOptions>();
  command.add_queue_name(options->name);
  const Option watch_option =
      command.add_duration("--watch", options->watch, "Show it again every so often, with rates");
  command.add_count("--count", options->count, "With --watch: so many times").needs(watch_option);
  command.footer(R"(Examples:
  beltway show orders
  beltway show orders --watch 1
  beltway show orders --format json | jq '.state.groups[] | {name, depth, leased}')");
  command.on_parsed([&globals, options] { globals.action = [&globals, options] { return run(globals, *options); }; });
}

}  // namespace beltway::tool
