// `beltway show`: one queue in full, once or again and again.
#include <ctime>

#include "commands.hpp"
#include "interrupt.hpp"
#include "json.hpp"
#include "output.hpp"
#include "per_message.hpp"
#include "rates.hpp"
#include "show_text.hpp"

namespace beltway::tool {

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string name;
  std::optional<std::chrono::nanoseconds> watch;
  std::optional<std::uint64_t> count;
};

std::uint64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

void print(Output& output, bool json, const QueueSnapshot& snapshot, const std::optional<Rates>& rates) {
  if (json) {
    Json shape = to_json(snapshot);
    if (rates) {
      shape["rates"] = to_json(*rates);
      shape["rates"]["per_message"] = to_json(per_message(*rates));
    }
    output.append(json_line(shape));
  } else {
    output.append(show_text(snapshot, rates, monotonic_ns()));
  }
}

ExitCode watch(const Globals& globals, const Options& options, const Queue& queue) {
  static constexpr std::string_view k_clear_screen = "\x1b[H\x1b[2J";
  Interrupt interrupt;
  Output output(1, "standard output", interrupt.token());
  std::optional<Flow> before;
  auto before_at = Clock::now();
  auto next = before_at;
  for (std::uint64_t looks = 0; !options.count || looks < *options.count; ++looks) {
    if (looks > 0 && !sleep_until(next, interrupt.token())) break;
    next += *options.watch;
    const QueueSnapshot snapshot = queue.snapshot();
    const auto now = Clock::now();
    const Flow flow = flow_of(snapshot);
    std::optional<Rates> rates;
    if (before) rates = rates_between(*before, flow, now - before_at);
    before = flow;
    before_at = now;
    if (!globals.json() && output.is_terminal()) {
      output.append(k_clear_screen);
    } else if (!globals.json() && looks > 0) {
      output.append('\n');
    }
    print(output, globals.json(), snapshot, rates);
    output.flush();
  }
  return interrupt.exit_code();
}

ExitCode run(const Globals& globals, const Options& options) {
  const Queue queue = globals.connect_to_look().open_queue(options.name);
  if (options.watch) return watch(globals, options, queue);
  Output output(1);
  print(output, globals.json(), queue.snapshot(), std::nullopt);
  output.flush();
  return ExitCode::done;
}

}  // namespace

void add_show(Command& app, Globals& globals) {
  Command command = app.add_command("show", "Show a queue: options, depth, lag, who holds what, counters");
  const auto options = std::make_shared<Options>();
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
