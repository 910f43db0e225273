// How the tool ends: exit codes (documented in README.md, a promise to scripts) and the exceptions that carry them.
#pragma once

#include <stdexcept>
#include <string>

#include "beltway/error.hpp"
#include "beltway/status.hpp"

namespace beltway::tool {

enum class ExitCode : int {
  done = 0,
  failed = 1,         ///< refused or failed: too large, a limit, other options, input or output
  usage = 2,          ///< the command line makes no sense
  timeout = 3,        ///< --timeout passed before all was published, or before anything came
  no_daemon = 4,      ///< no daemon answers
  not_found = 5,      ///< no such queue or group
  no_permission = 6,  ///< the queue's mode and owner do not allow it
  gone = 7,           ///< the queue or group was removed, or this endpoint evicted, while in use
  left = 8,           ///< purge: messages are left, since consumers hold them
  broken_pipe = 141,  ///< the reader of standard output is gone: as if SIGPIPE had ended us, without a message
};

/// 128 and the signal's number, as a shell reports a process that a signal ended: 130 for Ctrl-C.
[[nodiscard]] constexpr ExitCode exit_code_of_signal(int signal) noexcept { return ExitCode{128 + signal}; }

[[nodiscard]] ExitCode exit_code_of(Errc reason) noexcept;

/// A failure of the tool itself. An empty message ends it quietly.
class Failure : public std::runtime_error {
 public:
  Failure(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  [[nodiscard]] ExitCode code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

/// What a publish or receive that ended with `status` (removed, evicted, too_large, ...) means for the command.
[[nodiscard]] Failure failure_of(Status status, const std::string& context);

}  // namespace beltway::tool
