// What a bridge is told: the server, and its routes. From flags or from one JSON file.
// Thread safety: values.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "bridge/bridge_limits.hpp"
#include "bridge/route_state.hpp"

namespace beltway::bridge {

/// Where the engine is, and as whom the bridge logs in. User and password never stand in a URL or on a command line.
struct ServerOptions {
  std::string host = "localhost";
  std::uint16_t port = 5672;
  std::string virtual_host = "/";
  bool tls = false;
  std::string ca_file = {};           ///< certificates of authorities, for TLS; empty: the system's
  std::string certificate_file = {};  ///< the bridge's own, for TLS; empty: none
  std::string key_file = {};
  std::string user = "guest";
  std::string password = "guest";

  /// "amqp://host:5672/vhost", as it is shown to people: without user and password.
  [[nodiscard]] std::string shown() const;
};

enum class Direction : std::uint8_t { out, in };

struct RouteOptions {
  Direction direction = Direction::out;
  std::string queue;             ///< the local queue
  std::string group = "bridge";  ///< out: the local group, which the route makes and has for itself
  std::string remote;         ///< the server's queue; out with an exchange: the routing key, empty: each message's key
  std::string exchange = {};  ///< out only; empty: straight to the queue `remote`
  std::uint32_t window = k_default_window;
  bool deduplicate = true;  ///< in only: a message of another bridge that comes twice is stored once

  /// "out orders -> orders".
  [[nodiscard]] std::string name() const;
};

struct BridgeOptions {
  std::string name = "bridge";
  ServerOptions server = {};
  std::vector<RouteOptions> routes = {};
  Pauses pauses = {};
  std::chrono::milliseconds drain = k_default_drain;
};

/// "amqp://host:5672/vhost" or "amqps://...". Throws std::runtime_error, also for a URL with a password.
void read_url(const std::string& url, ServerOptions& server);
/// "QUEUE[:GROUP]=REMOTE", where REMOTE is a queue or "EXCHANGE//ROUTING_KEY". Throws std::runtime_error.
[[nodiscard]] RouteOptions read_out_route(const std::string& text);
/// "REMOTE=QUEUE". Throws std::runtime_error.
[[nodiscard]] RouteOptions read_in_route(const std::string& text);
/// The JSON of README.md. Throws std::runtime_error that names the member at fault.
void read_bridge_file(const std::string& path, BridgeOptions& options);
/// Throws std::runtime_error: no routes, too many, two of the same kind, values out of their limits.
void check(const BridgeOptions& options);

/// User and password: from the file, else from $BELTWAY_BRIDGE_USER and $BELTWAY_BRIDGE_PASSWORD, else RabbitMQ's own "guest".
/// The file has the user in its first line and the password in its second. Throws std::runtime_error, also for a file that every
/// user may read.
void read_credentials(const std::string& file, ServerOptions& server);

}  // namespace beltway::bridge
