// `beltway peek`: shows messages without taking them.
#include <unistd.h>

#include <algorithm>

#include "tool/commands/commands.hpp"
#include "tool/text/message_json.hpp"
#include "tool/text/output.hpp"
#include "tool/text/payload_text.hpp"
#include "tool/text/properties_text.hpp"
#include "tool/text/table.hpp"
#include "tool/text/terminal_columns.hpp"
#include "watch/process_info.hpp"

namespace beltway::tool {

namespace {

constexpr std::size_t k_text_columns = 80;

struct PeekFlags {
  std::string name;
  std::string group;
  std::uint64_t max_bytes = 64 * 1024;
  std::optional<std::uint64_t> count;
  std::optional<std::uint64_t> from;
  bool properties = false;
};

/// The consumer that holds the message, with its process: "2 (process 4711 worker, stopped)".
std::string holder_text(const PeekedMessage& message, const std::vector<EndpointInfo>& endpoints) {
  if (!message.holder) return "-";
  const auto holder = std::ranges::find_if(
      endpoints, [&message](const EndpointInfo& each) { return !each.producer && each.index == *message.holder; });
  const std::string index = std::to_string(*message.holder);
  return holder == endpoints.end() ? index : index + " (" + watch::process_text(holder->pid) + ")";
}

/// Without a group there are no deliveries to tell of.
std::string text_of(const std::vector<PeekedMessage>& messages, const PeekFlags& options,
                    const std::vector<EndpointInfo>& endpoints) {
  std::vector<std::string_view> headings{">POSITION", ">PRODUCER", ">SIZE", ">AGE"};
  if (!options.group.empty()) headings.insert(headings.end(), {">DELIVERIES", "HELD BY"});
  headings.emplace_back("MESSAGE");
  if (options.properties) headings.emplace_back("PROPERTIES");
  Table table(headings);
  for (const PeekedMessage& message : messages) {
    // A character is at most four bytes; more than the columns show need not be escaped first.
    const std::string_view start = as_text(message.bytes).substr(0, 4 * k_text_columns);
    const std::string text = printable(start) + (start.size() < message.size ? "..." : "");
    std::vector<std::string> row{std::to_string(message.position), std::to_string(message.producer),
                                 format_size(static_cast<double>(message.size)),
                                 message.age ? format_duration(*message.age) : "-"};
    if (!options.group.empty()) {
      row.push_back(std::to_string(message.deliveries.value_or(0)));
      row.push_back(holder_text(message, endpoints));
    }
    row.push_back(shortened(text, k_text_columns));
    row.push_back(properties_text(message.properties()));  // left out without its heading
    table.add(std::move(row));
  }
  return table.text(0, terminal_columns(STDOUT_FILENO));
}

Json json_of(const std::string& queue, const std::vector<PeekedMessage>& messages) {
  Json list = Json::array();
  for (const PeekedMessage& message : messages) list.push_back(to_json(message));
  return {{"queue", queue}, {"messages", std::move(list)}};
}

ExitCode run(const Globals& globals, const PeekFlags& options) {
  const Queue queue = globals.connect_to_inspect().open_queue(options.name);
  const std::uint64_t count = std::min<std::uint64_t>(options.count.value_or(10), queue.options().slots);
  const auto messages = queue.peek({.count = static_cast<std::size_t>(count),
                                    .max_bytes = static_cast<std::size_t>(options.max_bytes),
                                    .group = options.group,
                                    .from = options.from});
  Output output(1);
  if (globals.json()) {
    output.append(json_line(json_of(options.name, messages)));
  } else {
    output.append(text_of(messages, options, queue.describe().endpoints));
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
