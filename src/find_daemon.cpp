#include "find_daemon.hpp"

#include <sys/socket.h>

#include <optional>
#include <string>
#include <thread>

#include "beltway/version.hpp"
#include "fields.hpp"
#include "protocol.hpp"
#include "socket_path.hpp"
#include "start_daemon.hpp"

namespace beltway {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr std::chrono::milliseconds k_pause_ms{2};

/// False at the deadline.
bool pause_until(Deadline deadline) {
  if (std::chrono::steady_clock::now() >= deadline) return false;
  std::this_thread::sleep_for(k_pause_ms);
  return true;
}

/// Nothing if nobody listens there.
std::optional<Channel> connect_to(const fs::path& path, Deadline deadline) {
  const sockaddr_un address = socket_address(path);
  const std::string what = "connect to " + path.string();
  Fd socket = checked_fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), what);
  while (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == EINTR) continue;
    if (errno == ENOENT || errno == ENOTDIR || errno == ECONNREFUSED) return std::nullopt;
    if (errno == EACCES || errno == EPERM) {
      throw Error(Errc::no_permission, what + ": you may not reach this socket; ask who runs the daemon");
    }
    if (errno == EPROTOTYPE) throw Error(Errc::protocol, what + ": that socket is not a Beltway daemon's");
    // EAGAIN: the daemon has many at its door; a Unix socket cannot be polled for that.
    if (errno != EAGAIN) throw system_failure(what);
    if (!pause_until(deadline))
      throw Error(Errc::no_daemon, what + ": the daemon did not accept in time; is it stopped?");
  }
  return Channel(std::move(socket));
}

/// False if the daemon was just ending. A daemon that refuses us may have said why and closed before it heard us.
bool greet(Channel& channel, const fs::path& path, Deadline deadline) {
  static_cast<void>(
      channel.send({{"op", "hello"}, {"n", 0}, {"protocol", k_protocol_version}, {"version", k_version}}, deadline));
  Packet packet;
  if (!channel.receive(packet, deadline)) {
    if (std::chrono::steady_clock::now() < deadline) return false;
    throw Error(Errc::no_daemon, "connect to " + path.string() + ": the daemon did not answer in time; is it stopped?");
  }
  try {
    protocol::throw_if_error(packet.body);
  } catch (const Error& error) {
    if (error.reason() != Errc::protocol) throw;
    // A daemon of version 0.1 names no versions.
    throw Error(Errc::protocol, "connect to " + path.string() + ": the daemon refuses this library, version " +
                                    std::string(k_version) + ": " + error.what());
  }
  const Fields fields(packet.body, "hello of the daemon");
  const auto theirs = fields.number<std::uint32_t>("protocol");
  if (theirs == k_protocol_version) return true;
  throw Error(Errc::protocol,
              "connect to " + path.string() + ": the daemon, version " + fields.text_or("version", "unknown") +
                  ", speaks protocol " + std::to_string(theirs) + ", this library, version " + std::string(k_version) +
                  ", protocol " + std::to_string(k_protocol_version) +
                  "; use the same version of Beltway on both sides: `beltway ping` of the daemon's version "
                  "says whether it waits for a restart");
}

std::optional<Link> try_link(const fs::path& path, Deadline deadline) {
  // A daemon that dies before it says hello is followed by another at the same socket, or by none.
  do {
    std::optional<Channel> channel = connect_to(path, deadline);
    if (!channel) return std::nullopt;
    if (greet(*channel, path, deadline)) return Link{std::move(*channel), path};
  } while (pause_until(deadline));
  return std::nullopt;
}

std::optional<Link> try_user_link(Deadline deadline) {
  const fs::path path = user_socket_path();
  // In a directory that others can write to, anybody could pose as our daemon.
  if (!is_private_directory(path.parent_path())) return std::nullopt;
  return try_link(path, deadline);
}

Link link_to_own_daemon(Deadline deadline) {
  const fs::path path = user_socket_path();
  make_private_directory(path.parent_path());
  std::string words;
  do {
    // One that is starting or ending keeps ours from starting: both are over in a moment.
    words = start_daemon(path, deadline);
    if (std::optional<Link> link = try_user_link(deadline)) return std::move(*link);
  } while (pause_until(deadline));
  throw Error(Errc::no_daemon, "connect to " + path.string() + ": the daemon that was started there does not answer" +
                                   (words.empty() ? "; its log is " + path.string() + ".log" : "; it said: " + words));
}

}  // namespace

Link find_daemon(const ConnectionOptions& options, Deadline deadline) {
  std::optional<fs::path> named = socket_from_environment();
  if (!options.socket.empty()) named = options.socket;
  if (named) {
    if (std::optional<Link> link = try_link(*named, deadline)) return std::move(*link);
    throw Error(Errc::no_daemon, "connect to " + named->string() +
                                     ": no daemon answers there; start one with: beltwayd "
                                     "--socket " +
                                     named->string());
  }
  if (std::optional<Link> link = try_user_link(deadline)) return std::move(*link);
  if (std::optional<Link> link = try_link(system_socket_path(), deadline)) return std::move(*link);
  if (options.start_daemon) return link_to_own_daemon(deadline);
  throw Error(Errc::no_daemon, "connect: no daemon answers at " + user_socket_path().string() + " or " +
                                   system_socket_path().string() + "; start beltwayd, or allow start_daemon");
}

}  // namespace beltway
