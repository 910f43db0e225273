// A bridge: its routes, each in a thread of its own, and its status file.
// Thread safety: one thread makes, runs and ends it.
#pragma once

#include <pthread.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "bridge/route.hpp"
#include "bridge/status_file.hpp"

namespace beltway::bridge {

class Bridge {
 public:
  /// `local`: where the routes find their daemon, whose main socket is `socket`. Throws std::runtime_error for options that make
  /// no sense, for a name that is in use, and in a build without an engine.
  Bridge(const BridgeOptions& options, ConnectionOptions local, const std::string& socket);
  ~Bridge();
  Bridge(const Bridge&) = delete;
  Bridge& operator=(const Bridge&) = delete;

  /// Passes messages until a stop is requested; then drains the routes. `on_change(view)` is called in this thread when a route
  /// has come into another state.
  void run(const std::stop_token& stop, const std::function<void(const watch::RouteView&)>& on_change);

  [[nodiscard]] watch::BridgeView view() const;

 private:
  struct Route;
  void start(Route& route);
  void tell_changes(const std::function<void(const watch::RouteView&)>& on_change);

  BridgeOptions options_;
  ConnectionOptions local_;
  std::string socket_;
  std::unique_ptr<RemoteEngine> engine_;
  StopSignal stop_;
  StatusFile file_;
  std::vector<std::unique_ptr<Route>> routes_;
};

}  // namespace beltway::bridge
