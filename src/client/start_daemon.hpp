// Starting the user's own daemon.
#pragma once

#include <filesystem>
#include <string>

#include "client/channel.hpp"

namespace beltway::client {

/// How long a daemon that a client started stays without a queue and a connection.
inline constexpr int k_started_daemon_idle_s = 60;
/// The exit code of beltwayd if another daemon is alive at its socket.
inline constexpr int k_exit_already_running = 3;

/// Runs `beltwayd --background` at `socket`. Waits until the daemon listens there, or has found another daemon there. The program
/// is $BELTWAY_DAEMON, else `beltwayd` beside the running program, else the installed one, else `beltwayd` from $PATH. The daemon
/// logs to `<socket>.log`, and drops what it inherits from its client (daemon/survival/surroundings.hpp).
/// Returns the last line that the daemon printed, mostly empty: the caller shows it if the daemon does not answer. Throws
/// Error(no_daemon), with that line, if the daemon cannot be started. Thread-safe.
[[nodiscard]] std::string start_daemon(const std::filesystem::path& socket, const Deadline& deadline);

}  // namespace beltway::client
