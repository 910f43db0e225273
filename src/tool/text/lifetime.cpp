// See lifetime.hpp.
#include "tool/text/lifetime.hpp"

#include "tool/text/units.hpp"
#include "watch/process_info.hpp"

namespace beltway::tool {

std::string lifetime_text(const QueueInfo& info) {
  std::string text;
  if (info.options.exclusive) {
    text = "as long as " +
           (info.owner_pid == 0 ? "a process of another pid namespace" : watch::process_text(info.owner_pid));
  }
  if (info.options.expire_after.count() != 0) {
    text += (text.empty() ? "" : "; ") + ("until it is unused for " + format_duration(info.options.expire_after));
    if (info.expires_in) text += ", which is in " + format_duration(*info.expires_in);
  }
  return text;
}

std::string lifetime_cell(const QueueInfo& info) {
  std::string text;
  if (info.options.exclusive) {
    text = "process " + (info.owner_pid == 0 ? "unknown" : std::to_string(info.owner_pid));
  }
  if (info.options.expire_after.count() != 0) {
    text += (text.empty() ? "" : ", ") + ("unused " + format_duration(info.options.expire_after));
    if (info.expires_in) text += " (in " + format_duration(*info.expires_in) + ")";
  }
  return text.empty() ? "-" : text;
}

}  // namespace beltway::tool
