// See daemon_state.hpp.
#include "tool/commands/daemon_state.hpp"

namespace beltway::tool {

std::string state_text(const Connection::DaemonInfo& daemon) {
  std::string text;
  if (!daemon.passed_over.empty()) text += "passed over: " + daemon.passed_over + "\n";
  for (const Connection::HeldQueue& queue : daemon.held) {
    text += "not served: " + (queue.name.empty() ? "a queue" : "queue " + queue.name) + ": " + queue.why + "\n";
  }
  return text;
}

}  // namespace beltway::tool
