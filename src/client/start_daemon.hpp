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

/// Runs `beltwayd --background` at `socket` and waits until it listens, or has found another daemon there. The program
/// is $BELTWAY_DAEMON, else `beltwayd` beside the running program, else as installed, else from $PATH. Its log is
/// `<socket>.log`. The daemon drops what it inherits (daemon/survival/surroundings.hpp). Returns its last words, for the case
/// that it does not answer after all; mostly empty. Throws Error(no_daemon), with the daemon's own words, if it cannot be
/// started.
/// Thread-safe.
[[nodiscard]] std::string start_daemon(const std::filesystem::path& socket, const Deadline& deadline);

}  // namespace beltway::client
