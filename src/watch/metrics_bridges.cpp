// Families of bridges to other machines. See metric_writer.hpp.
#include <utility>

#include "watch/metric_writer.hpp"

namespace beltway::watch {

namespace {

/// A number of a route with its name and its meaning.
struct RouteFamily {
  const char* name;
  const char* type;
  const char* help;
  std::uint64_t RouteView::* value;
};

constexpr RouteFamily k_route_families[] = {
    {"bridge_remaining_messages", "gauge", "Messages that wait at the source of a route.", &RouteView::remaining},
    {"bridge_in_flight_messages", "gauge", "Messages taken from the source and not acknowledged there.",
     &RouteView::in_flight},
    {"bridge_forwarded_messages_total", "counter", "Messages sent, also those that were sent again.",
     &RouteView::forwarded},
    {"bridge_confirmed_messages_total", "counter", "Messages stored at the target and acknowledged at the source.",
     &RouteView::confirmed},
    {"bridge_duplicate_messages_total", "counter",
     "Messages recognised and not stored again (in), or sent again after a loss (out).", &RouteView::duplicates},
    {"bridge_loop_messages_total", "counter", "Messages dropped since they had been in the queue before.",
     &RouteView::loops},
    {"bridge_refused_messages_total", "counter",
     "Messages that the local queue cannot take, given back as dead letters.", &RouteView::refused},
    {"bridge_attempts_total", "counter", "Attempts to connect.", &RouteView::attempts},
};

MetricWriter::Labels labels_of(const BridgeView& bridge, const RouteView& route) {
  return {{"bridge", bridge.name},
          {"direction", route.direction},
          {"queue", route.queue},
          {"group", route.group},
          {"remote", route.exchange.empty() ? route.remote : route.exchange + "//" + route.remote}};
}

}  // namespace

void add_bridges(MetricWriter& out, const std::vector<BridgeView>& bridges) {
  if (bridges.empty()) return;
  out.family("bridge_up", "gauge", "1 if the bridge's process lives, 0 if it ended without being told to.");
  for (const BridgeView& bridge : bridges) out.value(bridge.lives ? 1 : 0, {{"bridge", bridge.name}});
  out.family("bridge_state", "gauge", "1, with the state of the route.");
  for (const BridgeView& bridge : bridges) {
    for (const RouteView& route : bridge.routes) {
      MetricWriter::Labels labels = labels_of(bridge, route);
      labels.emplace_back("state", bridge.lives ? route.state : "ended");
      out.value(1, labels);
    }
  }
  for (const RouteFamily& family : k_route_families) {
    out.family(family.name, family.type, family.help);
    for (const BridgeView& bridge : bridges) {
      for (const RouteView& route : bridge.routes) out.value(route.*family.value, labels_of(bridge, route));
    }
  }
}

}  // namespace beltway::watch
