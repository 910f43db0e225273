#include "bridge/route_options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <stdexcept>
#include <string_view>

#include "beltway/limits.hpp"

namespace beltway::bridge {

namespace {

[[noreturn]] void refuse_options(const std::string& what) { throw std::runtime_error(what); }

/// "%2f" is "/", as in RabbitMQ's own URLs.
std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const std::string_view digits = text.substr(i + 1, 2);
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 2 || read.ptr != digits.data() + 2) refuse_options("the URL has a \"%\" without two digits");
    decoded += static_cast<char>(value);
    i += 2;
  }
  return decoded;
}

std::uint16_t read_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size() || port == 0) {
    refuse_options("the URL's port is a number from 1 to 65535");
  }
  return port;
}

/// The two sides of "A=B".
std::array<std::string, 2> sides_of(const std::string& text, const std::string& form) {
  const std::size_t middle = text.find('=');
  if (middle == std::string::npos || middle == 0 || middle + 1 == text.size()) {
    refuse_options("\"" + text + "\" is not of the form " + form);
  }
  return {text.substr(0, middle), text.substr(middle + 1)};
}

void check_route(const RouteOptions& route) {
  const std::string start = "route " + route.name() + ": ";
  const bool has_window = route.window >= 1 && route.window <= k_max_window;
  if (!has_window) refuse_options(start + "the window is 1 to " + std::to_string(k_max_window) + " messages");
  if (route.queue.empty()) refuse_options(start + "it needs a queue");
  if (route.remote.empty() && route.exchange.empty()) refuse_options(start + "it needs the name of the server's queue");
  if (route.direction == Direction::in && !route.exchange.empty()) {
    refuse_options(start + "only a route out has an exchange");
  }
  // One byte holds the length of an AMQP name.
  if (route.remote.size() > k_max_property_bytes || route.exchange.size() > k_max_property_bytes) {
    refuse_options(start + "a name of the server has at most " + std::to_string(k_max_property_bytes) + " bytes");
  }
}

bool is_name(const std::string& text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '_';
  };
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), fits);
}

}  // namespace

std::string ServerOptions::shown() const {
  return std::string(tls ? "amqps" : "amqp") + "://" + host + ":" + std::to_string(port) +
         (virtual_host == "/" ? "" : "/" + virtual_host);
}

std::string RouteOptions::name() const {
  const std::string there = exchange.empty() ? remote : exchange + "//" + remote;
  return direction == Direction::out ? "out " + queue + ":" + group + " -> " + there : "in " + there + " -> " + queue;
}

void read_url(const std::string& url, ServerOptions& server) {
  std::string_view rest = url;
  server.tls = rest.starts_with("amqps://");
  if (!server.tls && !rest.starts_with("amqp://")) {
    refuse_options("\"" + url.substr(0, url.find(':')) + "\": the URL begins with amqp:// or amqps://");
  }
  rest.remove_prefix(server.tls ? 8 : 7);
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  std::string_view address = rest.substr(0, slash);
  if (rest.find('@') != std::string_view::npos) {
    refuse_options(
        "the URL must not have a user or password: every process of the machine can read a command line; see "
        "--credentials-file");
  }
  server.virtual_host = slash + 1 < rest.size() ? percent_decoded(rest.substr(slash + 1)) : "/";
  server.port = server.tls ? 5671 : 5672;
  // "[::1]:5672" has colons in its host.
  const std::size_t bracket = address.starts_with('[') ? address.find(']') : std::string_view::npos;
  const std::size_t colon = address.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    server.port = read_port(address.substr(colon + 1));
    address = address.substr(0, colon);
  }
  if (bracket != std::string_view::npos) address = address.substr(1, bracket - 1);
  if (address.empty()) refuse_options("the URL has no host");
  server.host = address;
}

RouteOptions read_out_route(const std::string& text) {
  const auto [local, remote] = sides_of(text, "QUEUE[:GROUP]=REMOTE");
  RouteOptions route{.direction = Direction::out, .queue = local.substr(0, local.find(':')), .remote = remote};
  if (local.find(':') != std::string::npos) route.group = local.substr(local.find(':') + 1);
  const std::size_t slashes = remote.find("//");
  if (slashes != std::string::npos) {
    route.exchange = remote.substr(0, slashes);
    route.remote = remote.substr(slashes + 2);
  }
  return route;
}

RouteOptions read_in_route(const std::string& text) {
  const auto [remote, local] = sides_of(text, "REMOTE=QUEUE");
  return {.direction = Direction::in, .queue = local, .remote = remote};
}

void check(const BridgeOptions& options) {
  if (!is_name(options.name)) refuse_options("the bridge's name has 1 to 64 characters of A-Z a-z 0-9 . _ -");
  if (options.routes.empty()) refuse_options("a bridge needs a route: --out, --in or --config");
  if (options.routes.size() > k_max_routes) {
    refuse_options("a bridge has at most " + std::to_string(k_max_routes) + " routes");
  }
  std::set<std::string> sources;
  for (const RouteOptions& route : options.routes) {
    check_route(route);
    const bool out = route.direction == Direction::out;
    // Two consumers of one source would share its messages, and their order would be lost.
    if (!sources.insert(out ? "out " + route.queue + ":" + route.group : "in " + route.remote).second) {
      refuse_options("two routes take from " + (out ? route.queue + ":" + route.group : route.remote));
    }
  }
}

}  // namespace beltway::bridge
