// Reads /proc and the user database.
#include "process_info.hpp"

#include <pwd.h>

#include <fstream>
#include <iterator>

#include "payload_text.hpp"

namespace beltway::tool {

std::optional<ProcessInfo> parse_process_stat(const std::string& stat) {
  // "pid (name) state ...": the name may itself hold blanks and brackets, so the last bracket ends it.
  const std::size_t open = stat.find('(');
  const std::size_t close = stat.rfind(')');
  if (open == std::string::npos || close == std::string::npos || close < open || close + 2 >= stat.size())
    return std::nullopt;
  const char state = stat[close + 2];
  return ProcessInfo{printable(stat.substr(open + 1, close - open - 1)), state == 'T' || state == 't'};
}

std::optional<ProcessInfo> process_info(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  if (!file) return std::nullopt;
  return parse_process_stat(std::string(std::istreambuf_iterator<char>(file), {}));
}

std::string user_name(std::uint32_t uid) {
  const passwd* const entry = getpwuid(uid);
  return entry == nullptr ? std::to_string(uid) : std::string(entry->pw_name);
}

std::string daemon_text(const Connection::DaemonInfo& daemon) {
  std::string text = "beltwayd " + daemon.version + (daemon.layout.empty() ? "" : ", layout " + daemon.layout) +
                     ", process " + std::to_string(daemon.pid);
  if (daemon.uid != Connection::k_unknown_uid) text += " of " + user_name(daemon.uid);
  text += ", " + daemon.socket;
  if (daemon.asked != daemon.socket) text += " (asked at " + daemon.asked + ")";
  return text;
}

}  // namespace beltway::tool
