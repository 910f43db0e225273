// Finding a daemon that answers, or starting the user's own.
// Thread safety: all functions, from any thread; the environment is read as getenv reads it.
#pragma once

#include <filesystem>
#include <vector>

#include "beltway/info.hpp"
#include "beltway/options.hpp"
#include "client/channel.hpp"

namespace beltway::client {

/// A socket whose daemon has said hello.
struct DaemonLink {
  Channel channel;
  std::filesystem::path socket;
};

/// Asks at options.socket, else $BELTWAY_SOCKET, else at the user's places (user_socket_paths()) and then at the machine's.
/// If no daemon answers, and none lives at one of the user's places, and options.start_daemon allows it: starts the user's
/// daemon. Two clients that start one at the same moment find the same. A daemon that lives without its socket is waited
/// for, and named in the error. Blocks until `deadline` at most, which counts as no answer.
/// Throws Error(no_daemon), Error(protocol) for a daemon of another protocol version, Error(limit_reached, system).
[[nodiscard]] DaemonLink find_daemon(const ConnectionOptions& options, const Deadline& deadline);

/// This user's living daemons in places that this environment does not try, except the one whose first socket is `asked`.
/// Empty if $BELTWAY_SOCKET decides.
[[nodiscard]] std::vector<OtherDaemon> other_daemons(const std::filesystem::path& asked);

}  // namespace beltway::client
