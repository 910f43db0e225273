// Finding a daemon that answers, or starting the user's own.
// Thread safety: all functions, from any thread; the environment is read as getenv reads it.
#pragma once

#include <filesystem>

#include "beltway/options.hpp"
#include "channel.hpp"

namespace beltway {

/// A socket whose daemon has said hello.
struct Link {
  Channel channel;
  std::filesystem::path socket;
};

/// Asks at options.socket, else $BELTWAY_SOCKET, else at the user's own socket and then at the machine's. Starts the
/// user's daemon if the last two do not answer and options.start_daemon allows it: whoever starts one at the same
/// moment finds the other's. Blocks until `deadline` at most.
/// Throws Error(no_daemon), Error(protocol) for a daemon of another protocol version, Error(limit_reached, system).
[[nodiscard]] Link find_daemon(const ConnectionOptions& options, Deadline deadline);

}  // namespace beltway
