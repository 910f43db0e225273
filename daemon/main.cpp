// beltwayd: reads the command line and runs what this process is to be:
//   the daemon, if somebody keeps its descriptors ($NOTIFY_SOCKET: systemd, or the keeper that started it) or --no-keeper;
//   else the keeper, which starts the daemon.
// Exit codes: 0 ended as told, 1 failed, 2 wrong usage, 3 another daemon is alive at the socket, 4 to be started again.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "background.hpp"
#include "beltway/error.hpp"
#include "beltway/version.hpp"
#include "keeper.hpp"
#include "log.hpp"
#include "server.hpp"
#include "socket_path.hpp"

namespace {

constexpr int k_failed = 1;
constexpr int k_usage = 2;
constexpr int k_already_running = 3;

struct Options {
  beltway::daemon::ServerOptions server;
  std::string log_level = "info";
  std::string log_format = "text";
  bool background = false;
  bool no_keeper = false;
  bool leave_terminal = false;  // between ourselves: the keeper was told --background
  int keeper = 0;               // between ourselves: the keeper's process
};

/// Where this program is, also after another file has taken its name.
std::string own_program() {
  std::error_code failed;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", failed);
  return failed ? "/proc/self/exe" : path.string();
}

/// What a keeper or a daemon is started with again: the command line without what was for this process alone.
std::vector<std::string> own_arguments(int argc, char** argv) {
  std::vector<std::string> arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--kept-by") {
      ++i;
    } else {
      arguments.push_back(argument == "--background" ? "--leave-terminal" : argument);
    }
  }
  return arguments;
}

void describe(CLI::App& app, Options& options, std::string& socket, std::int64_t& idle_exit_s) {
  app.set_version_flag("--version", "beltwayd " + std::string(beltway::k_version));
  app.add_option("--socket", socket,
                 "Where to listen; else $BELTWAY_SOCKET, else $XDG_RUNTIME_DIR/beltway/beltwayd.sock, else "
                 "/tmp/beltway-<uid>/beltwayd.sock");
  app.add_option("--log-level", options.log_level, "What to log to standard error")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "critical", "off"}))
      ->capture_default_str();
  app.add_option("--log-format", options.log_format, "Lines for people, or a JSON object a line")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  app.add_option("--idle-exit", idle_exit_s, "End after so many seconds without a queue and a connection; 0: never")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 31))
      ->capture_default_str();
  auto& quotas = options.server.quotas;
  app.add_option("--max-queues-per-user", quotas.queues_per_user, "Queues that one user may own")
      ->capture_default_str();
  app.add_option("--max-bytes-per-user", quotas.bytes_per_user, "Bytes of shared memory of all queues of one user")
      ->capture_default_str();
  app.add_option("--max-connections-per-user", quotas.connections_per_user, "Connections of one user at a time")
      ->capture_default_str();
  app.add_flag("--background", options.background, "Return as soon as the daemon listens, and leave it running");
  app.add_flag("--no-keeper", options.no_keeper,
               "Run without the process that starts the daemon again and keeps its queues when it is killed");
  app.add_flag("--leave-terminal", options.leave_terminal)->group("");
  app.add_option("--kept-by", options.keeper)->group("");
  app.footer(
      "SIGTERM, SIGINT and SIGHUP end it and remove all queues. SIGUSR2 starts it anew, from a new\n"
      "program file if there is one, and loses nothing; so does a crash or SIGKILL of the daemon, as\n"
      "long as its keeper lives. Under systemd (NOTIFY_SOCKET) systemd is the keeper: beltwayd.service.");
}

int run_daemon(const Options& options, const std::vector<std::string>& arguments, const std::function<void()>& ready) {
  using beltway::daemon::Server;
  beltway::daemon::Store store;
  if (!options.no_keeper) store = beltway::daemon::Store::from_environment();
  const std::string program = own_program();
  Server server(options.server, std::move(store));
  server.stop_on_signals();
  beltway::daemon::hear_signals();
  if (options.leave_terminal) beltway::daemon::leave_terminal();
  ready();
  if (server.run() == Server::End::ended) return EXIT_SUCCESS;
  if (options.keeper == 0 || options.keeper == ::getppid()) return beltway::daemon::k_restart_code;
  // The keeper was killed: be one, with what it held.
  beltway::daemon::pass_on(server.kept());
  beltway::daemon::replace_process(program, arguments);
  return k_failed;
}

int run(const Options& options, const std::vector<std::string>& arguments, const std::function<void()>& ready) {
  beltway::daemon::set_up_log(options.log_level, options.log_format == "json");
  try {
    const bool kept = std::getenv("NOTIFY_SOCKET") != nullptr;  // NOLINT(concurrency-mt-unsafe): one thread
    if (kept || options.no_keeper) return run_daemon(options, arguments, ready);
    return beltway::daemon::run_keeper({.program = own_program(), .arguments = arguments, .ready = ready});
  } catch (const beltway::Error& error) {
    std::cerr << "beltwayd: " << error.what() << '\n';
    return error.reason() == beltway::Errc::already_exists ? k_already_running : k_failed;
  }
}

}  // namespace

int main(int argc, char** argv) try {
  std::signal(SIGPIPE, SIG_IGN);  // a log that nobody reads must not end the daemon
  CLI::App app("The Beltway daemon: makes queues in shared memory and hands them out.");
  Options options;
  std::string socket;
  std::int64_t idle_exit_s = 0;
  describe(app, options, socket, idle_exit_s);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? EXIT_SUCCESS : k_usage;
  }
  options.server.idle_exit_s = std::chrono::seconds(idle_exit_s);
  options.server.socket = socket;
  if (socket.empty()) {
    options.server.socket = beltway::socket_from_environment().value_or(beltway::user_socket_path());
  }
  const std::vector<std::string> arguments = own_arguments(argc, argv);
  if (!options.background) return run(options, arguments, [] {});
  // Whoever starts it may be a service of systemd's itself, and that service's store is not ours.
  ::unsetenv("NOTIFY_SOCKET");
  return beltway::daemon::run_in_background(
      [&](const std::function<void()>& ready) { return run(options, arguments, ready); });
} catch (const std::exception& error) {
  std::cerr << "beltwayd: " << error.what() << '\n';
  return k_failed;
}
