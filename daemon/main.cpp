// beltwayd: reads the command line, runs the server. Exit codes: 0 ended as told, 1 failed, 2 wrong usage,
// 3 another daemon is alive at the socket.
#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>

#include "background.hpp"
#include "beltway/error.hpp"
#include "beltway/version.hpp"
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
};

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
}

int run(const Options& options, const std::function<void()>& ready) {
  beltway::daemon::set_up_log(options.log_level, options.log_format == "json");
  try {
    beltway::daemon::Server server(options.server);
    server.stop_on_signals();
    ready();
    server.run();
    return EXIT_SUCCESS;
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
  if (!options.background) return run(options, [] {});
  return beltway::daemon::run_in_background([&](const std::function<void()>& ready) { return run(options, ready); });
} catch (const std::exception& error) {
  std::cerr << "beltwayd: " << error.what() << '\n';
  return k_failed;
}
