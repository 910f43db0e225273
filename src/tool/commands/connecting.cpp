#include "tool/commands/connecting.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <filesystem>
#include <iostream>
#include <optional>
#include <thread>
#include <vector>

#include "client/living_daemon.hpp"
#include "client/socket_path.hpp"
#include "tool/commands/commands.hpp"
#include "tool/commands/completion.hpp"
#include "tool/commands/suggestions.hpp"
#include "tool/text/message_json.hpp"
#include "tool/text/output.hpp"
#include "watch/process_info.hpp"

namespace beltway::tool {

namespace {

/// A process that is stopped for less is at work: a debugger looks at it, or a program that freezes all for a moment.
constexpr std::chrono::seconds k_patience_with_stopped_s{1};
constexpr std::chrono::milliseconds k_look_again_ms{20};
/// A monitor has a limit of its own, often 10 s.
constexpr std::chrono::seconds k_patience_of_monitors_s{3};

/// Where the library looks for a daemon, in its order.
std::vector<std::filesystem::path> places_of(const ConnectionOptions& options) {
  if (!options.socket.empty()) return {options.socket};
  if (const auto said = client::socket_from_environment()) return {*said};
  std::vector<std::filesystem::path> places = client::user_socket_paths();
  places.push_back(client::system_socket_path());
  return places;
}

bool is_stopped(int pid) {
  const std::optional<watch::ProcessInfo> process = watch::process_info(pid);
  return process && process->stopped();
}

void throw_if_stopped(const ConnectionOptions& options) {
  for (const std::filesystem::path& place : places_of(options)) {
    const std::optional<client::LockHolder> holder = client::lock_holder(place);
    if (!holder || holder->pid <= 0) continue;
    const auto over = std::chrono::steady_clock::now() + k_patience_with_stopped_s;
    while (is_stopped(holder->pid)) {
      if (std::chrono::steady_clock::now() >= over) {
        throw Failure(ExitCode::no_daemon,
                      "connect to " + place.string() + ": the daemon (" + watch::process_text(holder->pid) +
                          ") does not run; continue it with: kill -CONT " + std::to_string(holder->pid));
      }
      std::this_thread::sleep_for(k_look_again_ms);
    }
    return;  // this one is asked
  }
}

std::optional<std::string> suggest(const NamesInQuestion& names, const std::vector<QueueInfo>& queues) {
  const std::vector<std::string> all = names_of_queues(queues);
  for (const std::string& queue : {names.queue, names.other_queue}) {
    if (!queue.empty() && std::ranges::find(all, queue) == all.end()) return nearest(queue, all);
  }
  const auto queue = std::ranges::find(queues, names.queue, &QueueInfo::name);
  if (queue == queues.end() || names.group.empty()) return std::nullopt;
  std::vector<std::string> groups;
  for (const NamedGroup& group : queue->options.groups) groups.push_back(group.name);
  return std::ranges::find(groups, names.group) == groups.end() ? nearest(names.group, groups) : std::nullopt;
}

}  // namespace

void complain(const std::string& message) {
  if (!message.empty()) std::cerr << "beltway: " << message << std::endl;
}

Connection open_connection(const ConnectionOptions& options) {
  throw_if_stopped(options);
  Connection connection = Connection::open(options);
  if (!options.socket.empty()) return connection;
  // Two daemons of one user share no queues: a consumer at one daemon never gets the messages of a producer at the other.
  const Connection::DaemonInfo asked = connection.ping();
  for (const OtherDaemon& other : asked.others) {
    complain("note: another daemon of this user" +
             (other.pid > 0 ? ", process " + std::to_string(other.pid) + "," : std::string()) + " listens at " +
             other.socket + "; this command asks process " + std::to_string(asked.pid) + " at " + asked.socket +
             ". To meet, use the same XDG_RUNTIME_DIR or BELTWAY_SOCKET");
  }
  return connection;
}

std::string suggestion_for(const NamesInQuestion& names, const std::string& socket) noexcept {
  try {
    return did_you_mean(suggest(names, Connection::open({.socket = socket, .start_daemon = false}).list()));
  } catch (const std::exception&) {
    return {};
  }
}

ConnectionOptions Globals::connection_options() const { return {.socket = socket, .start_daemon = !no_start}; }

ConnectionOptions Globals::inspect_options() const {
  return {.socket = socket,
          .start_daemon = false,
          .timeout = k_patience_of_monitors_s,
          .stopped_timeout = k_patience_with_stopped_s};
}

ConnectionOptions Globals::watch_options() const {
  return {.socket = socket, .start_daemon = false, .stopped_timeout = k_patience_with_stopped_s};
}

Progress::When Globals::progress_when(bool shares_terminal) const noexcept {
  if (progress) return Progress::When::always;
  // A line that is renewed among the messages would be no help.
  return shares_terminal && isatty(STDOUT_FILENO) == 1 ? Progress::When::never : Progress::When::on_terminal;
}

Connection Globals::connect() const { return open_connection(connection_options()); }

Connection Globals::connect_to_inspect() const { return open_connection(watch_options()); }

ExitCode print_answer(const Globals& globals, const watch::Json& json, const std::string& text) {
  print(globals.json() ? json_line(json) : text);
  return ExitCode::done;
}

}  // namespace beltway::tool
