// `beltway peek`: shows messages without taking them.
#include <unistd.h>

#include <algorithm>

#include "tool/commands/commands.hpp"
#include "tool/text/message_json.hpp"
#include "tool/text/output.hpp"
#include "tool/text/peek_text.hpp"
#include "tool/text/terminal_columns.hpp"

namespace beltway::tool {

namespace {

struct PeekFlags {
  std::string name;
  std::string group;
  std::uint64_t max_bytes = 64 * 1024;
  std::optional<std::uint64_t> count;
  std::optional<std::uint64_t> from;
  bool properties = false;
};

ExitCode run(const Globals& globals, const PeekFlags& options) {
  const Queue queue = globals.connect_to_inspect().open_queue(options.name);
  const std::uint64_t count = std::min<std::uint64_t>(options.count.value_or(10), queue.options().slots);
  const auto messages = queue.peek({.count = static_cast<std::size_t>(count),
                                    .max_bytes = static_cast<std::size_t>(options.max_bytes),
                                    .group = options.group,
                                    .from = options.from});
  Output output(1);
  if (globals.json()) {
    output.append(json_line(peek_json(options.name, messages)));
  } else {
    output.append(peek_text(messages, queue.describe().endpoints,
                            {.of_group = !options.group.empty(),
                             .with_properties = options.properties,
                             .width = terminal_columns(STDOUT_FILENO)}));
  }
  output.flush();
  return ExitCode::done;
}

}  // namespace

void add_peek(Command& app, Globals& globals) {
  Command command = app.add_command("peek", "Look at the oldest messages without taking them");
  const auto options = std::make_shared<PeekFlags>();
  command.add_queue_name(options->name);
  command.add_count("--count", options->count, "So many at most (10)");
  command
      .add_text("--group", options->group,
                "What this group still has before it, with deliveries and holders; else the whole ring")
      .type_name("GROUP");
  command
      .add_parsed("--from", options->from, &parse_count, "a position, as peek and show print it",
                  "The first position; one that is gone means the oldest message")
      .type_name("POSITION");
  command.add_size("--max-bytes", options->max_bytes, "Cut each message to so many bytes (64K)");
  command.add_flag("--properties", options->properties, "Show each message's properties, too");
  command.footer(R"(Examples:
  beltway peek orders --group billing
  beltway peek orders --from 1200 --count 1
  beltway peek orders --count 1 --format json | jq -r '.messages[0].text')");
  command.on_parsed([&globals, options] { globals.action = [&globals, options] { return run(globals, *options); }; });
}

}  // namespace beltway::tool
