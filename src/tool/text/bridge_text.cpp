#include "tool/text/bridge_text.hpp"

#include "tool/text/table.hpp"

namespace beltway::tool {

namespace {

std::string remote_text(const watch::RouteView& route) {
  return route.exchange.empty() ? route.remote : route.exchange + "//" + route.remote;
}

std::string bridge_text(const watch::BridgeView& bridge) {
  std::string text = "bridge " + bridge.name + " to " + bridge.server + ", process " + std::to_string(bridge.pid) +
                     (bridge.lives ? "\n" : " has ended without being told to\n");
  Table table(
      {"ROUTE", "QUEUE", "REMOTE", "STATE", ">REMAINING", ">IN FLIGHT", ">FORWARDED", ">CONFIRMED", ">DUPLICATES"});
  for (const watch::RouteView& route : bridge.routes) {
    table.add({route.direction, route.queue, remote_text(route), bridge.lives ? route.state : "ended",
               std::to_string(route.remaining), std::to_string(route.in_flight), std::to_string(route.forwarded),
               std::to_string(route.confirmed), std::to_string(route.duplicates)});
  }
  text += table.text(2);
  for (const watch::RouteView& route : bridge.routes) {
    if (route.loops > 0)
      text += "  " + route.queue + ": " + std::to_string(route.loops) + " messages in a loop were dropped\n";
    if (route.refused > 0) {
      text += "  " + route.queue + ": " + std::to_string(route.refused) + " messages were refused as dead letters\n";
    }
    if (!route.last_error.empty()) text += "  " + route.queue + ": last error: " + route.last_error + "\n";
  }
  return text;
}

}  // namespace

std::string bridges_text(const std::vector<watch::BridgeView>& bridges) {
  if (bridges.empty()) return "no bridge\n";
  std::string text;
  for (const watch::BridgeView& bridge : bridges) text += (text.empty() ? "" : "\n") + bridge_text(bridge);
  return text;
}

std::string route_line(const watch::RouteView& route) {
  const bool out = route.direction == "out";
  std::string line = route.direction + " " +
                     (out ? route.queue + " to " + remote_text(route) : remote_text(route) + " to " + route.queue) +
                     ": " + route.state;
  const bool has_reason = route.state == "blocked" || route.state == "reconnecting" || route.state == "failed";
  if (has_reason && !route.last_error.empty()) line += ": " + route.last_error;
  return line + "\n";
}

}  // namespace beltway::tool
