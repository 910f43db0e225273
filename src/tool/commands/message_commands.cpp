// `beltway evict`, `ack` and `move`: what an operator does about one consumer or one message.
#include <algorithm>
#include <optional>

#include "tool/acts/queue_acts.hpp"
#include "tool/commands/commands.hpp"
#include "tool/process/interrupt.hpp"
#include "tool/process/question.hpp"
#include "tool/text/message_json.hpp"
#include "tool/text/output.hpp"
#include "watch/process_info.hpp"

namespace beltway::tool {

namespace {

struct MessageOptions {
  std::string name;
  std::optional<std::uint64_t> consumer;
  std::optional<std::uint64_t> pid;
  std::uint64_t position = 0;
  std::string group;
  std::string to;
  std::optional<std::chrono::nanoseconds> timeout;
  bool force = false;
};

std::string list_text(const std::vector<EndpointInfo>& consumers) {
  std::string list;
  for (const EndpointInfo& consumer : consumers) {
    list +=
        (list.empty() ? "" : ", ") + std::to_string(consumer.index) + " (" + watch::process_text(consumer.pid) + ")";
  }
  return list.empty() ? "it has no consumers" : "its consumers are " + list;
}

/// The consumers that the command line names. Throws Failure if there is none.
std::vector<EndpointInfo> named_consumers(const Queue& queue, const MessageOptions& options) {
  std::vector<EndpointInfo> all = queue.describe().endpoints;
  std::erase_if(all, [](const EndpointInfo& endpoint) { return endpoint.producer; });
  std::vector<EndpointInfo> found;
  std::ranges::copy_if(all, std::back_inserter(found), [&options](const EndpointInfo& consumer) {
    return options.consumer ? consumer.index == *options.consumer
                            : static_cast<std::uint64_t>(consumer.pid) == *options.pid;
  });
  if (!found.empty()) return found;
  const std::string what = options.consumer ? "no consumer " + std::to_string(*options.consumer)
                                            : "no consumer of process " + std::to_string(*options.pid);
  throw Failure(ExitCode::not_found,
                "evict a consumer of \"" + options.name + "\": it has " + what + "; " + list_text(all));
}

ExitCode evict(const Globals& globals, const MessageOptions& options) {
  const Queue queue = globals.connect().open_queue(options.name);
  Json evicted = Json::array();
  std::string text;
  for (const EndpointInfo& consumer : named_consumers(queue, options)) {
    queue.evict(consumer.index);
    evicted.push_back({{"consumer", consumer.index},
                       {"group", consumer.group.empty() ? Json(nullptr) : Json(consumer.group)},
                       {"pid", consumer.pid}});
    text += "evicted consumer " + std::to_string(consumer.index) + " (" + watch::process_text(consumer.pid) + ")" +
            (consumer.group.empty() ? "" : " of group " + consumer.group + "; its messages go to the other consumers") +
            "\n";
  }
  return print_answer(globals, {{"queue", options.name}, {"evicted", std::move(evicted)}}, text);
}

ExitCode print_report(const Globals& globals, const MessageOptions& options, const ActReport& report) {
  Json json{{"queue", options.name}};
  json.update(report.numbers);
  return print_answer(globals, json, report.text + "\n");
}

ExitCode ack(const Globals& globals, const MessageOptions& options) {
  const Connection connection = globals.connect();
  const Queue queue = connection.open_queue(options.name);
  const std::string group = group_or_only(queue, options.group, "acknowledge a message of");
  if (!options.force && can_ask() &&
      !ask("group \"" + group + "\" of queue \"" + options.name + "\" loses the message at position " +
           std::to_string(options.position) + " for good; go on?")) {
    throw Failure(ExitCode::failed, "nothing was done");
  }
  return print_report(globals, options, QueueActs(connection, queue).ack(group, options.position));
}

ExitCode move(const Globals& globals, const MessageOptions& options) {
  const Connection connection = globals.connect();
  const Queue queue = connection.open_queue(options.name);
  const std::string group = group_or_only(queue, options.group, "move a message of");
  Interrupt interrupt;
  const Until until = options.timeout ? Until(*options.timeout, interrupt.token()) : Until(interrupt.token());
  std::optional<Progress> progress(std::in_place, globals.progress_when(), "move waits for room in " + options.to);
  const auto report = QueueActs(connection, queue).move(group, options.position, options.to, until);
  progress.reset();
  return report ? print_report(globals, options, *report) : interrupt.exit_code();
}

void add_position(Command& command, MessageOptions& options) {
  command
      .add_parsed("POSITION", options.position, &parse_count, "a position, as peek and show print it",
                  "The message's position")
      .required()
      .type_name("");
}

}  // namespace

void add_evict(Command& app, Globals& globals) {
  Command command = app.add_command("evict", "Take a consumer's messages away and give them to the others");
  const auto options = std::make_shared<MessageOptions>();
  command.add_queue_name(options->name);
  command.add_count("CONSUMER", options->consumer, "The consumer's number, as show prints it").type_name("");
  command.add_count("--pid", options->pid, "Instead: all consumers of that process").type_name("PID");
  command.footer(R"(Examples:
  beltway evict orders 2
  beltway evict orders --pid 4711
The process may be stopped or hang. It gets the status "evicted" at its next call. Only the owner
and root may do this. Only consumers that attached while evict_after was set can be evicted; the
error says what to do with others. Producers cannot be evicted: nothing keeps a process from writing
the memory that it has.)");
  command.on_parsed([&globals, options] {
    if (options->consumer.has_value() == options->pid.has_value()) throw_usage("", "name a CONSUMER or --pid");
    globals.action = [&globals, options] { return evict(globals, *options); };
  });
}

void add_ack(Command& app, Globals& globals) {
  Command command = app.add_command("ack", "Acknowledge one message of a group that no consumer holds");
  const auto options = std::make_shared<MessageOptions>();
  command.add_queue_name(options->name);
  add_position(command, *options);
  command.add_text("--group", options->group, "The group that loses it (the only one)").type_name("GROUP");
  command.add_flag("--force", options->force, "Do not ask on a terminal");
  command.footer(R"(Examples:
  beltway peek orders --group billing
  beltway ack orders 88 --group billing
The group loses the message; other groups keep it. Only the owner and root may do this. To keep the
message, use "beltway move".)");
  command.on_parsed([&globals, options] { globals.action = [&globals, options] { return ack(globals, *options); }; });
}

void add_move(Command& app, Globals& globals) {
  Command command = app.add_command("move", "Move one message that no consumer holds to another queue");
  const auto options = std::make_shared<MessageOptions>();
  command.add_queue_name(options->name);
  add_position(command, *options);
  command.add_text("--to", options->to, "The queue that gets it").required().type_name("QUEUE");
  command.add_text("--group", options->group, "The group that it is taken from (the only one)").type_name("GROUP");
  command.add_duration("--timeout", options->timeout,
                       "Give up when the target stays full so long, at most 30s (exit code 3)");
  command.footer(R"(Examples:
  beltway move orders 88 --to orders-broken
  beltway move orders 88 --to orders-broken --group billing --timeout 5s
It is published there first, with its properties, and acknowledged here afterwards: it is never
lost. If the command is killed in between, it is in both queues. Only the owner and root may do
this, and they need w on the target.)");
  command.on_parsed([&globals, options] {
    if (options->to == options->name) throw_usage("--to", "names the queue that the message is in");
    globals.action = [&globals, options] { return move(globals, *options); };
  });
}

}  // namespace beltway::tool
