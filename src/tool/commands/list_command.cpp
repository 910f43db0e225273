// `beltway list`: the queues that the caller may read or write, those in trouble first.
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <thread>

#include "tool/commands/commands.hpp"
#include "tool/commands/connecting.hpp"
#include "tool/commands/daemon_state.hpp"
#include "tool/process/interrupt.hpp"
#include "tool/text/list_text.hpp"
#include "tool/text/message_json.hpp"
#include "tool/text/output.hpp"
#include "tool/text/terminal_columns.hpp"
#include "watch/json.hpp"
#include "watch/process_info.hpp"
#include "watch/watcher.hpp"

namespace beltway::tool {

namespace {

using Clock = std::chrono::steady_clock;

/// Long enough for a process that runs to finish what it has in hand: what a second look does not find again is no trouble.
constexpr std::chrono::milliseconds k_second_look_ms{30};

struct ListOptions {
  std::optional<ListOrder> order;
  std::string filter;
  std::optional<std::chrono::nanoseconds> watch;
  std::optional<std::uint64_t> count;
};

/// A sample takes only so long; of many queues it opens a part. Those that may not be read are never open.
void sample_all(watch::Watcher& watcher, Progress& progress) {
  for (std::ptrdiff_t before = -1;;) {
    watcher.sample();
    const std::ptrdiff_t open = std::ranges::count(watcher.fleet().queues, true, &watch::QueueView::readable);
    const std::ptrdiff_t all = std::ssize(watcher.fleet().queues);
    if (open == before || open == all) return;
    progress.say("list has opened " + std::to_string(open) + " of " + std::to_string(all) + " queues");
    before = open;
  }
}

/// Those that the filter lets through. JSON keeps the order of names unless another is asked for.
std::vector<watch::QueueView> chosen(const watch::Fleet& fleet, const ListOptions& options, bool json) {
  std::vector<watch::QueueView> queues;
  for (const watch::QueueView& queue : fleet.queues) {
    if (options.filter.empty() || matches(queue, options.filter)) queues.push_back(queue);
  }
  sort_queues(queues, options.order.value_or(json ? ListOrder::name : ListOrder::trouble));
  return queues;
}

std::string gone_text(const watch::Fleet& fleet) {
  return fleet.daemon_answers ? "" : "the daemon does not answer; its queues are shown as far as they are open here\n";
}

void print(const Globals& globals, Output& output, const watch::Fleet& fleet, const ListOptions& options,
           bool with_rates) {
  const std::vector<watch::QueueView> queues = chosen(fleet, options, globals.json());
  if (globals.json()) {
    output.append(json_line(list_json(fleet, queues, with_rates)));
    return;
  }
  const std::size_t width = terminal_columns(STDOUT_FILENO);
  output.append(width == 0 ? list_text(queues) : list_text_fitted(queues, width, with_rates));
  output.append(state_text(fleet.daemon) + gone_text(fleet));
}

ExitCode watch_queues(const Globals& globals, const ListOptions& options, watch::Watcher& watcher) {
  static constexpr std::string_view k_clear_screen = "\x1b[H\x1b[2J";
  Interrupt interrupt;
  Output output(1, "standard output", interrupt.token());
  auto next = Clock::now();
  for (std::uint64_t rounds = 0; !options.count || rounds < *options.count; ++rounds) {
    if (rounds > 0 && !sleep_until(next, interrupt.token())) break;
    next += *options.watch;
    watcher.sample();
    if (!globals.json() && output.is_terminal()) {
      output.append(k_clear_screen);
    } else if (!globals.json() && rounds > 0) {
      output.append('\n');
    }
    print(globals, output, watcher.fleet(), options, rounds > 0);
    output.flush();
  }
  return interrupt.exit_code();
}

ExitCode run(const Globals& globals, const ListOptions& options) {
  // Says what is to be said of other daemons, and of one that does not run.
  static_cast<void>(globals.connect_to_inspect());
  watch::Watcher watcher({.connection = globals.watch_options(), .tells_at_once = !options.watch});
  if (options.watch) return watch_queues(globals, options, watcher);
  std::optional<Progress> progress(std::in_place, globals.progress_when(), "list asks the daemon");
  sample_all(watcher, *progress);
  std::this_thread::sleep_for(k_second_look_ms);
  watcher.sample();
  progress.reset();
  // Not on standard output: what scripts read there is the table alone.
  if (!globals.json()) std::cerr << watch::daemon_text(watcher.fleet().daemon) << std::endl;
  Output output(1);
  print(globals, output, watcher.fleet(), options, false);
  output.flush();
  return ExitCode::done;
}

}  // namespace

void add_list(Command& app, Globals& globals) {
  Command command = app.add_command("list", "List the queues that you may read or write, those in trouble first");
  const auto options = std::make_shared<ListOptions>();
  command
      .add_parsed("--sort", options->order, &parse_list_order, "one of " + list_order_words(),
                  "The greatest first; trouble: the gravest first")
      .type_name(list_order_words());
  command
      .add_text("--filter", options->filter,
                "Only those with TEXT in the name of the queue, of a group or of the owner; with * or ?: a pattern")
      .type_name("TEXT");
  const Option watch_option =
      command.add_duration("--watch", options->watch, "List them again every so often, with rates");
  command.add_count("--count", options->count, "With --watch: so many times").needs(watch_option);
  command.footer(R"(Examples:
  beltway list
  beltway list --sort lag --filter 'orders*' --watch 2
  beltway list --format json | jq -r '.queues[] | select(.used > 0) | .name'
On a terminal "!" marks a queue in which a process waits or messages are lost, "*" one that may
come to that, "-" what is worth knowing. "beltway show QUEUE" says why and what to do.)");
  command.on_parsed([&globals, options] { globals.action = [&globals, options] { return run(globals, *options); }; });
}

}  // namespace beltway::tool
