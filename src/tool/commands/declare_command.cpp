// `beltway declare`: makes a queue, or checks one that is there, and changes what can be changed of it.
#include <algorithm>
#include <utility>

#include "tool/commands/commands.hpp"
#include "tool/text/json.hpp"
#include "tool/text/output.hpp"

namespace beltway::tool {

namespace {

struct Options {
  std::string name;
  std::vector<std::string> groups;
  QueueOptions queue;
  std::vector<std::string> said;  // the options that the command line has, by their names in QueueOptions
};

NamedGroup parse_group(const std::string& text) {
  constexpr std::string_view k_key = ",evict-after=";
  const std::size_t comma = std::min(text.find(','), text.size());
  NamedGroup group(text.substr(0, comma));
  if (comma == text.size()) return group;
  const bool known = text.compare(comma, k_key.size(), k_key) == 0;
  if (known) group.options.evict_after = parse_evict_after(text.substr(comma + k_key.size()));
  if (!group.options.evict_after) throw_usage("--group", text + " is not GROUP or GROUP,evict-after=DURATION");
  return group;
}

/// How long that consumer's group lets it stand still; 0: for ever.
std::chrono::milliseconds evict_after_of(const QueueInfo& info, const EndpointInfo& consumer) {
  for (const NamedGroup& group : info.options.groups) {
    if (group.name == consumer.group) return group.options.evict_after.value_or(info.options.evict_after);
  }
  return info.options.evict_after;
}

std::string changes_text(const std::vector<OptionChange>& changes) {
  std::string text;
  for (const OptionChange& change : changes) {
    text += "changed" + (change.group.empty() ? "" : " of group \"" + change.group + "\"") + ": " + change.option +
            " from " + change.from + " to " + change.to + "\n";
  }
  return text;
}

/// Of attached consumers that a time does not concern, since there was none when they attached.
std::string untouched_text(const QueueInfo& info) {
  std::string text;
  for (const EndpointInfo& each : info.endpoints) {
    if (each.producer || each.lossy || each.evictable || evict_after_of(info, each).count() == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(each.index) + " (process " + std::to_string(each.pid) + ")";
  }
  if (text.empty()) return text;
  return "attached before there was such a time, and never thrown out: consumer " + text +
         "; it counts for them when they attach again\n";
}

std::string text(const QueueInfo& info) {
  return info.name + ": " + std::to_string(info.options.slots) + " slots of " + format_size(info.options.slot_bytes) +
         ", lanes of " + format_size(static_cast<double>(info.options.lane_bytes)) + ", " +
         format_size(static_cast<double>(info.shared_bytes)) + " of memory\n";
}

Json changes_json(const std::vector<OptionChange>& changes) {
  Json list = Json::array();
  for (const OptionChange& change : changes) {
    list.push_back({{"option", change.option},
                    {"group", change.group.empty() ? Json(nullptr) : Json(change.group)},
                    {"from", change.from},
                    {"to", change.to}});
  }
  return list;
}

ExitCode run(const Globals& globals, const Options& options) {
  const Connection connection = globals.connect();
  const Connection::Declared declared = connection.declare_some(options.name, options.queue, options.said);
  const QueueInfo info = declared.queue.describe();
  Output output(1);
  if (globals.json()) {
    Json json = to_json(info);
    json["created"] = declared.created;
    json["changed"] = changes_json(declared.changed);
    output.append(json_line(json));
  } else {
    output.append(text(info) + changes_text(declared.changed));
    if (!declared.changed.empty()) output.append(untouched_text(info));
  }
  output.flush();
  return ExitCode::done;
}

}  // namespace

void add_declare(Command& app, Globals& globals) {
  Command command = app.add_command("declare", "Make a queue, or check that it exists with the options that are given");
  const auto options = std::make_shared<Options>();
  QueueOptions& queue = options->queue;
  command.add_queue_name(options->name);
  // Each with its name in QueueOptions: only what the command line says is asked of a queue that exists.
  const std::vector<std::pair<std::string, Option>> named{
      {"slots", command.add_size("--slots", queue.slots, "Messages in the ring, a power of two (1024)")},
      {"slot_bytes",
       command.add_size("--slot-bytes", queue.slot_bytes, "32, 64 or a multiple of 64; 16 less hold a message (128)")},
      {"lane_bytes",
       command.add_size("--lane-bytes", queue.lane_bytes, "Each producer's room for larger messages; 0: none (1M)")},
      {"max_producers",
       command.add_number("--max-producers", queue.max_producers, "1 makes the faster single-producer ring")},
      {"max_consumers", command.add_number("--max-consumers", queue.max_consumers, "")},
      {"max_groups", command.add_number("--max-groups", queue.max_groups, "Named groups")},
      {"mode", command.add_parsed(
                   "--mode", queue.mode, [](const std::string& mode) { return parse_mode(mode); }, "an octal MODE",
                   "Who may produce (w) and consume (r), as of a file (0600)")},
      {"fence", command.add_choice<Fence>("--fence", queue.fence,
                                          {{"asymmetric", Fence::asymmetric}, {"symmetric", Fence::symmetric}},
                                          "symmetric on machines with isolated cores that must not be interrupted")},
      {"evict_after_ms",
       command.add_evict_after(queue.evict_after,
                               "Throw out a consumer that stands still for so long while producers wait (never); of a "
                               "queue that exists it is changed, by its owner or root")}};
  command
      .add_texts("--group", options->groups,
                 "A named group, maybe with its own ,evict-after=DURATION (0: never); repeat for more")
      .type_name("GROUP ...");
  command.footer(R"(Examples:
  beltway declare orders --group billing --group audit,evict-after=30s
  beltway declare frames --slots 64 --lane-bytes 256M --max-producers 1 --mode 0640
  beltway declare orders --evict-after 5s
Of a queue that exists only the options that are given are compared, and --evict-after is changed.)");
  command.on_parsed([&globals, options, named] {
    for (const std::string& group : options->groups) options->queue.groups.push_back(parse_group(group));
    for (const auto& [name, option] : named) {
      if (option.given()) options->said.push_back(name);
    }
    globals.action = [&globals, options] { return run(globals, *options); };
  });
}

}  // namespace beltway::tool
