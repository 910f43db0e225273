// `beltway events`: what the daemon has seen, once or as it happens.
#include <iostream>

#include "tool/commands/commands.hpp"
#include "tool/commands/event_follower.hpp"
#include "tool/process/interrupt.hpp"
#include "tool/text/ages_text.hpp"
#include "tool/text/event_text.hpp"
#include "tool/text/output.hpp"

namespace beltway::tool {

namespace {

/// Where the events begin.
struct Since {
  std::uint64_t sequence = 0;
  std::uint64_t time_ns = 0;
};

std::optional<Since> parse_since(const std::string& text) {
  if (const std::optional<std::uint64_t> sequence = parse_count(text)) return Since{.sequence = *sequence};
  const std::optional<PublishTime> time = parse_time(text);
  if (!time) return std::nullopt;
  const auto ns = time->time_since_epoch().count();
  return Since{.time_ns = ns < 0 ? 0 : static_cast<std::uint64_t>(ns)};
}

struct EventsOptions {
  bool follow = false;
  Since since;
  std::string queue;
  std::optional<std::uint64_t> count;
};

ExitCode run(const Globals& globals, const EventsOptions& options) {
  Connection connection = Connection::open(globals.inspect_options());
  Interrupt interrupt(1);
  Output output(1, "standard output", interrupt.token());
  std::uint64_t shown = 0;
  const auto show = [&](const Event& event) {
    if (event.time_ns < options.since.time_ns || (!options.queue.empty() && event.queue != options.queue)) return true;
    if (options.count && shown == *options.count) return false;
    output.append(globals.json() ? json_line(to_json(event)) : event_text(event) + "\n");
    return !options.count || ++shown < *options.count;
  };
  const auto note = [](const std::string& text) { std::cerr << "beltway: note: " << text << std::endl; };
  EventFollower follower(std::move(connection), options.since.sequence,
                         {.event = show, .flush = [&output] { output.flush(); }, .note = note}, interrupt.token());
  if (options.follow) {
    follower.follow();
  } else {
    follower.read_all();
  }
  return interrupt.exit_code();
}

}  // namespace

void add_events(Command& app, Globals& globals) {
  Command command = app.add_command("events", "Show what the daemon has seen: who came, left, died or was evicted");
  const auto options = std::make_shared<EventsOptions>();
  command.add_flag("--follow", options->follow, "Go on with events as they happen, also after the daemon's death");
  command
      .add_parsed("--since", options->since, &parse_since,
                  "an event's number, a time (2026-11-29T08:00:00Z, without Z in local time) or an age (10m)",
                  "Begin there, instead of with the oldest one")
      .type_name("NUMBER|TIME");
  command.add_text("--queue", options->queue, "Only events of that queue").type_name("QUEUE");
  command.add_count("--count", options->count, "Stop after so many");
  command.footer(R"(Examples:
  beltway events --since 10m
  beltway events -f --queue orders
  beltway events -f --format json | jq -c 'select(.kind == "evicted")'
The daemon remembers the last 4,096 events, also when it is started again. You see events of queues
that you may read or write.)");
  command.on_parsed([&globals, options] { globals.action = [&globals, options] { return run(globals, *options); }; });
}

}  // namespace beltway::tool
