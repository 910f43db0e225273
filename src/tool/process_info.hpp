// What the kernel tells of the process or user behind a number, for people.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "beltway/connection.hpp"

namespace beltway::tool {

struct ProcessInfo {
  std::string name;      ///< as in `ps -o comm`, printable
  bool stopped = false;  ///< by a signal or a debugger
};

/// Nothing if there is no such process, or none that we can see (another pid namespace).
[[nodiscard]] std::optional<ProcessInfo> process_info(int pid);

/// What process_info reads: the text of /proc/PID/stat.
[[nodiscard]] std::optional<ProcessInfo> parse_process_stat(const std::string& stat);

/// The user's name, or the number.
[[nodiscard]] std::string user_name(std::uint32_t uid);

/// Which daemon was asked: version, process, user, socket; on one line, without its end.
[[nodiscard]] std::string daemon_text(const Connection::DaemonInfo& daemon);

}  // namespace beltway::tool
