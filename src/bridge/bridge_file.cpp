// The bridge's JSON file and the file with its credentials: see route_options.hpp.
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>

#include "beltway/error.hpp"
#include "bridge/route_options.hpp"
#include "wire/json_reader.hpp"

namespace beltway::bridge {

namespace {

/// Bytes of a file that a person writes.
constexpr std::size_t k_max_file_bytes = 1U << 20;

std::string contents_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (text.size() > k_max_file_bytes) throw std::runtime_error(path + " is larger than a megabyte");
  return text;
}

/// A member that nobody knows is a mistake, e.g. a misspelt one.
void check_members(const nlohmann::json& object, const std::string& context,
                   std::initializer_list<std::string_view> known) {
  if (!object.is_object()) throw std::runtime_error(context + ": not a JSON object");
  for (const auto& item : object.items()) {
    if (std::find(known.begin(), known.end(), item.key()) != known.end()) continue;
    throw std::runtime_error(context + ": there is no member \"" + item.key() + "\"");
  }
}

RouteOptions route_of(const nlohmann::json& json, const std::string& context) {
  check_members(json, context, {"direction", "queue", "group", "remote", "exchange", "window", "deduplicate"});
  const wire::JsonReader reader(json, context);
  constexpr std::array<std::string_view, 2> k_directions{"out", "in"};
  RouteOptions route;
  route.direction = reader.word<Direction>("direction", k_directions);
  route.queue = reader.text("queue");
  route.group = reader.text_or("group", route.group);
  route.remote = reader.text_or("remote", {});
  route.exchange = reader.text_or("exchange", {});
  route.window = reader.number_or("window", route.window);
  route.deduplicate = reader.flag("deduplicate", true);
  return route;
}

std::chrono::milliseconds time_or(const wire::JsonReader& reader, std::string_view name,
                                  std::chrono::milliseconds otherwise) {
  return std::chrono::milliseconds(reader.number_or(name, static_cast<std::uint32_t>(otherwise.count())));
}

void read_bridge(const nlohmann::json& json, const std::string& path, BridgeOptions& options) {
  check_members(json, path,
                {"name", "url", "credentials_file", "ca_file", "certificate_file", "key_file", "routes", "drain_ms",
                 "longest_pause_ms", "failed_pause_ms"});
  const wire::JsonReader reader(json, path);
  options.name = reader.text_or("name", options.name);
  if (reader.has("url")) read_url(reader.text("url"), options.server);
  options.server.ca_file = reader.text_or("ca_file", options.server.ca_file);
  options.server.certificate_file = reader.text_or("certificate_file", options.server.certificate_file);
  options.server.key_file = reader.text_or("key_file", options.server.key_file);
  if (reader.has("credentials_file")) read_credentials(reader.text("credentials_file"), options.server);
  options.drain = time_or(reader, "drain_ms", options.drain);
  options.pauses.longest = time_or(reader, "longest_pause_ms", options.pauses.longest);
  options.pauses.failed = time_or(reader, "failed_pause_ms", options.pauses.failed);
  if (!reader.has("routes")) return;
  const nlohmann::json& routes = reader.value("routes");
  if (!routes.is_array()) throw std::runtime_error(path + ": \"routes\" is a list");
  for (const nlohmann::json& route : routes) {
    options.routes.push_back(route_of(route, path + ", route " + std::to_string(options.routes.size() + 1)));
  }
}

}  // namespace

void read_bridge_file(const std::string& path, BridgeOptions& options) {
  try {
    read_bridge(nlohmann::json::parse(contents_of(path)), path, options);
  } catch (const nlohmann::json::parse_error& error) {
    throw std::runtime_error(path + ", byte " + std::to_string(error.byte) + ": no JSON");
  } catch (const Error& error) {
    throw std::runtime_error(error.what());
  }
}

void read_credentials(const std::string& file, ServerOptions& server) {
  if (!file.empty()) {
    struct stat status{};
    if (stat(file.c_str(), &status) != 0) throw std::runtime_error("cannot read the credentials file " + file);
    if ((status.st_mode & S_IROTH) != 0) {
      throw std::runtime_error("every user can read the credentials file " + file + ": chmod 600 " + file);
    }
    const std::string text = contents_of(file);
    const std::size_t end = text.find('\n');
    if (end == std::string::npos) {
      throw std::runtime_error("the credentials file " + file +
                               " has the user in its first line, the password in its second");
    }
    server.user = text.substr(0, end);
    server.password = text.substr(end + 1, text.find('\n', end + 1) - end - 1);
    return;
  }
  const char* const user = std::getenv("BELTWAY_BRIDGE_USER");
  const char* const password = std::getenv("BELTWAY_BRIDGE_PASSWORD");
  if (user != nullptr) server.user = user;
  if (password != nullptr) server.password = password;
}

}  // namespace beltway::bridge
