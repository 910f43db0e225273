// Global options, dispatch, errors.
#include "tool/commands/run.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <csignal>
#include <exception>
#include <iostream>

#include "beltway/error.hpp"
#include "beltway/version.hpp"
#include "tool/commands/commands.hpp"
#include "tool/text/output.hpp"

namespace beltway::tool {

namespace {

constexpr const char* k_examples = R"(Examples:
  beltway declare orders --group billing
  beltway pub orders "first" "second"
  beltway sub orders --group billing --count 2
  beltway show orders --watch 1
  beltway bench latency --size 64 --wait spin --pin 0,1

Sizes take K, M, G (1024s), counts and rates k, M, G (1000s), times ms, s, m, h (seconds if nothing is given).
Exit codes: 0 done, 1 refused or failed, 2 usage, 3 timeout, 4 no daemon, 5 not found, 6 no permission,
7 removed or evicted while in use, 8 purge or requeue left messages, 130 Ctrl-C, 141 the reader of the output is gone.)";

/// A standard descriptor that is closed would be the next one that we open: what we print would go to the daemon. Each is
/// filled with one that fails as a closed one does.
void fill_standard_descriptors() {
  for (const int wanted : {0, 1, 2}) {
    if (fcntl(wanted, F_GETFD) >= 0) continue;
    const int opened = open("/dev/null", (wanted == 0 ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
    if (opened < 0 || opened == wanted) continue;
    dup3(opened, wanted, O_CLOEXEC);
    close(opened);
  }
}

void complain(const std::string& message) {
  if (!message.empty()) std::cerr << "beltway: " << message << std::endl;
}

void set_up(CLI::App& app, Globals& globals) {
  app.name("beltway");
  app.description("Message queues in shared memory: declare, look at, publish to, receive from and measure them.");
  app.footer(k_examples);
  app.set_version_flag("--version", "beltway " + std::string(k_version));
  // Before the subcommands are made: they inherit it, and then take the global options behind their own too.
  app.fallthrough();
  app.require_subcommand(1);
  app.add_option("--socket", globals.socket, "The daemon's socket (else $BELTWAY_SOCKET, the user's own, the system's)")
      ->type_name("PATH");
  app.add_flag("--no-start", globals.no_start,
               "Do not start a daemon if none answers; list, show, peek and ping never do");
  app.add_option("--format", globals.format, "text for people, json for programs")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("text|json");
  Command all(app);
  for (const auto add : {add_declare, add_list, add_show, add_pub, add_sub, add_peek, add_purge, add_remove,
                         add_requeue, add_group, add_ping, add_digest, add_bench, add_web}) {
    add(all, globals);
  }
}

/// Help and version too are text that somebody may pipe into a pager that quits.
ExitCode print(const std::string& text) {
  Output output(1);
  output.append(text);
  output.flush();
  return ExitCode::done;
}

ExitCode usage(CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* command = &app;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  // Its "a subcommand is required" would hide which word it did not know.
  const std::vector<std::string> unknown = command->remaining();
  const bool no_such_command = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr && !unknown.empty();
  complain(no_such_command ? "\"" + unknown.front() + "\" is no command" : std::string(error.what()));
  std::string path = command->get_name();
  for (const CLI::App* above = command->get_parent(); above != nullptr; above = above->get_parent()) {
    path.insert(0, above->get_name() + " ");
  }
  std::cerr << "Run \"" << path << " --help\" for help." << std::endl;
  return ExitCode::usage;
}

ExitCode parse_and_run(CLI::App& app, Globals& globals, int argc, char** argv) {
  try {
    // CLI11 2.1 loses what stands behind "--" where options of the parent are taken too: it never sees it.
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
    if (dashes != arguments.end()) globals.after_dashes.assign(dashes + 1, arguments.end());
    std::vector<std::string> parsed(arguments.begin(), dashes);
    std::reverse(parsed.begin(), parsed.end());  // as it wants them
    app.parse(std::move(parsed));
    if (!globals.after_dashes.empty()) throw CLI::ExtrasError(globals.after_dashes);
  } catch (const CLI::CallForHelp&) {
    return print(app.help());
  } catch (const CLI::CallForVersion&) {
    return print("beltway " + std::string(k_version) + "\n");
  } catch (const CLI::ParseError& error) {
    return usage(app, error);
  }
  return globals.action ? globals.action() : ExitCode::usage;
}

}  // namespace

namespace {

/// Two daemons of one user share no queues: a consumer at one daemon never gets the messages of a producer at the other.
Connection open_and_tell(const ConnectionOptions& options) {
  Connection connection = Connection::open(options);
  if (!options.socket.empty()) return connection;
  const Connection::DaemonInfo asked = connection.ping();
  for (const OtherDaemon& other : asked.others) {
    complain("note: another daemon of this user" +
             (other.pid > 0 ? ", process " + std::to_string(other.pid) + "," : std::string()) + " listens at " +
             other.socket + "; this command asks process " + std::to_string(asked.pid) + " at " + asked.socket +
             ". To meet, use the same XDG_RUNTIME_DIR or BELTWAY_SOCKET");
  }
  return connection;
}

}  // namespace

ConnectionOptions Globals::connection_options() const { return {.socket = socket, .start_daemon = !no_start}; }

Connection Globals::connect() const { return open_and_tell(connection_options()); }

Connection Globals::connect_to_inspect() const { return open_and_tell({.socket = socket, .start_daemon = false}); }

int run(int argc, char** argv) {
  // A closed pipe is an error of write() here, so that leases are given back before the end.
  std::signal(SIGPIPE, SIG_IGN);
  fill_standard_descriptors();
  CLI::App app;
  Globals globals;
  ExitCode code = ExitCode::failed;
  try {
    set_up(app, globals);
    code = parse_and_run(app, globals, argc, argv);
  } catch (const Failure& failure) {
    complain(failure.what());
    code = failure.code();
  } catch (const Error& error) {
    complain(error.what());
    code = exit_code_of(error.reason());
  } catch (const std::exception& error) {
    complain(error.what());
  }
  return static_cast<int>(code);
}

}  // namespace beltway::tool
