// beltwayd: reads the command line and runs what this process is to be:
//   the daemon, if a process keeps its descriptors ($NOTIFY_SOCKET: systemd, or the supervisor that started it) or --no-keeper;
//   else the supervisor, which starts the daemon.
// Exit codes: 0 ended as told, 1 failed, 2 wrong usage, 3 another daemon is alive at the socket, 4 to be started again.
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <sstream>
#include <system_error>

#include "beltway/error.hpp"
#include "beltway/version.hpp"
#include "client/socket_path.hpp"
#include "client/start_daemon.hpp"
#include "service/server.hpp"
#include "survival/background.hpp"
#include "survival/log.hpp"
#include "survival/log_writer.hpp"
#include "survival/signals.hpp"
#include "survival/succession.hpp"
#include "survival/supervisor.hpp"
#include "survival/surroundings.hpp"

namespace {

constexpr int k_failed = 1;
constexpr int k_usage = 2;
constexpr const char* k_left_callers_world = "--left-callers-world";

struct Options {
  beltway::daemon::ServerOptions server;
  std::string log_level = "info";
  std::string log_format = "text";
  std::string log_file;
  bool background = false;
  bool no_supervisor = false;
  // Between ourselves:
  bool leave_terminal = false;                         // the supervisor was told --background
  bool left_callers_world = false;                     // this process was started by itself, see start_in_background
  int supervisor = 0;                                  // the supervisor's process
  int store_format = beltway::daemon::k_store_format;  // that this program must understand
};

void complain(const std::string& text) { beltway::daemon::tell_people("beltwayd: " + text); }

/// What a supervisor or a daemon is started with again: the command line without what was for this process alone.
std::vector<std::string> own_arguments(const std::vector<std::string>& given) {
  std::vector<std::string> arguments;
  for (auto argument = given.begin(); argument != given.end(); ++argument) {
    if (*argument == "--kept-by" || *argument == beltway::daemon::k_store_format_option) {
      if (++argument == given.end()) break;
    } else if (*argument != k_left_callers_world) {
      arguments.push_back(*argument == "--background" ? "--leave-terminal" : *argument);
    }
  }
  return arguments;
}

void describe(CLI::App& app, Options& options, std::string& socket, std::int64_t& idle_exit_s) {
  app.set_version_flag("--version", "beltwayd " + std::string(beltway::k_version));
  app.add_option("--socket", socket,
                 "Where to listen; else $BELTWAY_SOCKET, else $XDG_RUNTIME_DIR/beltway/beltwayd.sock, else "
                 "/tmp/beltway-<uid>/beltwayd.sock")
      ->take_last();
  app.add_option("--log-file", options.log_file,
                 "Where to log, else standard error. A file of 1 MiB is moved to FILE.1. With --background at a\n"
                 "terminal: <socket>.log")
      ->take_last();
  app.add_option("--log-level", options.log_level, "What to log")
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
  app.add_flag("--no-keeper", options.no_supervisor,
               "Run without the process that starts the daemon again and keeps its queues when it is killed");
  app.add_flag("--leave-terminal", options.leave_terminal)->group("");
  app.add_flag(k_left_callers_world, options.left_callers_world)->group("");
  app.add_option("--kept-by", options.supervisor)->group("");
  app.add_option(beltway::daemon::k_store_format_option, options.store_format)
      ->check(CLI::Range(1, beltway::daemon::k_store_format))
      ->group("");
  app.footer(
      "In production run it as a service: systemctl enable --now beltwayd.socket (of a user: systemctl\n"
      "--user ...). A daemon that a first client starts lives in that client's cgroup and namespaces.\n"
      "Containers share queues by sharing the socket's directory, with BELTWAY_SOCKET set. A daemon in\n"
      "a user namespace serves the users that are mapped there; in another pid namespace it works, too.\n"
      "SIGTERM, SIGINT and SIGHUP end it and remove all queues; SIGINT and SIGHUP not if they were\n"
      "ignored when it was started (nohup). SIGUSR2 starts it anew, from a new program file if there\n"
      "is one, and loses nothing; so does a crash or SIGKILL of the daemon, as long as its supervisor\n"
      "lives. A new program that cannot work on the queues gives way to the one before: see `beltway\n"
      "ping`. Under systemd (NOTIFY_SOCKET) systemd is the supervisor: beltwayd.service.\n"
      "Exit codes: 0 ended as told, 1 failed, 2 wrong usage, 3 another daemon is alive at the socket,\n"
      "4 the daemon is to be started again (under systemd only).");
}

int run_daemon(const Options& options, const std::vector<std::string>& arguments, const std::function<void()>& ready) {
  using beltway::daemon::Server;
  beltway::daemon::DescriptorStore store;
  if (!options.no_supervisor) store = beltway::daemon::DescriptorStore::from_environment();
  if (const auto predecessor = beltway::daemon::find_predecessor(store, options.supervisor)) {
    std::vector<std::string> same = arguments;
    if (options.supervisor != 0) same.insert(same.end(), {"--kept-by", std::to_string(options.supervisor)});
    beltway::daemon::give_way(*predecessor, store, same);
  }
  Server server(options.server, std::move(store));
  server.stop_on_signals();
  beltway::daemon::hear_signals();
  if (options.leave_terminal) beltway::daemon::leave_terminal(!options.log_file.empty());
  ready();
  if (server.run() == Server::End::ended) return EXIT_SUCCESS;
  if (options.supervisor == 0 || options.supervisor == ::getppid()) return beltway::daemon::k_restart_code;
  // The supervisor was killed. This process becomes the supervisor, with the descriptors that the dead one held. It execs the
  // running program, and not the file at that program's path, which may be another program by now.
  beltway::daemon::pass_at_exec(server.stored());
  beltway::daemon::exec_file("/proc/self/exe", beltway::daemon::own_program(), arguments);
  spdlog::critical("become the supervisor: exec: {}", std::strerror(errno));
  return k_failed;
}

/// Throws if the name of the log file is wrong. A full or slow disk does not prevent the start.
void check_log_file(const std::string& file) {
  const int error = beltway::daemon::try_log_file();
  for (const int wrong : {ENOENT, ENOTDIR, EISDIR, EACCES, ELOOP, ENAMETOOLONG, ENXIO}) {
    if (error != wrong) continue;
    throw beltway::Error(
        beltway::Errc::invalid_option,
        "start: open the log " + file + ": " + std::generic_category().message(error) + "; choose another --log-file");
  }
}

int run(const Options& options, const std::vector<std::string>& arguments, const std::function<void()>& ready) {
  beltway::daemon::set_up_log(
      {.level = options.log_level, .json = options.log_format == "json", .file = options.log_file});
  try {
    // A daemon that takes over queues starts even if its log file is wrong.
    const bool kept = std::getenv("NOTIFY_SOCKET") != nullptr;  // NOLINT(concurrency-mt-unsafe): one thread
    if (!kept && std::getenv("LISTEN_FDS") == nullptr) check_log_file(options.log_file);  // NOLINT: likewise
    if (kept || options.no_supervisor) return run_daemon(options, arguments, ready);
    return beltway::daemon::run_supervisor(
        {.program = beltway::daemon::own_program(), .arguments = arguments, .ready = [&] {
           if (options.leave_terminal) {
             beltway::daemon::leave_terminal(!options.log_file.empty());
           }
           ready();
         }});
  } catch (const beltway::Error& error) {
    beltway::daemon::log_failure(error.what());
    complain(error.what());
    return error.reason() == beltway::Errc::already_exists ? beltway::client::k_exit_already_running : k_failed;
  }
}

/// Drops what belongs to the caller, by a start of this program anew: then the environment, the libraries that were loaded and
/// the layout of the memory are not the caller's either. Returns, with `given` to go on with, if that fails.
void start_anew(std::vector<std::string>& given, const Options& options) {
  const std::string program = beltway::daemon::own_program();
  given.insert(given.end(), {"--socket", options.server.socket.string(), k_left_callers_world});
  if (!options.log_file.empty()) given.insert(given.end(), {"--log-file", options.log_file});
  beltway::daemon::leave_callers_world();
  std::vector<char*> words;
  std::string name = program;
  words.push_back(name.data());
  for (std::string& word : given) words.push_back(word.data());
  words.push_back(nullptr);
  ::execv(program.c_str(), words.data());
}

int start_in_background(Options& options, std::vector<std::string>& given) {
  options.server.socket = std::filesystem::absolute(options.server.socket);  // the working directory is left
  if (!options.log_file.empty()) options.log_file = std::filesystem::absolute(options.log_file).string();
  if (!options.left_callers_world) {
    if (options.log_file.empty() && ::isatty(STDERR_FILENO) != 0)
      options.log_file = options.server.socket.string() + ".log";
    if (const auto low = beltway::daemon::limit_too_low(options.server.quotas.bytes_per_user)) {
      complain(*low);
      return k_failed;
    }
    start_anew(given, options);
  }
  options.leave_terminal = true;
  return beltway::daemon::run_in_background(
      [&](const std::function<void()>& ready) { return run(options, own_arguments(given), ready); });
}

/// Help is the caller's wish. What is wrong with the command line must not wait for a reader: a supervisor may be our starter.
int answer(CLI::App& app, const CLI::ParseError& error) {
  std::ostringstream out;
  std::ostringstream wrong;
  const bool asked_for = app.exit(error, out, wrong) == 0;
  if (asked_for) {
    std::cout << out.str();
    return EXIT_SUCCESS;
  }
  std::string text = wrong.str();
  while (text.ends_with('\n')) text.pop_back();
  beltway::daemon::tell_people(text);
  return k_usage;
}

int parse_and_run(int argc, char** argv) {
  CLI::App app("The Beltway daemon: makes queues in shared memory and hands them out.");
  Options options;
  std::string socket;
  std::int64_t idle_exit_s = 0;
  describe(app, options, socket, idle_exit_s);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return answer(app, error);
  }
  options.server.idle_exit_s = std::chrono::seconds(idle_exit_s);
  options.server.socket = socket;
  if (socket.empty()) {
    options.server.socket = beltway::client::socket_from_environment().value_or(beltway::client::user_socket_path());
  }
  std::vector<std::string> given(argv + 1, argv + argc);
  if (options.background) return start_in_background(options, given);
  return run(options, own_arguments(given), [] {});
}

}  // namespace

int main(int argc, char** argv) {
  ::prctl(PR_SET_NAME, "beltwayd");  // a program that was started by a descriptor is called after its number
  beltway::daemon::settle();
  int code = k_failed;
  try {
    code = parse_and_run(argc, argv);
  } catch (const std::exception& error) {
    complain(error.what());
  }
  beltway::daemon::flush_log();
  return code;
}
