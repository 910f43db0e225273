// The daemon's log: spdlog's default logger, as text for people, or as a JSON object a line for programs. The log goes to
// standard error or to a file. No call waits for the log: see log_writer.hpp.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace beltway::daemon {

struct LogOptions {
  std::string level = "info";       ///< trace, debug, info, warn, error, critical or off
  bool json = false;                ///< {"time", "level", "pid", "message"}
  std::filesystem::path file = {};  ///< empty: standard error
};

struct LogState {
  std::string file;        ///< empty: standard error
  std::uint64_t lost = 0;  ///< lines that were dropped
};

/// Replaces the process's default logger, once, before any other thread logs.
void set_up_log(const LogOptions& options);

/// 0, or why the log's file cannot be opened (errno). Waits half a second at most: ETIMEDOUT. Always 0 for standard error.
[[nodiscard]] int try_log_file() noexcept;

/// The state of the log that set_up_log() made. Empty if there is none.
[[nodiscard]] LogState log_state();

/// Logs why the process ends, if the log is a file. tell_people() writes the reason to standard error.
void log_failure(const std::string& context);

/// Waits until what was logged is written, half a second at most. Before exec() and before the end.
void flush_log() noexcept;

}  // namespace beltway::daemon
