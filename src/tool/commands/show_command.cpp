// `beltway show`: one queue in full, once or again and again.
#include <unistd.h>

#include <chrono>
#include <optional>

#include "tool/commands/commands.hpp"
#include "tool/process/interrupt.hpp"
#include "tool/text/message_json.hpp"
#include "tool/text/output.hpp"
#include "tool/text/show_text.hpp"
#include "tool/text/terminal_columns.hpp"
#include "watch/flow.hpp"
#include "watch/per_message.hpp"
#include "watch/single_queue.hpp"

namespace beltway::tool {

namespace {

using Clock = std::chrono::steady_clock;

struct ShowOptions {
  std::string name;
  std::optional<std::chrono::nanoseconds> watch;
  std::optional<std::uint64_t> count;
};

using Sight = watch::SingleQueue::Sight;

void print(Output& output, bool json, const Sight& sight, const std::optional<watch::FlowRates>& rates) {
  if (json) {
    output.append(json_line(show_json(sight.snapshot, sight.verdicts, rates)));
  } else {
    output.append(show_text(sight.snapshot, sight.verdicts, rates, sight.now_ns, terminal_columns(STDOUT_FILENO)));
  }
}

ExitCode watch(const Globals& globals, const ShowOptions& options, watch::SingleQueue& queue) {
  static constexpr std::string_view k_clear_screen = "\x1b[H\x1b[2J";
  Interrupt interrupt;
  Output output(1, "standard output", interrupt.token());
  std::optional<watch::Flow> before;
  std::chrono::nanoseconds before_at{0};
  auto next = Clock::now();
  for (std::uint64_t rounds = 0; !options.count || rounds < *options.count; ++rounds) {
    if (rounds > 0 && !sleep_until(next, interrupt.token())) break;
    next += *options.watch;
    const Sight sight = queue.look();
    const watch::Flow flow = watch::flow_of(sight.snapshot);
    const std::chrono::nanoseconds at(sight.now_ns);
    std::optional<watch::FlowRates> rates;
    if (before) rates = watch::rates_between(*before, flow, at - before_at);
    before = flow;
    before_at = at;
    if (!globals.json() && output.is_terminal()) {
      output.append(k_clear_screen);
    } else if (!globals.json() && rounds > 0) {
      output.append('\n');
    }
    print(output, globals.json(), sight, rates);
    output.flush();
  }
  return interrupt.exit_code();
}

ExitCode run(const Globals& globals, const ShowOptions& options) {
  watch::SingleQueue queue(globals.watch_options(), globals.connect_to_inspect().open_queue(options.name));
  if (options.watch) return watch(globals, options, queue);
  Output output(1);
  print(output, globals.json(), queue.look(), std::nullopt);
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
