#include "client/find_daemon.hpp"

#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>

#include "beltway/version.hpp"
#include "client/living_daemon.hpp"
#include "client/socket_path.hpp"
#include "client/start_command.hpp"
#include "client/start_daemon.hpp"
#include "wire/json_reader.hpp"
#include "wire/option_values.hpp"
#include "wire/protocol.hpp"
#include "wire/validate.hpp"

namespace beltway::client {

namespace {

using nlohmann::json;
namespace fs = std::filesystem;

/// Pauses between two tries grow, so that a client that waits neither burns a processor nor starts daemon after daemon.
constexpr std::chrono::milliseconds k_first_pause_ms{2};
constexpr std::chrono::milliseconds k_longest_pause_ms{2000};
/// The longest pause while a daemon is known to live at the socket: it answers soon.
constexpr std::chrono::milliseconds k_longest_pause_at_socket_ms{50};

class Pauses {
 public:
  explicit Pauses(std::chrono::milliseconds longest) : longest_(longest) {}

  /// Pauses, longer each time. Returns false if the deadline has passed.
  bool pause_until(const Deadline& deadline) {
    const auto end = std::min(deadline.at(), Deadline::Clock::now() + pause_);
    do {
      if (deadline.is_over()) return false;
      const auto piece = deadline.has_stop() ? std::min(pause_, k_piece_before_stop) : pause_;
      std::this_thread::sleep_until(std::min(end, Deadline::Clock::now() + piece));
    } while (Deadline::Clock::now() < end);
    pause_ = std::min(pause_ * 2, longest_);
    return true;
  }

 private:
  std::chrono::milliseconds longest_;
  std::chrono::milliseconds pause_ = k_first_pause_ms;
};

/// Owner and mode of `path`, for the error text of a user who may not connect.
std::string rights_of(const fs::path& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return " (its directory is closed to you)";
  return " (user " + std::to_string(status.st_uid) + ", mode " + wire::octal(status.st_mode & 07777U) + ")";
}

/// The process that listens at the other end. 0: the process is in a pid namespace that is not visible here.
int listening_process(int connected) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(connected, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
}

/// The daemon that has the lock of `path` is stopped, and the deadline does not wait for such a one.
bool gives_up(const fs::path& path, const Deadline& deadline) {
  return deadline.gives_up_stopped() && is_stopped_daemon(daemon_process(path, 0));
}

/// Connects to the socket `path`. Returns nothing if no process listens there.
std::optional<Channel> connect_to(const fs::path& path, const Deadline& deadline) {
  const sockaddr_un address = socket_address(path);
  const std::string context = "connect to " + path.string();
  os::Fd socket =
      os::checked_fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), context + ": socket");
  Pauses pauses(k_longest_pause_at_socket_ms);
  while (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == EINTR) continue;
    if (errno == ENOENT || errno == ENOTDIR || errno == ECONNREFUSED) return std::nullopt;
    if (errno == EACCES || errno == EPERM) {
      throw Error(Errc::no_permission,
                  context + ": you may not reach this socket" + rights_of(path) + "; ask the operator of the daemon");
    }
    if (errno == EPROTOTYPE) throw Error(Errc::protocol, context + ": that socket is not a Beltway daemon's");
    // EAGAIN: the queue of the listen socket is full. A Unix socket cannot be polled for room in it.
    if (errno != EAGAIN) throw os::system_failure(context);
    if (!pauses.pause_until(deadline) || gives_up(path, deadline)) {
      throw Error(Errc::no_daemon, context + ": the daemon did not accept in time; " + why_silent(path));
    }
  }
  return Channel(std::move(socket));
}

/// The answer to our hello; nothing if the daemon was just ending. A daemon that refuses us may send its error and close before
/// it reads our hello; so the result of send() does not matter.
std::optional<Packet> exchange_hello(Channel& channel, const fs::path& path, const Deadline& deadline) {
  const std::string context = "connect to " + path.string() + ": ";
  const int listener = listening_process(channel.descriptor());
  if (deadline.has_stopped_limit()) channel.know_process(daemon_process(path, listener));
  Packet packet;
  try {
    static_cast<void>(channel.send({{"op", "hello"},
                                    {"n", 0},
                                    {"protocol", k_protocol_version},
                                    {"version", k_version},
                                    {"layout", wire::k_own_layout.text()}},
                                   deadline));
    if (channel.receive(packet, deadline)) return packet;
  } catch (const Error& error) {
    if (error.reason() != Errc::no_daemon) throw;
    throw Error(Errc::no_daemon, context + error.what());
  }
  if (!deadline.is_over()) return std::nullopt;
  throw Error(Errc::no_daemon, context + "the daemon did not answer in time; " + why_silent(path, listener));
}

