// `beltway top`: the live screen, and its form for scripts.
#include <algorithm>
#include <ctime>

#include "tool/commands/commands.hpp"
#include "tool/commands/top_acts.hpp"
#include "tool/process/interrupt.hpp"
#include "tool/text/output.hpp"
#include "tool/top/batch.hpp"
#include "tool/top/live_source.hpp"
#include "tool/top/top_loop.hpp"

namespace beltway::tool {

namespace {

struct TopCommandOptions {
  std::optional<std::chrono::nanoseconds> interval;
  bool batch = false;
  std::optional<std::uint64_t> count;
  QueueSelection selection;
};

constexpr std::chrono::seconds k_interval{1};
/// More often would cost the machine more than it shows.
constexpr std::chrono::milliseconds k_shortest_interval{100};
/// Rates are differences: the first sample that is printed has one before it.
constexpr std::chrono::milliseconds k_before_first{500};

std::chrono::nanoseconds interval_of(const TopCommandOptions& options) {
  return std::max<std::chrono::nanoseconds>(options.interval.value_or(k_interval), k_shortest_interval);
}

watch::WatcherOptions watcher_options(const Globals& globals) { return {.connection = globals.watch_options()}; }

ExitCode run_batch(const Globals& globals, const TopCommandOptions& options) {
  // A batch may be one frame.
  watch::WatcherOptions watched = watcher_options(globals);
  watched.tells_at_once = true;
  watch::Watcher watcher(std::move(watched));
  Interrupt interrupt(1);
  Output output(1, "standard output", interrupt.token());
  const std::chrono::nanoseconds interval = interval_of(options);
  watcher.sample();
  auto next = std::chrono::steady_clock::now() + std::min<std::chrono::nanoseconds>(interval, k_before_first);
  for (std::uint64_t done = 0; !options.count || done < *options.count; ++done) {
    if (!sleep_until(next, interrupt.token())) break;
    next += interval;
    watcher.sample();
    const std::int64_t at_s = std::time(nullptr);
    output.append(globals.json() ? batch_json(watcher.fleet(), options.selection, at_s)
                                 : batch_text(watcher.fleet(), options.selection, at_s));
    output.flush();
  }
  return interrupt.exit_code();
}

ExitCode run_on_screen(const Globals& globals, const TopCommandOptions& options) {
  LiveSource source(watcher_options(globals), &perform_act);
  const TerminalSignals signals;
  const std::unique_ptr<Terminal> terminal = open_terminal();
  return run_screen(*terminal, source, signals, {.interval = interval_of(options), .selection = options.selection});
}

ExitCode run(const Globals& globals, const TopCommandOptions& options) {
  return options.batch || globals.json() ? run_batch(globals, options) : run_on_screen(globals, options);
}

std::string sort_names() {
  std::string names;
  for (const QueueSortName& each : k_queue_sorts) names += (names.empty() ? "" : "|") + std::string(each.name);
  return names;
}

}  // namespace

void add_top(Command& app, Globals& globals) {
  Command command = app.add_command("top", "See all queues live: rates, depth, age, and why one is stuck");
  const auto options = std::make_shared<TopCommandOptions>();
  command.add_duration("--interval", options->interval, "Look again every so often (1 s; at least 100 ms)");
  command.add_flag("--batch", options->batch, "Print text instead of showing a screen; --format json does so, too");
  const Option count = command.add_count("--count", options->count, "With --batch or JSON: so many samples, then end");
  command
      .add_parsed("--sort", options->selection.sort, &parse_queue_sort, "one of " + sort_names(), "Sort by (trouble)")
      .type_name(sort_names());
  command.add_flag("--reverse", options->selection.reversed, "The other way round");
  command.add_text("--filter", options->selection.filter, "Queues whose name, group or owner has it; * and ? are wild")
      .type_name("TEXT");
  command.footer(R"(Examples:
  beltway top
  beltway top --sort depth --filter 'orders*'
  beltway top --batch -n 1
  beltway top --format json -n 60 | jq -c '.queues[] | {name: .info.name}'
On the screen ? explains each field. q ends it.)");
  command.on_parsed([&globals, options, count] {
    if (count.given() && !options->batch && !globals.json()) throw_usage("--count", "needs --batch or --format json");
    globals.action = [&globals, options] { return run(globals, *options); };
  });
}

}  // namespace beltway::tool
