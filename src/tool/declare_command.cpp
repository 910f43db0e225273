// `beltway declare`: makes a queue, or checks that it is there with the same options.
#include <algorithm>

#include "commands.hpp"
#include "json.hpp"
#include "output.hpp"

namespace beltway::tool {

namespace {

struct Options {
  std::string name;
  std::vector<std::string> groups;
  QueueOptions queue;
};

NamedGroup parse_group(const std::string& text) {
  constexpr std::string_view k_key = ",evict-after=";
  const std::size_t comma = std::min(text.find(','), text.size());
  NamedGroup group(text.substr(0, comma));
  if (comma == text.size()) return group;
  const bool known = text.compare(comma, k_key.size(), k_key) == 0;
  if (known) group.options.evict_after_ms = parse_evict_after(text.substr(comma + k_key.size()));
  if (!group.options.evict_after_ms) throw_usage("--group", text + " is not GROUP or GROUP,evict-after=DURATION");
  return group;
}

std::string text(const QueueInfo& info) {
  return info.name + ": " + std::to_string(info.options.slots) + " slots of " + format_size(info.options.slot_bytes) +
         ", lanes of " + format_size(static_cast<double>(info.options.lane_bytes)) + ", " +
         format_size(static_cast<double>(info.shared_bytes)) + " of memory\n";
}

ExitCode run(const Globals& globals, const Options& options) {
  const Connection connection = globals.connect();
  const QueueInfo info = connection.declare(options.name, options.queue).describe();
  Output output(1);
  output.append(globals.json() ? json_line(to_json(info)) : text(info));
  output.flush();
  return ExitCode::done;
}

}  // namespace

void add_declare(Command& app, Globals& globals) {
  Command command = app.add_command("declare", "Make a queue, or check that it exists with these options");
  const auto options = std::make_shared<Options>();
  QueueOptions& queue = options->queue;
  command.add_queue_name(options->name);
  command.add_size("--slots", queue.slots, "Messages in the ring, a power of two (1024)");
  command.add_size("--slot-bytes", queue.slot_bytes, "32, 64 or a multiple of 64; 16 less hold a message (128)");
  command.add_size("--lane-bytes", queue.lane_bytes, "Each producer's room for larger messages; 0: none (1M)");
  command.add_number("--max-producers", queue.max_producers, "1 makes the faster single-producer ring");
  command.add_number("--max-consumers", queue.max_consumers, "");
  command.add_number("--max-groups", queue.max_groups, "Named groups");
  command
      .add_texts("--group", options->groups,
                 "A named group, maybe with its own ,evict-after=DURATION (0: never); repeat for more")
      .type_name("GROUP ...");
  command.add_parsed(
      "--mode", queue.mode, [](const std::string& mode) { return parse_mode(mode); }, "an octal MODE",
      "Who may produce (w) and consume (r), as of a file (0600)");
  command.add_choice<Fence>("--fence", queue.fence,
                            {{"asymmetric", Fence::asymmetric}, {"symmetric", Fence::symmetric}},
                            "symmetric on machines with isolated cores that must not be interrupted");
  command.add_evict_after(queue.evict_after_ms,
                          "Throw out a consumer that stands still for so long while producers wait (never)");
  command.footer(R"(Examples:
  beltway declare orders --group billing --group audit,evict-after=30s
  beltway declare frames --slots 64 --lane-bytes 256M --max-producers 1 --mode 0640)");
  command.on_parsed([&globals, options] {
    for (const std::string& group : options->groups) options->queue.groups.push_back(parse_group(group));
    globals.action = [&globals, options] { return run(globals, *options); };
  });
}

}  // namespace beltway::tool
