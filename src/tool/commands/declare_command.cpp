// `beltway declare`: makes a queue, or checks one that is there, and changes what can be changed of it.
#include <algorithm>
#include <utility>

#include "tool/commands/commands.hpp"
#include "tool/text/message_json.hpp"
#include "tool/text/output.hpp"

namespace beltway::tool {

namespace {

struct DeclareOptions {
  std::string name;
  std::vector<std::string> groups;
  QueueOptions queue;
  std::vector<std::string> said;  // the options that the command line has, by their names in QueueOptions
};

/// "evict-after=30s": one of a group's own options. False if it makes no sense.
bool parse_own_option(const std::string& text, GroupOptions& options) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) return false;
  const std::string said = text.substr(equals + 1);
  const auto set = [&]<class Value>(Value& value) {
    if constexpr (std::is_same_v<Value, std::optional<std::chrono::milliseconds>>) {
      value = parse_milliseconds(said);
      return value.has_value();
    } else if constexpr (std::is_same_v<Value, std::optional<bool>>) {
      value = parse_truth(said);
      return value.has_value();
    } else if constexpr (std::is_same_v<Value, std::optional<std::string>>) {
      value = said;
      return true;
    } else if constexpr (std::is_same_v<Value, std::optional<std::uint32_t>>) {
      const std::optional<std::uint64_t> number = parse_count(said);
      if (!number || *number > std::numeric_limits<std::uint32_t>::max()) return false;
      value = static_cast<std::uint32_t>(*number);
      return true;
    }
    return false;  // no other type has a text here
  };
  for (const wire::GroupOption& row : wire::options_of<GroupOptions>()) {
    if (row.flag == "--" + text.substr(0, equals)) return row.visit(options, set);
  }
  return false;
}

/// "evict-after, retry-delay": the options of a group.
std::string own_options_text() {
  std::string text;
  for (const wire::GroupOption& row : wire::options_of<GroupOptions>()) {
    text += (text.empty() ? "" : ", ") + std::string(row.flag.substr(2));
  }
  return text;
}

NamedGroup parse_group(const std::string& text) {
  std::size_t comma = std::min(text.find(','), text.size());
  NamedGroup group(text.substr(0, comma));
  while (comma != text.size()) {
    const std::size_t next = std::min(text.find(',', comma + 1), text.size());
    if (!parse_own_option(text.substr(comma + 1, next - comma - 1), group.options)) {
      throw_usage("--group", text + " is not GROUP or GROUP,OPTION=VALUE with " + own_options_text());
    }
    comma = next;
  }
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

ExitCode run(const Globals& globals, const DeclareOptions& options) {
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

/// "--a and --b are": the flags whose options can be changed.
std::string changeable_text() {
  std::string text;
  std::string verb = " is";
  for (const wire::QueueOption& row : wire::options_of<QueueOptions>()) {
    if (!row.is_changeable()) continue;
    if (!text.empty()) verb = " are";
    text += (text.empty() ? "" : " and ") + std::string(row.flag);
  }
  return text + verb;
}

}  // namespace

void add_declare(Command& app, Globals& globals) {
  Command command = app.add_command("declare", "Make a queue, or check that it exists with the options that are given");
  const auto options = std::make_shared<DeclareOptions>();
  QueueOptions& queue = options->queue;
  command.add_queue_name(options->name);
  // Each with its name in QueueOptions: only what the command line says is asked of a queue that exists.
  const std::vector<std::pair<std::string, Option>> named = command.add_options(queue);
  command
      .add_texts("--group", options->groups,
                 "A named group, maybe with options of its own, such as ,evict-after=DURATION (0: never); repeat for "
                 "more")
      .type_name("GROUP ...");
  command.footer(R"(Examples:
  beltway declare orders --group billing --group audit,evict-after=30s
  beltway declare frames --slots 64 --lane-bytes 256M --max-producers 1 --mode 0640
  beltway declare orders --evict-after 5s
Of a queue that exists only the options that are given are compared, and )" +
                 changeable_text() + " changed.");
  command.on_parsed([&globals, options, named] {
    for (const std::string& group : options->groups) options->queue.groups.push_back(parse_group(group));
    for (const auto& [name, option] : named) {
      if (option.given()) options->said.push_back(name);
    }
    if (options->queue.exclusive) {
      throw_usage("--exclusive",
                  "the queue would belong to this command and end with it at once; give it --expire-after DURATION "
                  "instead, or declare it in the program that it is to end with (QueueOptions::exclusive)");
    }
    globals.action = [&globals, options] { return run(globals, *options); };
  });
}

}  // namespace beltway::tool
