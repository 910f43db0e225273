// `beltway purge`, `group` and `ping`: one request each. `remove` and `group remove` are in remove_command.cpp.
#include "tool/commands/commands.hpp"
#include "tool/commands/daemon_state.hpp"
#include "tool/commands/remove_command.hpp"
#include "tool/text/ages_text.hpp"
#include "tool/text/causes_text.hpp"
#include "tool/text/message_json.hpp"
#include "tool/text/output.hpp"
#include "watch/process_info.hpp"

namespace beltway::tool {

namespace {

/// Where a reset lets a group begin: at `position`, at the first message since `published`, or at `start` if there is neither.
struct Place {
  Start start = Start::latest;
  std::optional<std::uint64_t> position = {};
  std::optional<PublishTime> published = {};
};

std::optional<Place> parse_place(const std::string& text) {
  for (const Start start : {Start::oldest, Start::latest}) {
    if (text == wire::word_of(start)) return Place{start};
  }
  const std::optional<std::uint64_t> position = parse_count(text);
  if (position) return Place{.position = position};
  const std::optional<PublishTime> published = parse_time(text);
  return published ? std::optional(Place{.published = published}) : std::nullopt;
}

struct ManageOptions {
  std::string name;
  std::string group;
  Start start = Start::latest;
  Place to = {};
  GroupOptions own;
};

Json holder_json(const PurgeHolder& holder) {
  const std::optional<watch::ProcessInfo> process = watch::process_info(holder.pid);
  return {{"role", holder.producer ? "producer" : "consumer"},
          {"index", holder.index},
          {"pid", holder.pid},
          {"process", process ? Json(process->name) : Json(nullptr)},
          {"stopped", process && process->stopped()},
          {"messages", holder.messages},
          {"oldest", holder.oldest}};
}

/// The messages that were purged and those that are left, the holders, and what ends that.
std::string purge_text(const PurgeResult& result, std::uint32_t slots) {
  std::string text = "purged " + std::to_string(result.purged) + " messages\n";
  if (result.left == 0) return text;
  text += "left " + std::to_string(result.left) + " messages, which are held; " + std::to_string(result.used) + " of " +
          std::to_string(slots) + " slots are in use" + (result.used >= slots ? ": the ring is still full" : "") + "\n";
  for (const PurgeHolder& holder : result.holders) {
    text += "  ! " + std::string(holder.producer ? "producer " : "consumer ") + std::to_string(holder.index) + " (" +
            watch::process_text(holder.pid) + ") " + (holder.producer ? "is writing " : "holds ") +
            std::to_string(holder.messages) + " of them, the oldest at position " + std::to_string(holder.oldest) +
            "\n" + remedies_text(watch::remedies_for_process(holder.pid));
  }
  return text;
}

ExitCode purge(const Globals& globals, const ManageOptions& options) {
  const Queue queue = globals.connect().open_queue(options.name);
  const PurgeResult result = queue.purge(options.group);
  Json json{{"queue", options.name}, {"group", options.group}, {"purged", result.purged}};
  json["left"] = result.left;
  json["used"] = result.used;
  json["holders"] = Json::array();
  for (const PurgeHolder& holder : result.holders) json["holders"].push_back(holder_json(holder));
  print_answer(globals, json, purge_text(result, queue.options().slots));
  return result.left == 0 ? ExitCode::done : ExitCode::left;
}

ExitCode add_one_group(const Globals& globals, const ManageOptions& options) {
  globals.connect().open_queue(options.name).add_group({options.group, options.own}, options.start);
  return print_answer(globals, {{"queue", options.name}, {"group", options.group}, {"added", true}}, "");
}

ExitCode pause_group(const Globals& globals, const ManageOptions& options, bool paused) {
  const Queue queue = globals.connect().open_queue(options.name);
  paused ? queue.pause_group(options.group) : queue.resume_group(options.group);
  return print_answer(globals, {{"queue", options.name}, {"group", options.group}, {"paused", paused}}, "");
}

ExitCode reset_group(const Globals& globals, const ManageOptions& options) {
  const Queue queue = globals.connect().open_queue(options.name);
  const ResetResult done = options.to.position    ? queue.reset_group(options.group, *options.to.position)
                           : options.to.published ? queue.reset_group(options.group, *options.to.published)
                                                  : queue.reset_group(options.group, options.to.start);
  std::string text = "begins at position " + std::to_string(done.position) + ": " + std::to_string(done.acknowledged) +
                     " messages acknowledged, " + std::to_string(done.restored) + " to be delivered again\n";
  if (done.held != 0) text += std::to_string(done.held) + " messages stay with the consumers that hold them\n";
  return print_answer(globals,
                      {{"queue", options.name},
                       {"group", options.group},
                       {"position", done.position},
                       {"acknowledged", done.acknowledged},
                       {"restored", done.restored},
                       {"held", done.held}},
                      text);
}

ExitCode ping(const Globals& globals) {
  const auto start = std::chrono::steady_clock::now();
  const Connection connection = globals.connect_to_inspect();
  const auto before = std::chrono::steady_clock::now();
  const std::chrono::nanoseconds connecting = before - start;
  const Connection::DaemonInfo daemon = connection.ping();
  const std::chrono::nanoseconds taken = std::chrono::steady_clock::now() - before;
  std::string text = watch::daemon_text(daemon) + ", round trip " + format_duration(taken) + " after " +
                     format_duration(connecting) + " to connect\n";
  if (!daemon.log.empty()) text += "log " + daemon.log + "\n";
  if (daemon.log_lost > 0)
    text +=
        std::to_string(daemon.log_lost) + " lines of its log were lost: its log was not read, or its disk is full\n";
  Json json = to_json(daemon);
  json["round_trip_ns"] = taken.count();
  json["connect_ns"] = connecting.count();
  return print_answer(globals, json, text + state_text(daemon));
}

void set_action(Command& command, Globals& globals, std::function<ExitCode()> action) {
  command.on_parsed([&globals, action = std::move(action)] { globals.action = action; });
}

}  // namespace

void add_purge(Command& app, Globals& globals) {
  Command command = app.add_command("purge", "Acknowledge all messages of a group that no consumer holds");
  const auto options = std::make_shared<ManageOptions>();
  command.add_queue_name(options->name);
  command.add_text("--group", options->group, "The group").required().type_name("GROUP");
  command.footer(
      "Example:\n  beltway purge orders --group billing\n"
      "Exit code 8: messages are left, which consumers hold or producers are writing; the output names them.");
  set_action(command, globals, [&globals, options] { return purge(globals, *options); });
}

void add_group(Command& app, Globals& globals) {
  Command command = app.add_command("group", "Add, remove, pause or reset a named group");
  command.require_command();
  const auto options = std::make_shared<ManageOptions>();
  Command add = command.add_command("add", "Make a group that keeps messages from now on, consumers or not");
  add.add_queue_name(options->name);
  add.add_group_name(options->group);
  add.add_choice("--from", options->start, "Where it starts (latest)");
  add.add_options(options->own);
  add.footer("Example:\n  beltway group add orders audit --from oldest --evict-after 30s");
  set_action(add, globals, [&globals, options] { return add_one_group(globals, *options); });
  add_group_remove(command, globals);
  Command pause = command.add_command("pause", "Give its consumers no messages until it is resumed");
  pause.add_queue_name(options->name);
  pause.add_group_name(options->group);
  pause.footer(
      "Example:\n  beltway group pause orders billing\nIt keeps its messages: producers wait when the ring is full.");
  set_action(pause, globals, [&globals, options] { return pause_group(globals, *options, true); });
  Command resume = command.add_command("resume", "Let the consumers of a paused group go on");
  resume.add_queue_name(options->name);
  resume.add_group_name(options->group);
  resume.footer("Example:\n  beltway group resume orders billing");
  set_action(resume, globals, [&globals, options] { return pause_group(globals, *options, false); });
  Command reset = command.add_command("reset", "Let a group begin elsewhere; its consumers stay");
  reset.add_queue_name(options->name);
  reset.add_group_name(options->group);
  reset
      .add_parsed("--to", options->to, &parse_place,
                  "oldest, latest, a position, a time (2026-11-29T08:00:00Z, without Z in local time) or an age (10m)",
                  "Where: a position must be in the ring; a time needs a queue with --stamps")
      .required()
      .type_name("oldest|latest|POSITION|TIME");
  reset.footer(
      "Examples:\n  beltway group reset orders billing --to oldest\n  beltway group reset orders billing --to 1200\n"
      "  beltway group reset orders billing --to 2026-11-29T08:00:00\n  beltway group reset orders billing --to 10m\n"
      "Messages before are acknowledged, those from there on delivered again. What a consumer holds stays with it.");
  set_action(reset, globals, [&globals, options] { return reset_group(globals, *options); });
}

void add_ping(Command& app, Globals& globals) {
  Command command = app.add_command("ping", "Ask the daemon for a sign of life");
  command.footer("Example:\n  beltway ping && echo up");
  set_action(command, globals, [&globals] { return ping(globals); });
}

}  // namespace beltway::tool
