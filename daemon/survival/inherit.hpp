// Descriptors that a process is started with, as systemd hands them over (sd_listen_fds): they lie at 3 and up, and
// $LISTEN_PID, $LISTEN_FDS and $LISTEN_FDNAMES say for which process, how many, and their names. Our supervisor does it the
// same way, so that the daemon need not know what started it.
// Thread safety: none; a process's start and its last moments, with one thread.
#pragma once

#include <string>
#include <vector>

#include "os/fd.hpp"

namespace beltway::daemon {

struct NamedFd {
  std::string name;
  os::Fd descriptor;
};

/// A descriptor to be passed on, which stays its owner's.
struct PassedFd {
  std::string name;
  int descriptor = -1;
};

/// The number that an environment variable is; -1 if it is none.
[[nodiscard]] long number_in_environment(const char* variable) noexcept;

/// What was handed to this process; close-on-exec from now on, the environment variables gone. Empty if they are meant for
/// another process.
[[nodiscard]] std::vector<NamedFd> take_inherited();

/// For the process that is about to exec: puts the descriptors to 3 and up, whatever lies there, and tells of them in the
/// environment. Throws Error(limit_reached, system); then the process is of no more use.
void pass_at_exec(const std::vector<PassedFd>& descriptors);

/// Raises this process's limit of open files to what it may have; returns it.
std::size_t raise_open_files_limit() noexcept;

}  // namespace beltway::daemon
