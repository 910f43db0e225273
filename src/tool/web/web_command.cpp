// `beltway web`: serves the page, the API and the metrics until it is stopped.
#include "tool/commands/commands.hpp"
#include "tool/commands/connecting.hpp"
#include "tool/process/interrupt.hpp"
#include "tool/text/output.hpp"
#include "tool/web/web_page.hpp"
#include "tool/web/web_server.hpp"
#include "watch/json.hpp"

namespace beltway::tool {

namespace {

struct WebCommandOptions {
  WebOptions web;
  std::uint32_t port = 0;
  std::string bind = "127.0.0.1";
  std::optional<std::chrono::nanoseconds> history;
  bool licences = false;
};

std::string place_text(const WebServer& server, const WebOptions& options) {
  if (options.unix_path.empty()) return server.url() + "\n";
  return "listens at " + options.unix_path + "; from a browser:\n  ssh -L 8765:" + options.unix_path +
         " HOST, then http://localhost:8765/?token=" + server.token() + "\n";
}

watch::Json place_json(const WebServer& server, const WebOptions& options) {
  watch::Json json{{"url", options.unix_path.empty() ? watch::Json(server.url()) : watch::Json(nullptr)},
                   {"token", server.token()}};
  json["port"] = options.unix_path.empty() ? watch::Json(server.port()) : watch::Json(nullptr);
  json["unix"] = options.unix_path.empty() ? watch::Json(nullptr) : watch::Json(options.unix_path);
  json["has_page"] = !page_files().empty();
  return json;
}

void print(const std::string& text) {
  Output output(1);
  output.append(text);
  output.flush();
}

ExitCode print_licences() {
  if (page_licences().empty()) throw Failure(ExitCode::failed, std::string(k_no_page));
  print(std::string(page_licences()));
  return ExitCode::done;
}

ExitCode run(const Globals& globals, WebCommandOptions& options) {
  if (options.licences) return print_licences();
  options.web.connection = globals.watch_options();
  options.web.port = static_cast<std::uint16_t>(options.port);
  if (options.history) options.web.history = std::chrono::duration_cast<std::chrono::seconds>(*options.history);
  WebServer server(options.web);
  Interrupt interrupt;
  if (page_files().empty()) complain("note: " + std::string(k_no_page) + "; its API and metrics answer");
  print(globals.json() ? watch::json_line(place_json(server, options.web)) : place_text(server, options.web));
  server.run(interrupt.token());
  return interrupt.exit_code();
}

/// Refuses what must not be, with the way that works.
void check(const WebCommandOptions& options, const Option& port, const Option& bind) {
  if (bind.given() && options.bind != "127.0.0.1" && options.bind != "localhost")
    throw_usage("--bind",
                "it listens on loopback only: HTTP shows token and data to everybody on the way. From another machine "
                "use ssh -L PORT:127.0.0.1:PORT, or --unix with ssh -L PORT:PATH");
  if (options.port > 65535) throw_usage("--port", "a port is at most 65535");
  if (port.given() && !options.web.unix_path.empty()) throw_usage("--port", "not beside --unix");
  if (options.history && (*options.history < std::chrono::minutes(1) || *options.history > std::chrono::hours(1)))
    throw_usage("--history", "from 1m to 1h");
}

}  // namespace

void add_web(Command& app, Globals& globals) {
  Command command = app.add_command("web", "Show all queues on a web page, on this machine only");
  const auto options = std::make_shared<WebCommandOptions>();
  const Option port =
      command.add_number("--port", options->port, "The port of 127.0.0.1 (0: a free one)").type_name("PORT");
  command.add_text("--unix", options->web.unix_path, "Listen at this Unix socket (mode 0600) instead")
      .type_name("PATH");
  command.add_text("--token-file", options->web.token_file, "Keep the token there, so that the URL stays")
      .type_name("FILE");
  command.add_flag("--read-only", options->web.read_only, "Show everything, change nothing");
  command.add_flag("--metrics-open", options->web.metrics_open, "Give /metrics without the token, to every user here");
  command.add_duration("--history", options->history, "Keep so much of each queue for its charts (1h)");
  command.add_flag("--licenses", options->licences, "Print the licences of what the page is made of");
  const Option bind =
      command.add_text("--bind", options->bind, "Loopback only: every other address is refused").type_name("ADDRESS");
  command.footer(R"(Examples:
  beltway web
  beltway web --port 8765 --token-file ~/.beltway-web-token
  beltway web --unix ~/beltway-web.sock --read-only
The printed address holds a token: who has it sees and does what you may.)");
  command.on_parsed([&globals, options, port, bind] {
    check(*options, port, bind);
    globals.action = [&globals, options] { return run(globals, *options); };
  });
}

}  // namespace beltway::tool
