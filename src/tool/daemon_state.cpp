// See daemon_state.hpp.
#include "daemon_state.hpp"

#include <utility>

namespace beltway::tool {

void add_state(Json& json, const Connection::DaemonInfo& daemon) {
  json["passed_over"] = daemon.passed_over.empty() ? Json(nullptr) : Json(daemon.passed_over);
  Json held = Json::array();
  for (const Connection::HeldQueue& queue : daemon.held) {
    held.push_back({{"name", queue.name}, {"layout", queue.layout}, {"why", queue.why}});
  }
  json["held"] = std::move(held);
}

std::string state_text(const Connection::DaemonInfo& daemon) {
  std::string text;
  if (!daemon.passed_over.empty()) text += "passed over: " + daemon.passed_over + "\n";
  for (const Connection::HeldQueue& queue : daemon.held) {
    text += "not served: " + (queue.name.empty() ? "a queue" : "queue " + queue.name) + ": " + queue.why + "\n";
  }
  return text;
}

}  // namespace beltway::tool
