// `beltway metrics`: the model in Prometheus' text format, once, on standard output.
#include "beltway/error.hpp"
#include "tool/commands/commands.hpp"
#include "tool/commands/examination.hpp"
#include "tool/process/interrupt.hpp"
#include "tool/text/output.hpp"
#include "watch/metrics_text.hpp"

namespace beltway::tool {

namespace {

struct MetricsOptions {
  bool per_queue = false;
  std::optional<std::uint64_t> max_queues;
  std::optional<std::chrono::nanoseconds> time;
};

/// Without a daemon the output says so to Prometheus, and the error to people.
Examination examine_or_print(const Globals& globals, const MetricsOptions& options, const std::stop_token& stop) {
  try {
    return examine(globals.inspect_options(),
                   {.command = "metrics",
                    .progress = globals.progress_when(),
                    .time = options.time.value_or(k_default_examination)},
                   stop);
  } catch (const Error& error) {
    if (error.reason() == Errc::no_daemon) print(watch::metrics_text_without_daemon());
    throw;
  }
}

ExitCode run(const Globals& globals, const MetricsOptions& options) {
  Interrupt interrupt;
  const Examination examination = examine_or_print(globals, options, interrupt.token());
  if (interrupt.signal() != 0) return interrupt.exit_code();
  watch::MetricsOptions metrics{.per_queue = options.per_queue};
  if (options.max_queues) metrics.max_queues = *options.max_queues;
  print(watch::metrics_text(examination.fleet, metrics));
  return ExitCode::done;
}

}  // namespace

void add_metrics(Command& app, Globals& globals) {
  Command command = app.add_command("metrics", "Print metrics in the text format of Prometheus");
  const auto options = std::make_shared<MetricsOptions>();
  const Option per_queue =
      command.add_flag("--per-queue", options->per_queue, "Also series of single queues and groups");
  command
      .add_count("--max-queues", options->max_queues,
                 "With --per-queue: of so many queues at most (100); the rest is summed")
      .needs(per_queue);
  command.add_duration("--for", options->time, "How long to look for verdicts and rates (2 s)");
  command.footer(
      R"(Alert rules that match stand in examples/prometheus. Each scrape of `beltway web` gets the same text.
Without a daemon: beltway_up 0 alone, and exit code 4.
Examples:
  beltway metrics
  beltway metrics --per-queue --max-queues 20)");
  command.on_parsed([&globals, options] { globals.action = [&globals, options] { return run(globals, *options); }; });
}

}  // namespace beltway::tool
