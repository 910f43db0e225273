// Reads /proc, the control groups and the user database.
#include "watch/process_info.hpp"

#include <pwd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <system_error>

#include "base/printable.hpp"

namespace beltway::watch {

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();  // not by iterators: they throw when a read fails
  return text.str();
}

namespace {

constexpr const char* k_control_groups = "/sys/fs/cgroup";

std::string control_group_of(int pid) {
  return parse_control_group(read_text("/proc/" + std::to_string(pid) + "/cgroup"));
}

bool is_frozen(int pid) {
  const std::string group = control_group_of(pid);
  return !group.empty() && parse_frozen(read_text(k_control_groups + group + "/cgroup.events"));
}

RunState state_of(char letter) noexcept {
  switch (letter) {
    case 'T': return RunState::stopped;
    case 't': return RunState::traced;
    case 'Z':
    case 'X': return RunState::ended;
    default: return RunState::running;
  }
}

thread_local ProcessMemory* remembered = nullptr;

std::optional<ProcessInfo> read_process(int pid) {
  auto process = parse_process_stat(read_text("/proc/" + std::to_string(pid) + "/stat"));
  if (process && process->state == RunState::running && is_frozen(pid)) process->state = RunState::frozen;
  return process;
}

}  // namespace

std::optional<ProcessInfo> parse_process_stat(const std::string& stat) {
  // "pid (name) state ...": the name may itself hold blanks and brackets, so the last bracket ends it.
  const std::size_t open = stat.find('(');
  const std::size_t close = stat.rfind(')');
  if (open == std::string::npos || close == std::string::npos || close < open || close + 2 >= stat.size())
    return std::nullopt;
  return ProcessInfo{printable(stat.substr(open + 1, close - open - 1)), state_of(stat[close + 2])};
}

std::string parse_control_group(const std::string& cgroup) {
  static constexpr std::string_view k_unified = "0::";
  for (std::size_t line = 0; line < cgroup.size();) {
    const std::size_t end = std::min(cgroup.find('\n', line), cgroup.size());
    if (cgroup.compare(line, k_unified.size(), k_unified) == 0) {
      return cgroup.substr(line + k_unified.size(), end - line - k_unified.size());
    }
    line = end + 1;
  }
  return {};
}

bool parse_frozen(const std::string& events) { return events.find("frozen 1") != std::string::npos; }

std::optional<ProcessInfo> process_info(int pid) {
  if (pid <= 0) return std::nullopt;
  if (remembered == nullptr) return read_process(pid);
  const auto [place, is_new] = remembered->known_.try_emplace(pid);
  if (is_new) place->second = read_process(pid);
  return place->second;
}

ProcessMemory::ProcessMemory() noexcept : is_outer_(remembered == nullptr) {
  if (is_outer_) remembered = this;
}
ProcessMemory::~ProcessMemory() {
  if (is_outer_) remembered = nullptr;
}

std::string_view name_of(const std::optional<ProcessInfo>& process) noexcept {
  if (!process) return "unknown";
  switch (process->state) {
    case RunState::running: return "running";
    case RunState::stopped: return "stopped";
    case RunState::traced: return "traced";
    case RunState::frozen: return "frozen";
    case RunState::ended: return "ended";
  }
  return "unknown";
}

std::string process_text(int pid) {
  if (pid <= 0) return "a process of another pid namespace";
  const std::string number = "process " + std::to_string(pid);
  const std::optional<ProcessInfo> process = process_info(pid);
  if (!process) return number + ", ended or not visible here";
  const std::string text = number + " " + process->name;
  switch (process->state) {
    case RunState::running: return text;
    case RunState::stopped: return text + ", stopped";
    case RunState::traced: return text + ", stopped by a debugger";
    case RunState::frozen: return text + ", stopped: its control group is frozen";
    case RunState::ended: return text + ", ended: its parent has not waited for it";
  }
  return text;
}

bool has_threads(int pid) {
  if (pid <= 0) return false;
  std::error_code failed;
  std::filesystem::directory_iterator threads("/proc/" + std::to_string(pid) + "/task", failed);
  for (int i = 0; i < 2 && !failed && threads != std::filesystem::directory_iterator(); ++i) {
    if (i == 1) return true;
    threads.increment(failed);
  }
  return false;
}

std::vector<Remedy> remedies_for_process(int pid) {
  const std::optional<ProcessInfo> process = process_info(pid);
  if (!process) return {};
  const std::string number = std::to_string(pid);
  std::vector<Remedy> remedies;
  if (process->state == RunState::stopped) remedies.push_back({"kill -CONT " + number, "lets it go on"});
  if (process->state == RunState::frozen) {
    remedies.push_back({"echo 0 > " + (k_control_groups + control_group_of(pid)) + "/cgroup.freeze",
                        "lets it go on, if that group itself is the frozen one"});
  }
  // What is stopped or frozen takes no SIGTERM before it goes on.
  const bool takes_signals = process->state == RunState::running;
  remedies.push_back({(takes_signals ? "kill " : "kill -KILL ") + number, "ends it: what it holds is given to others"});
  return remedies;
}

std::string user_name(std::uint32_t uid) {
  // A directory service may take its time, and its answer is in memory that the next call overwrites.
  static std::mutex mutex;
  static std::map<std::uint32_t, std::string> known;
  const std::lock_guard lock(mutex);
  if (const auto name = known.find(uid); name != known.end()) return name->second;
  const passwd* const entry = getpwuid(uid);
  return entry == nullptr ? std::to_string(uid) : known.emplace(uid, entry->pw_name).first->second;
}

std::string daemon_text(const Connection::DaemonInfo& daemon) {
  std::string text = "beltwayd " + daemon.version + (daemon.layout.empty() ? "" : ", layout " + daemon.layout) +
                     ", process " + std::to_string(daemon.pid);
  if (daemon.uid != Connection::k_unknown_uid) text += " of " + user_name(daemon.uid);
  text += ", " + daemon.socket;
  if (daemon.asked != daemon.socket) text += " (asked at " + daemon.asked + ")";
  return text;
}

}  // namespace beltway::watch
