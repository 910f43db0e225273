// The daemon's log: spdlog's default logger on standard error, as text for people or one JSON object a line for programs.
#pragma once

#include <string>

namespace beltway::daemon {

/// `level`: trace, debug, info, warn, error, critical or off. `json`: {"time", "level", "pid", "message"}.
/// Replaces the process's default logger; before any other thread logs.
void set_up_log(const std::string& level, bool json);

}  // namespace beltway::daemon
