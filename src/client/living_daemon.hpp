// Which process lives at a socket that does not answer, for error messages and before a client starts another daemon there.
//
// Reads the lock file, /proc/net/unix (which keeps the name of a socket whose file is gone) and /proc/PID. Changes
// nothing. What it finds may be over a moment later. Thread safety: all functions, from any thread.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace beltway::client {

/// What the lock file says.
struct LockHolder {
  int pid = 0;                    ///< 0: it does not say
  std::filesystem::path primary;  ///< the first socket of the daemon that holds the lock; empty: it does not say
};

/// Nothing if no process holds the lock of `socket`, or the caller may not read the file.
[[nodiscard]] std::optional<LockHolder> lock_holder(const std::filesystem::path& socket);

/// A process of this user that listens at `socket`, whether its file is there or not. This process and its parent do not
/// count. Nothing if there is none in this network and mount namespace, or /proc cannot be read.
[[nodiscard]] std::optional<int> find_listener(const std::filesystem::path& socket);

/// The process that lives at `socket`: by lock, else by listening there; 0: unknown number. Nothing: no process.
[[nodiscard]] std::optional<int> living_daemon(const std::filesystem::path& socket);

/// The process is a daemon's, and it is stopped: by a signal, a debugger or a terminal. False if nothing can be seen of it.
[[nodiscard]] bool is_stopped_daemon(int pid);

/// The process that answers at `socket` by its lock, else `listener`, which may be its supervisor; 0: neither is known.
[[nodiscard]] int daemon_process(const std::filesystem::path& socket, int listener);

/// Why no daemon answers a connect at `socket`, as the end of a sentence that began with the socket's name, with a remedy.
[[nodiscard]] std::string why_unreachable(const std::filesystem::path& socket);

/// Why a daemon that accepted the connection does not answer: its process is stopped, gone, or busy. The text is the end of a
/// sentence, as above. `pid` 0: take the process from the lock.
[[nodiscard]] std::string why_silent(const std::filesystem::path& socket, int pid = 0);

}  // namespace beltway::client
