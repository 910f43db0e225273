// `beltway requeue`: moves dead letters back to where they come from.
#include <algorithm>
#include <limits>
#include <map>

#include "tool/acts/queue_acts.hpp"
#include "tool/acts/requeueing.hpp"
#include "tool/commands/commands.hpp"
#include "tool/process/interrupt.hpp"
#include "tool/text/message_json.hpp"
#include "tool/text/output.hpp"

namespace beltway::tool {

namespace {

struct RequeueOptions {
  std::string name;
  std::string group;
  std::string to;
  std::optional<std::uint64_t> count;
  std::optional<std::chrono::nanoseconds> timeout;
};

GroupState state_of(const Queue& queue, const std::string& group) {
  const QueueSnapshot snapshot = queue.snapshot();
  const auto found = std::ranges::find(snapshot.groups, group, &GroupState::name);
  return found == snapshot.groups.end() ? GroupState{} : *found;
}

/// So many messages that stay for the same reason are named, the others are counted. The JSON names all.
constexpr std::uint64_t k_most_kept_named = 10;

std::string kept_text(const std::vector<Requeueing::Kept>& messages) {
  std::string text;
  std::map<std::string, std::uint64_t> by_reason;
  for (const Requeueing::Kept& kept : messages) {
    if (++by_reason[kept.why] > k_most_kept_named) continue;
    text += "  ! the message at position " + std::to_string(kept.position) + " stays: " + kept.why + "\n";
  }
  for (const auto& [why, number] : by_reason) {
    if (number > k_most_kept_named)
      text += "  ! " + std::to_string(number - k_most_kept_named) + " more stay: " + why + "\n";
  }
  return text;
}

std::string report_text(const Requeueing& requeueing, const GroupState& left) {
  std::string text = "requeued " + std::to_string(requeueing.messages()) + " messages";
  std::string separator = ": ";
  for (const auto& [name, count] : requeueing.moved()) {
    text += std::exchange(separator, ", ") + std::to_string(count) + " to " + name;
  }
  text += "\n";
  text += kept_text(requeueing.kept());
  if (left.leased != 0) text += std::to_string(left.leased) + " messages are held by other consumers\n";
  if (left.delayed != 0) text += std::to_string(left.delayed) + " messages wait to be delivered again\n";
  if (left.paused_for) text += "group \"" + left.name + "\" is paused\n";
  return text;
}

Json report_json(const RequeueOptions& options, const std::string& group, const Requeueing& requeueing,
                 const GroupState& left) {
  Json json{{"queue", options.name}, {"group", group}, {"requeued", requeueing.messages()}};
  json["to"] = Json::object();
  for (const auto& [name, count] : requeueing.moved()) json["to"][name] = count;
  json["kept"] = Json::array();
  for (const Requeueing::Kept& kept : requeueing.kept()) {
    json["kept"].push_back({{"position", kept.position},
                            {"origin", kept.origin.empty() ? Json(nullptr) : Json(kept.origin)},
                            {"why", kept.why}});
  }
  json["held"] = left.leased;
  json["delayed"] = left.delayed;
  return json;
}

ExitCode exit_code_of(const Requeueing& requeueing, const Interrupt& interrupt) {
  if (interrupt.signal() != 0) return interrupt.exit_code();
  const auto& kept = requeueing.kept();
  if (std::ranges::any_of(kept, &Requeueing::Kept::forbidden)) return ExitCode::no_permission;
  return kept.empty() ? ExitCode::done : ExitCode::left;
}

ExitCode run(const Globals& globals, const RequeueOptions& options) {
  const Connection connection = globals.connect();
  const Queue queue = connection.open_queue(options.name);
  const std::string group = group_or_only(queue, options.group, "requeue");
  Consumer consumer = queue.consumer({.group = group});
  const GroupState before = state_of(queue, group);
  Interrupt interrupt;
  std::optional<Progress> progress(std::in_place, globals.progress_when(), "requeue " + options.name);
  Requeueing requeueing(connection, consumer,
                        {.to = options.to,
                         .most = options.count.value_or(std::numeric_limits<std::uint64_t>::max()),
                         .there = before.available + before.delayed,
                         .timeout = options.timeout,
                         .progress = &*progress},
                        interrupt.token());
  const auto report = [&] {
    progress.reset();
    const GroupState left = state_of(queue, group);
    Output output(1);
    output.append(globals.json() ? json_line(report_json(options, group, requeueing, left))
                                 : report_text(requeueing, left));
    output.flush();
  };
  try {
    requeueing.run();
  } catch (...) {
    if (requeueing.messages() != 0) report();
    throw;
  }
  report();
  return exit_code_of(requeueing, interrupt);
}

}  // namespace

void add_requeue(Command& app, Globals& globals) {
  Command command = app.add_command("requeue", "Move dead letters back to the queues that they come from");
  const auto options = std::make_shared<RequeueOptions>();
  command.add_text("DEAD_LETTER", options->name, "The queue with the dead letters").required().type_name("");
  command.add_text("--to", options->to, "The queue that gets them, instead of their origins").type_name("QUEUE");
  command.add_text("--group", options->group, "The group whose messages are moved (the only one)").type_name("GROUP");
  command.add_count("--count", options->count, "So many messages at most");
  command.add_duration("--timeout", options->timeout, "Give up when a target stays full so long (exit code 3)");
  command.footer(R"(Examples:
  beltway requeue failed
  beltway requeue failed --count 1
  beltway requeue failed --to orders-slow --timeout 10s
Each message is published first and acknowledged afterwards: none is lost, whatever happens in between.
Exit code 8: messages stay, since they have no origin or it does not take them; the output names them.)");
  command.on_parsed([&globals, options] {
    if (options->to == options->name) throw_usage("--to", "names the queue that the messages are in");
    globals.action = [&globals, options] { return run(globals, *options); };
  });
}

}  // namespace beltway::tool
