// The process or user of a number, as the kernel knows it, as text for people.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "beltway/connection.hpp"
#include "watch/model.hpp"

namespace beltway::watch {

/// Why a process makes no progress by itself.
enum class RunState : std::uint8_t {
  running,  ///< or asleep: it runs when there is something to do
  stopped,  ///< by a signal (Ctrl-Z, SIGSTOP)
  traced,   ///< held by a debugger
  frozen,   ///< with its control group (docker pause, systemctl freeze)
  ended,    ///< a zombie: only its parent still knows it
};

struct ProcessInfo {
  std::string name;  ///< as in `ps -o comm`, printable
  RunState state = RunState::running;

  [[nodiscard]] bool stopped() const noexcept { return state != RunState::running; }
};

/// A file of /proc, whole; what was read until then if a read fails, as when its process has just ended.
[[nodiscard]] std::string read_text(const std::string& path);

/// Nothing if there is no such process, or none that we can see (another pid namespace).
[[nodiscard]] std::optional<ProcessInfo> process_info(int pid);

/// While it lives, this thread reads each process once: process_info() says again what it has said.
class ProcessMemory {
 public:
  ProcessMemory() noexcept;
  ProcessMemory(const ProcessMemory&) = delete;
  ProcessMemory& operator=(const ProcessMemory&) = delete;
  ~ProcessMemory();

 private:
  std::map<int, std::optional<ProcessInfo>> known_;
  bool is_outer_ = false;
  friend std::optional<ProcessInfo> process_info(int pid);
};

/// Parses the text of /proc/PID/stat.
[[nodiscard]] std::optional<ProcessInfo> parse_process_stat(const std::string& stat);
/// Parses the text of /proc/PID/cgroup. Returns the path of the group in the unified hierarchy; empty if there is none.
[[nodiscard]] std::string parse_control_group(const std::string& cgroup);
/// Parses the text of the group's cgroup.events.
[[nodiscard]] bool parse_frozen(const std::string& events);

/// "running", "stopped", "traced", "frozen", "ended"; "unknown" for a process that we cannot see.
[[nodiscard]] std::string_view name_of(const std::optional<ProcessInfo>& process) noexcept;

/// "process 123 name", "process 123 name, stopped", "process 123, ended or not visible here".
[[nodiscard]] std::string process_text(int pid);

/// True if it has more threads than its first one. That may have ended before them: then the process looks like an ended one.
[[nodiscard]] bool has_threads(int pid);

/// Commands that let the process go on, or end it.
[[nodiscard]] std::vector<Remedy> remedies_for_process(int pid);

/// The user's name, or the number. A name is asked for once. Thread safety: from any thread.
[[nodiscard]] std::string user_name(std::uint32_t uid);

/// Which daemon was asked: version, process, user, socket; on one line, without its end.
[[nodiscard]] std::string daemon_text(const Connection::DaemonInfo& daemon);

}  // namespace beltway::watch
