// `beltway sub`: receives and writes messages.
#include <algorithm>

#include "tool/commands/commands.hpp"
#include "tool/commands/subscribing.hpp"
#include "tool/process/interrupt.hpp"
#include "tool/text/output.hpp"
#include "tool/text/summary.hpp"

namespace beltway::tool {

namespace {

/// Messages held at a time unless --prefetch says otherwise: a quarter of the ring at most, so that competing
/// consumers get their share and the producer always has room.
constexpr std::uint64_t k_most_held = 256;
constexpr std::uint64_t k_share_of_ring = 4;

struct SubOptions {
  std::string name;
  bool raw = false;
  bool summary = false;
  std::optional<std::uint64_t> prefetch;
  ConsumerOptions consumer;
  SubscribePlan plan;
};

void check(const Globals& globals, SubOptions& options) {
  if (options.raw && globals.json()) throw_usage("--raw", "excludes --format json");
  if (options.plan.properties && (options.raw || options.plan.digest))
    throw_usage("--properties", "excludes --raw and --digest; --format json always prints them");
  if (options.consumer.lossy && !options.consumer.group.empty())
    throw_usage("--lossy", "excludes --group: only private consumers may lose messages");
  if (options.consumer.conflate && !options.consumer.lossy)
    throw_usage("--conflate", "needs --lossy: only a lossy consumer may skip messages");
  if (options.consumer.create_group && options.consumer.group.empty()) throw_usage("--create-group", "needs --group");
  options.plan.format = options.raw           ? MessageFormat::raw
                        : options.plan.digest ? MessageFormat::none
                        : globals.json()      ? MessageFormat::json
                                              : MessageFormat::lines;
}

/// The time is over too early only if less came than was asked for: at least one message.
ExitCode exit_code_of_end(Status end, const SubOptions& options, const Subscribing& subscribing,
                          const Interrupt& interrupt) {
  if (end == Status::stopped) return interrupt.exit_code();
  if (end == Status::timeout) {
    return subscribing.messages() < options.plan.count.value_or(1) ? ExitCode::timeout : ExitCode::done;
  }
  if (end == Status::removed || end == Status::evicted) throw failure_of(end, "receive from \"" + options.name + "\"");
  return ExitCode::done;
}

/// As in README.md: the status with underscores, or "count".
std::string end_name(Status end) {
  std::string name(end == Status::ok ? "count" : to_string(end));
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
}

/// For people who wonder why it ends at once: on a terminal only.
void explain_empty_stream(Status end, const Subscribing& subscribing) {
  if (end != Status::end_of_stream || subscribing.messages() > 0) return;
  Output hint(2, "standard error");
  if (!hint.is_terminal()) return;
  hint.append("beltway: no producer is attached any more: the stream has ended; --follow waits for the next one\n");
  hint.flush();
}

ExitCode run(const Globals& globals, const SubOptions& options) {
  const Queue queue = globals.connect().open_queue(options.name);
  std::optional<Consumer> consumer(queue.consumer(options.consumer));
  Interrupt interrupt(1);  // --follow ends when its reader has gone, not at the next message
  Output output(1, "standard output", interrupt.token());
  SubscribePlan plan = options.plan;
  const std::uint64_t slots = queue.options().slots;
  const std::uint64_t held = std::min(options.prefetch.value_or(std::min(k_most_held, slots / k_share_of_ring)), slots);
  plan.batch = static_cast<decltype(plan.batch)>(std::max<std::uint64_t>(1, held));
  std::optional<Progress> progress(std::in_place, globals.progress_when(plan.format != MessageFormat::none),
                                   "sub " + options.name, plan.count);
  plan.progress = &*progress;
  Subscribing subscribing(*consumer, plan, output, interrupt.token());
  Summary summary(options.name);
  const Status end = subscribing.run();
  progress.reset();
  summary.messages = subscribing.messages();
  summary.bytes = subscribing.bytes();
  summary.lost = subscribing.lost();
  summary.redelivered = subscribing.redelivered();
  summary.end = end_name(end);
  summary.first_to_last_seconds = subscribing.first_to_last_seconds();
  if (plan.digest) summary.digest = subscribing.digest();
  consumer.reset();  // no process may wait for its messages while standard error is a terminal on hold
  const bool messages_on_output = plan.format != MessageFormat::none;
  summary.print({.json = globals.json() && (plan.digest || options.summary),
                 .people = options.summary || subscribing.lost() > 0,
                 .on_standard_error = messages_on_output});
  explain_empty_stream(end, subscribing);
  return exit_code_of_end(end, options, subscribing, interrupt);
}

}  // namespace

void add_sub(Command& app, Globals& globals) {
  Command command = app.add_command("sub", "Receive messages and write each as a line");
  const auto options = std::make_shared<SubOptions>();
  SubscribePlan& plan = options->plan;
  command.add_queue_name(options->name);
  const auto flags = command.add_options(options->consumer);
  const Option end = std::ranges::find(flags, "end_of_stream", &std::pair<std::string, Option>::first)->second;
  command.add_count("--count", plan.count, "End after so many messages");
  command.add_duration("--timeout", plan.timeout, "End when nothing comes so long; exit code 3 if too few came");
  command.add_flag("--raw", options->raw, "Write the messages' bytes, without newlines");
  command.add_flag("--properties", plan.properties, "Write each message's properties before it, in brackets");
  command.add_flag("--digest", plan.digest,
                   "Write no messages; at the end print count, bytes and a digest that no order changes (with --raw: "
                   "both, the digest on standard error)");
  command.add_flag("--summary", options->summary, "At the end print count, time and rates on standard error");
  command.add_count("--prefetch", options->prefetch, "Messages held at a time (a quarter of the ring, at most 256)");
  command.footer(R"(Examples:
  beltway sub orders --from oldest
  beltway sub orders --group billing --count 10 --timeout 5
  beltway sub orders --group billing --end-of-stream drained | wc -l
  beltway sub files --raw | tar t
  beltway sub orders --lossy --follow --format json | jq .text
  beltway sub speed --lossy --conflate --follow
Messages are acknowledged once they are written: who is killed loses nothing of a group.)");
  command.on_parsed([&globals, options, end] {
    // A private consumer drains the ring, also after its producers. A group is work, and waits for more.
    if (!end.given() && options->consumer.group.empty()) options->consumer.end_of_stream = EndOfStream::drained;
    check(globals, *options);
    globals.action = [&globals, options] { return run(globals, *options); };
  });
}

}  // namespace beltway::tool
