// What bridges do, as text for people.
// Thread safety: functions.
#pragma once

#include <string>
#include <vector>

#include "watch/model.hpp"

namespace beltway::tool {

/// A table of routes under each bridge, and a line with the last error of each route that does not run.
[[nodiscard]] std::string bridges_text(const std::vector<watch::BridgeView>& bridges);

/// "out orders to orders: reconnecting: the connection ended", as a line.
[[nodiscard]] std::string route_line(const watch::RouteView& route);

}  // namespace beltway::tool