/// False if the daemon was just ending.
bool greet(Channel& channel, const fs::path& path, const Deadline& deadline) {
  const std::optional<Packet> packet = exchange_hello(channel, path, deadline);
  if (!packet) return false;
  try {
    wire::throw_if_error(packet->body);
  } catch (const Error& error) {
    if (error.reason() != Errc::protocol) throw;
    // The error of a daemon of version 0.1 does not name the versions.
    throw Error(Errc::protocol, "connect to " + path.string() + ": the daemon refuses this library, version " +
                                    std::string(k_version) + ": " + error.what());
  }
  const wire::JsonReader fields(packet->body, "hello of the daemon");
  const auto theirs = fields.number<std::uint32_t>("protocol");
  // Other than the listener, it is the daemon itself and no supervisor.
  channel.know_process(static_cast<int>(fields.number_or<std::uint32_t>("pid", 0)));
  if (theirs == k_protocol_version) return true;
  throw Error(Errc::protocol,
              "connect to " + path.string() + ": the daemon, version " + fields.text_or("version", "unknown") +
                  ", speaks protocol " + std::to_string(theirs) + ", this library, version " + std::string(k_version) +
                  ", protocol " + std::to_string(k_protocol_version) +
                  "; use the same version of Beltway on both sides: `beltway ping` of the daemon's version "
                  "says whether it waits for a restart");
}

std::optional<DaemonLink> try_link(const fs::path& path, const Deadline& deadline) {
  // A daemon that dies before it says hello is followed by another at the same socket, or by none.
  Pauses pauses(k_longest_pause_at_socket_ms);
  do {
    std::optional<Channel> channel = connect_to(path, deadline);
    if (!channel) return std::nullopt;
    if (greet(*channel, path, deadline)) return DaemonLink{std::move(*channel), path};
  } while (pauses.pause_until(deadline));
  return std::nullopt;
}

/// In a directory that others can write to, any process could pose as our daemon.
bool is_safe(const fs::path& user_socket) { return is_private_directory(user_socket.parent_path()); }

std::optional<DaemonLink> try_user_link(const Deadline& deadline) {
  for (const fs::path& path : user_socket_paths()) {
    if (!is_safe(path)) continue;
    if (std::optional<DaemonLink> link = try_link(path, deadline)) return link;
  }
  return std::nullopt;
}

/// A socket of this user whose daemon lives but cannot be reached now.
std::optional<fs::path> unreachable_user_socket() {
  for (const fs::path& path : user_socket_paths()) {
    std::error_code missing;
    // If others can write to the directory, a lock there proves nothing. If there is no directory, living_daemon() considers only
    // processes of this user.
    const bool exists = fs::exists(fs::symlink_status(path.parent_path(), missing));
    if ((is_safe(path) || !exists) && living_daemon(path)) return path;
  }
  return std::nullopt;
}

enum class Directory : std::uint8_t { named, of_user };

/// Waits for a daemon that lives while its socket is gone. Returns nothing if no daemon lives there, at the deadline, or when the
/// daemon is given up since it is stopped.
std::optional<DaemonLink> wait_for_living(const fs::path& path, const Deadline& deadline, Directory directory) {
  Pauses pauses(k_longest_pause_at_socket_ms);
  for (;;) {
    // The link comes after the check: if `living` is empty and this later try fails as well, no daemon is there.
    const std::optional<int> living = living_daemon(path);
    const bool may_ask = directory == Directory::named || is_safe(path);
    if (std::optional<DaemonLink> link = may_ask ? try_link(path, deadline) : std::nullopt) return link;
    const bool is_given_up = living && deadline.gives_up_stopped() && is_stopped_daemon(*living);
    if (!living || is_given_up || !pauses.pause_until(deadline)) return std::nullopt;
  }
}

