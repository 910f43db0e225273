// `beltway bridge`: passes messages between queues of this machine and a message engine; see src/bridge/README.md.
#include <algorithm>

#include "bridge/bridge.hpp"
#include "tool/commands/commands.hpp"
#include "tool/process/interrupt.hpp"
#include "tool/text/bridge_text.hpp"
#include "tool/text/output.hpp"
#include "watch/bridges.hpp"

namespace beltway::tool {

namespace {

struct BridgeFlags {
  std::string url;
  std::string config;
  std::string credentials_file;
  std::string ca_file;
  std::string name;
  std::vector<std::string> out;
  std::vector<std::string> in;
  std::optional<std::uint64_t> window;
  std::optional<std::chrono::milliseconds> drain;
  std::optional<std::chrono::milliseconds> longest_pause;
  std::optional<std::chrono::milliseconds> failed_pause;
  bool keep_duplicates = false;
  bool status = false;
};

/// What the file says, and what the flags say instead or besides.
bridge::BridgeOptions options_of(const BridgeFlags& flags) {
  bridge::BridgeOptions options;
  read_credentials({}, options.server);
  if (!flags.config.empty()) read_bridge_file(flags.config, options);
  if (!flags.url.empty()) read_url(flags.url, options.server);
  if (!flags.credentials_file.empty()) read_credentials(flags.credentials_file, options.server);
  if (!flags.ca_file.empty()) options.server.ca_file = flags.ca_file;
  if (!flags.name.empty()) options.name = flags.name;
  if (flags.drain) options.drain = *flags.drain;
  if (flags.longest_pause) options.pauses.longest = *flags.longest_pause;
  if (flags.failed_pause) options.pauses.failed = *flags.failed_pause;
  options.pauses.first = std::min(options.pauses.first, options.pauses.longest);
  const std::size_t of_file = options.routes.size();
  for (const std::string& text : flags.out) options.routes.push_back(bridge::read_out_route(text));
  for (const std::string& text : flags.in) options.routes.push_back(bridge::read_in_route(text));
  for (std::size_t i = of_file; i < options.routes.size(); ++i) {
    bridge::RouteOptions& route = options.routes[i];
    if (flags.window) route.window = static_cast<std::uint32_t>(std::min<std::uint64_t>(*flags.window, 0xffffffff));
    route.deduplicate = !flags.keep_duplicates;
  }
  check(options);
  return options;
}

ExitCode show_status(const Globals& globals, const BridgeFlags& flags) {
  const std::string socket = globals.connect_to_inspect().ping().socket;
  std::vector<watch::BridgeView> bridges = watch::bridges_of(socket);
  if (!flags.name.empty())
    std::erase_if(bridges, [&](const watch::BridgeView& each) { return each.name != flags.name; });
  Output output(1);
  if (globals.json()) {
    watch::Json list = watch::Json::array();
    for (const watch::BridgeView& each : bridges) list.push_back(to_json(each));
    output.append(watch::json_line({{"bridges", std::move(list)}}));
  } else {
    output.append(bridges_text(bridges));
  }
  output.flush();
  return bridges.empty() && !flags.name.empty() ? ExitCode::not_found : ExitCode::done;
}

ExitCode run(const Globals& globals, const BridgeFlags& flags) {
  if (flags.status) return show_status(globals, flags);
  const std::string socket = globals.connect().ping().socket;
  bridge::Bridge bridge(options_of(flags), globals.connection_options(), socket);
  Interrupt interrupt;
  const auto tell = [&globals](const watch::RouteView& route) {
    Output output(2, "standard error");
    output.append(globals.json() ? watch::json_line(watch::route_json(route)) : route_line(route));
    output.flush();
  };
  bridge.run(interrupt.token(), tell);
  const watch::BridgeView end = bridge.view();
  print(globals.json() ? watch::json_line(to_json(end)) : bridges_text({end}));
  return ExitCode::done;
}

}  // namespace

void add_bridge(Command& app, Globals& globals) {
  Command command = app.add_command("bridge", "Pass messages to and from a RabbitMQ server, until it is told to stop");
  const auto flags = std::make_shared<BridgeFlags>();
  command.add_texts("--out", flags->out, "From a local queue to a queue of the server, or to EXCHANGE//ROUTING_KEY")
      .type_name("QUEUE[:GROUP]=REMOTE");
  command.add_texts("--in", flags->in, "From a queue of the server to a local queue").type_name("REMOTE=QUEUE");
  command.add_text("--url", flags->url, "The server (amqp://localhost:5672)")
      .type_name("amqp[s]://HOST[:PORT][/VHOST]");
  command.add_text("--config", flags->config, "A JSON file with server and routes, besides the flags")
      .type_name("PATH");
  command.add_text("--credentials-file", flags->credentials_file, "User in its first line, password in its second")
      .type_name("PATH");
  command.add_text("--ca-file", flags->ca_file, "Certificates that amqps trusts (the system's)").type_name("PATH");
  command.add_text("--name", flags->name, "The bridge's name in its status (bridge); one process has it at a time");
  command.add_count("--window", flags->window, "Messages on their way at most, for each route of the flags (1024)");
  command.add_flag("--keep-duplicates", flags->keep_duplicates, "Store messages of another bridge that come twice");
  command.add_milliseconds("--drain", flags->drain, "How long to wait for confirmations at the end (10 s)");
  command.add_milliseconds("--longest-pause", flags->longest_pause, "Between attempts to connect again (15 s)");
  command.add_milliseconds("--failed-pause", flags->failed_pause, "Between attempts of a failed route (15 s)");
  command.add_flag("--status", flags->status, "Print what the bridges of this daemon do, and end");
  command.footer(R"(User and password come from --credentials-file, or from $BELTWAY_BRIDGE_USER and
$BELTWAY_BRIDGE_PASSWORD; else they are RabbitMQ's own "guest".
A message is acknowledged at its source once the other side has stored it. SIGTERM ends the
bridge after what is on its way; a second one ends it at once.
Examples:
  beltway bridge --out orders=orders --in answers=answers --url amqp://broker.example
  beltway bridge --config bridge.json
  beltway bridge --status
  beltway bridge --status --format json | jq '.bridges[].routes[].state')");
  command.on_parsed([&globals, flags] {
    if (flags->status && !(flags->out.empty() && flags->in.empty())) throw_usage("--status", "excludes --out and --in");
    globals.action = [&globals, flags] { return run(globals, *flags); };
  });
}

}  // namespace beltway::tool
