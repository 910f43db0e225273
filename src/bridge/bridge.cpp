#include "bridge/bridge.hpp"

#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <random>
#include <system_error>

namespace beltway::bridge {

namespace {

/// Bytes of a route's stack: librabbitmq decodes tables within tables by recursion, as deep as a frame of the server's has room
/// for. Only what is used takes memory.
constexpr std::size_t k_stack_bytes = 64U << 20;

BridgeOptions checked(BridgeOptions options) {
  check(options);
  return options;
}

}  // namespace

struct Bridge::Route {
  Route(const Bridge& bridge, const RouteOptions& route)
      : status(route),
        machine(bridge.options_.pauses, std::random_device()()),
        context{route, bridge.local_, *bridge.engine_, machine, status, bridge.stop_},
        drain(bridge.options_.drain) {}

  RouteStatus status;
  RouteMachine machine;
  RouteContext context;
  std::chrono::milliseconds drain;
  std::string told_state = std::string(name_of(RouteState::starting));
  pthread_t thread{};
  bool is_started = false;
};

Bridge::Bridge(const BridgeOptions& options, ConnectionOptions local, const std::string& socket)
    : options_(checked(options)),
      local_(std::move(local)),
      socket_(socket),
      engine_(make_engine(options_.server)),
      file_(options_.name, watch::bridge_directories(socket)) {
  for (const RouteOptions& route : options_.routes) routes_.push_back(std::make_unique<Route>(*this, route));
}

Bridge::~Bridge() {
  stop_.request();
  for (const auto& route : routes_) {
    if (route->is_started) pthread_join(route->thread, nullptr);
  }
}

void Bridge::start(Route& route) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, k_stack_bytes);
  const auto body = [](void* argument) -> void* {
    const Route& its_route = *static_cast<Route*>(argument);
    run_route(its_route.context, its_route.drain);
    return nullptr;
  };
  const int error = pthread_create(&route.thread, &attributes, body, &route);
  pthread_attr_destroy(&attributes);
  if (error != 0) throw std::system_error(error, std::generic_category(), "start the thread of a route");
  route.is_started = true;
}

void Bridge::run(const std::stop_token& stop, const std::function<void(const watch::RouteView&)>& on_change) {
  for (const auto& route : routes_) start(*route);
  std::mutex mutex;
  std::condition_variable_any tick;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    tell_changes(on_change);
    file_.write(view());
    tick.wait_for(lock, stop, k_status_interval, [] { return false; });
  }
  stop_.request();
  for (const auto& route : routes_) {
    pthread_join(route->thread, nullptr);
    route->is_started = false;
  }
  tell_changes(on_change);
}

void Bridge::tell_changes(const std::function<void(const watch::RouteView&)>& on_change) {
  for (const auto& route : routes_) {
    const watch::RouteView now = route->status.view();
    if (now.state == route->told_state) continue;
    route->told_state = now.state;
    on_change(now);
  }
}

watch::BridgeView Bridge::view() const {
  watch::BridgeView view{
      .name = options_.name, .pid = getpid(), .lives = true, .server = options_.server.shown(), .socket = socket_};
  for (const auto& route : routes_) view.routes.push_back(route->status.view());
  return view;
}

}  // namespace beltway::bridge