[[noreturn]] void throw_unreachable(const fs::path& path, const std::string& remedy) {
  throw Error(Errc::no_daemon, "connect to " + path.string() + ": " + why_unreachable(path) + remedy);
}

DaemonLink link_to_named(const fs::path& path, const Deadline& deadline) {
  std::error_code failed;
  if (fs::is_directory(path, failed) && !living_daemon(path)) {
    throw Error(Errc::no_daemon, "connect to " + path.string() +
                                     ": that is a directory; name the socket in it: " + socket_meant_by(path).string());
  }
  if (std::optional<DaemonLink> link = try_link(path, deadline)) return std::move(*link);
  if (std::optional<DaemonLink> link = wait_for_living(path, deadline, Directory::named)) return std::move(*link);
  throw_unreachable(path, living_daemon(path) ? "" : "; start one with: " + start_command(path));
}

DaemonLink link_to_own_daemon(const Deadline& deadline) {
  const fs::path path = user_socket_path();
  make_private_directory(path.parent_path());
  Pauses pauses(k_longest_pause_ms);
  std::string words;
  do {
    // A daemon that lives without its socket makes the socket anew. A second daemon would split the queues of this user.
    if (const auto living = unreachable_user_socket()) {
      if (std::optional<DaemonLink> link = wait_for_living(*living, deadline, Directory::of_user))
        return std::move(*link);
    } else {
      // A daemon that is just starting or ending keeps ours from starting. Both take only a moment: then we try again.
      words = start_daemon(path, deadline);
    }
    if (std::optional<DaemonLink> link = try_user_link(deadline)) return std::move(*link);
  } while (pauses.pause_until(deadline));
  const auto living = unreachable_user_socket();
  throw_unreachable(living.value_or(path), living ? ""
                                           : words.empty()
                                               ? "; one was started, and its log is " + path.string() + ".log"
                                               : "; one was started and said: " + words);
}

[[noreturn]] void throw_no_daemon() {
  std::string looked;
  std::string unsafe;
  for (const fs::path& path : user_socket_paths()) {
    looked += path.string() + ", ";
    std::error_code failed;
    if (!is_safe(path) && fs::exists(fs::symlink_status(path.parent_path(), failed))) {
      unsafe += "; " + path.parent_path().string() + " was passed over, since it is not yours alone";
    }
  }
  throw Error(Errc::no_daemon, "connect: no daemon answers at " + looked + "or " + system_socket_path().string() +
                                   unsafe + "; none was started: start beltwayd, or name a socket in $BELTWAY_SOCKET");
}

}  // namespace

DaemonLink find_daemon(const ConnectionOptions& options, const Deadline& deadline) {
  std::optional<fs::path> named = socket_from_environment();
  if (!options.socket.empty()) named = options.socket;
  if (named) return link_to_named(*named, deadline);
  if (std::optional<DaemonLink> link = try_user_link(deadline)) return std::move(*link);
  if (const auto living = unreachable_user_socket()) {
    if (std::optional<DaemonLink> link = wait_for_living(*living, deadline, Directory::of_user))
      return std::move(*link);
    if (deadline.is_over() || gives_up(*living, deadline)) throw_unreachable(*living, "");
  }
  if (std::optional<DaemonLink> link = try_link(system_socket_path(), deadline)) return std::move(*link);
  if (options.start_daemon) return link_to_own_daemon(deadline);
  throw_no_daemon();
}

std::vector<OtherDaemon> other_daemons(const fs::path& asked) {
  std::vector<OtherDaemon> others;
  if (socket_from_environment()) return others;
  for (const fs::path& path : other_user_socket_paths()) {
    const auto holder = is_safe(path) ? lock_holder(path) : std::nullopt;
    if (!holder || holder->primary == asked) continue;
    const fs::path socket = holder->primary.empty() ? path : holder->primary;
    const auto known = [&](const OtherDaemon& other) { return other.socket == socket; };
    if (std::ranges::none_of(others, known)) others.push_back({holder->pid, socket});
  }
  return others;
}

}  // namespace beltway::client
