// `beltway remove` and `beltway group remove`: they say what goes, and ask a person before it goes.
#include <memory>
#include <optional>

#include "tool/commands/connecting.hpp"
#include "tool/commands/loss.hpp"
#include "tool/commands/remove_command.hpp"
#include "tool/process/question.hpp"
#include "tool/text/message_json.hpp"
#include "tool/text/output.hpp"

namespace beltway::tool {

namespace {

struct RemoveCommandOptions {
  std::string name;
  std::string group;  // empty: the queue is removed
  bool if_empty = false;
  RemoveOptions removal;

  [[nodiscard]] std::string subject() const {
    return group.empty() ? "queue \"" + name + "\"" : "group \"" + group + "\" of \"" + name + "\"";
  }
};

/// Nothing: the caller may not read the queue.
std::optional<Loss> loss_of(const Connection& connection, const RemoveCommandOptions& options) {
  try {
    const QueueSnapshot snapshot = connection.open_queue(options.name).snapshot();
    return options.group.empty() ? loss_of_queue(snapshot) : loss_of_group(snapshot, options.group);
  } catch (const Error& error) {
    if (error.reason() != Errc::no_permission) throw;
    return std::nullopt;
  }
}

std::string attached_text(const Loss& loss) {
  if (loss.endpoints == 0) return {};
  return loss.endpoints == 1 ? "; one attached producer or consumer is told"
                             : "; " + std::to_string(loss.endpoints) + " attached producers and consumers are told";
}

void check_empty(const RemoveCommandOptions& options, const std::optional<Loss>& loss) {
  if (!options.if_empty || (loss && loss->readers.empty())) return;
  throw Failure(ExitCode::left, "remove " + options.subject() + ": it has " +
                                    (loss ? text_of(*loss) : "messages that you may not read") +
                                    "; without --if-empty they are removed with it");
}

/// Throws unless the person at the terminal agrees. Scripts are not asked.
void check_consent(const RemoveCommandOptions& options, const std::optional<Loss>& loss) {
  const bool is_needed = !options.removal.force && (!loss || !loss->is_nothing());
  if (!is_needed || !can_ask()) return;
  const std::string what = loss ? text_of(*loss) + " go with it" + attached_text(*loss) : "its messages go with it";
  if (!ask("remove " + options.subject() + "? " + what)) {
    throw Failure(ExitCode::failed, "nothing was removed");
  }
}

ExitCode run(const Globals& globals, const RemoveCommandOptions& options) {
  const Connection connection = globals.connect();
  const std::optional<Loss> loss = loss_of(connection, options);
  check_empty(options, loss);
  check_consent(options, loss);
  Json json{{"queue", options.name}};
  if (options.group.empty()) {
    connection.remove(options.name, options.removal);
  } else {
    connection.open_queue(options.name).remove_group(options.group, options.removal);
    json["group"] = options.group;
  }
  json["removed"] = true;
  json["unread"] = loss ? Json(loss->unread()) : Json(nullptr);
  if (loss && !loss->readers.empty()) complain("note: removed with " + text_of(*loss));
  Output output(1);
  if (globals.json()) output.append(json_line(json));
  output.flush();
  return ExitCode::done;
}

void add_options(Command& command, Globals& globals, const std::shared_ptr<RemoveCommandOptions>& options,
                 const std::string& force) {
  command.add_flag("--force", options->removal.force, force);
  command.add_flag("--if-empty", options->if_empty, "Only if no message is unread; else exit code 8");
  command.on_parsed([&globals, options] { globals.action = [&globals, options] { return run(globals, *options); }; });
}

}  // namespace

void add_remove(Command& app, Globals& globals) {
  Command command = app.add_command("remove", "Remove a queue; attached processes are told");
  const auto options = std::make_shared<RemoveCommandOptions>();
  command.add_queue_name(options->name);
  add_options(command, globals, options, "Ask nothing; also if other queues send their dead letters to it");
  command.footer(R"(Examples:
  beltway remove orders
  beltway remove orders --if-empty
On a terminal the command asks before unread messages or attached processes lose the queue.
A script is not asked: the messages go, and the command says how many.
Producers may publish between the look of --if-empty and the removal.)");
}

void add_group_remove(Command& group, Globals& globals) {
  Command command = group.add_command("remove", "Remove a group; its consumers are told");
  const auto options = std::make_shared<RemoveCommandOptions>();
  command.add_queue_name(options->name);
  command.add_group_name(options->group);
  add_options(command, globals, options,
              "Ask nothing; also the last group of a queue that others send their dead letters to");
  command.footer(R"(Examples:
  beltway group remove orders audit
  beltway group remove orders audit --if-empty
On a terminal the command asks before unread messages or attached consumers lose the group.)");
}

}  // namespace beltway::tool
