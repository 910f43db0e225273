// `beltway pub`: publishes arguments, lines or a file.
#include <unistd.h>

#include <algorithm>

#include "tool/commands/commands.hpp"
#include "tool/commands/property_flags.hpp"
#include "tool/commands/publishing.hpp"
#include "tool/process/interrupt.hpp"
#include "tool/text/output.hpp"
#include "tool/text/summary.hpp"

namespace beltway::tool {

namespace {

constexpr std::uint64_t k_default_chunk_bytes = 64 * 1024;

struct PubOptions {
  std::string name;
  std::vector<std::string> messages;
  std::string file;
  std::uint64_t chunk_bytes = 0;
  bool summary = false;
  ProducerOptions producer;
  PropertyFlags properties;
  PublishPlan plan;
};

void check(const PubOptions& options) {
  if (!options.messages.empty() && !options.file.empty()) throw_usage("--file", "excludes messages as arguments");
  if (options.chunk_bytes > 0 && options.file.empty()) throw_usage("--chunk", "needs --file (\"-\": standard input)");
}

void publish(Publishing& publishing, const PubOptions& options, std::size_t largest) {
  if (!options.file.empty()) {
    const std::uint64_t by_default = std::min<std::uint64_t>(k_default_chunk_bytes, largest);
    const InputFile file(options.file);
    publishing.pieces(file, options.chunk_bytes > 0 ? options.chunk_bytes : by_default);
  } else if (!options.messages.empty()) {
    publishing.arguments(options.messages);
  } else {
    publishing.lines(InputFile("-"));
  }
}

ExitCode run(const Globals& globals, const PubOptions& options) {
  Producer producer = globals.connect().open_queue(options.name).producer(options.producer);
  Interrupt interrupt;
  PublishPlan plan = options.plan;
  plan.numbered = !options.producer.name.empty();
  const bool is_typed = options.file.empty() && options.messages.empty() && isatty(STDIN_FILENO) == 1;
  std::optional<Progress> progress(std::in_place, is_typed ? Progress::When::never : globals.progress_when(),
                                   "pub " + options.name, plan.count);
  plan.progress = &*progress;
  Publishing publishing(producer, plan, interrupt.token());
  Summary summary(options.name);
  const auto report = [&] {
    progress.reset();
    summary.messages = publishing.messages();
    summary.bytes = publishing.bytes();
    if (plan.numbered) summary.skipped = publishing.skipped();
    if (options.plan.digest) summary.digest = publishing.digest();
    summary.print({.json = globals.json(), .people = options.summary, .on_standard_error = false});
  };
  try {
    publish(publishing, options, producer.max_message_bytes());
  } catch (...) {
    // A user that asked for the figures wants to know how far the command came.
    report();
    throw;
  }
  report();
  return interrupt.exit_code();
}

}  // namespace

void add_pub(Command& app, Globals& globals) {
  Command command = app.add_command("pub", "Publish arguments, lines of standard input, or a file in chunks");
  const auto options = std::make_shared<PubOptions>();
  command.add_queue_name(options->name);
  command.add_texts("MESSAGE", options->messages, "Messages; without any, each line of standard input is one")
      .type_name("");
  command.add_text("--file", options->file, "Publish this file's bytes in chunks; \"-\" is standard input")
      .type_name("PATH");
  command.add_size("--chunk", options->chunk_bytes, "Bytes of a chunk; the last may be shorter (64K)");
  command.add_count("--count", options->plan.count, "So many messages: repeats arguments, cuts off input");
  command.add_parsed(
      "--rate", options->plan.rate, [](const std::string& text) { return parse_rate(text); }, "a RATE",
      "Messages a second, e.g. 500 or 20k/s");
  command.add_duration("--timeout", options->plan.timeout, "Give up when the queue stays full so long (exit code 3)");
  command.add_options(options->producer);
  options->properties.add_to(command);
  command.add_flag("--digest", options->plan.digest,
                   "At the end print count, bytes and a digest that no order changes");
  command.add_flag("--summary", options->summary, "At the end print count, time and rates on standard error");
  command.footer(R"(Examples:
  beltway pub orders "first" "second"
  seq 1000000 | beltway pub orders --summary
  beltway pub orders tick --count 1000 --rate 100/s
  beltway pub orders '{"id":7}' --key order-7 --content-type application/json --header tenant=acme
  beltway pub orders --producer nightly-import --summary < orders.csv
  tar c /usr/include | beltway pub files --file - --chunk 256K --digest
Behind "--" all words are messages, also those that begin with "-".)");
  command.on_parsed([&globals, options] {
    check(*options);
    options->plan.properties = options->properties.parse();
    globals.action = [&globals, options] { return run(globals, *options); };
  });
}

}  // namespace beltway::tool
