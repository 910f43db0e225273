#include "watch/bridges.hpp"

#include <fcntl.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <optional>
#include <system_error>

#include "client/socket_path.hpp"
#include "os/fd.hpp"
#include "wire/json_reader.hpp"

namespace beltway::watch {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view k_status_prefix = "bridge.";
constexpr std::string_view k_status_suffix = ".json";
constexpr std::string_view k_verdict_prefix = "bridge_";
/// Routes that a status has at most; more are not read.
constexpr std::size_t k_max_shown_routes = 64;

RouteView read_route(const Json& json) {
  // JsonReader takes the other kind of JSON object.
  const nlohmann::json plain = json;
  const wire::JsonReader reader(plain, "a route of a bridge");
  RouteView route{
      .direction = reader.text("direction"), .queue = reader.text("queue"), .remote = reader.text("remote")};
  route.group = reader.text_or("group", {});
  route.exchange = reader.text_or("exchange", {});
  route.window = reader.number_or<std::uint32_t>("window", 0);
  route.state = reader.text("state");
  route.since_ms = static_cast<std::int64_t>(reader.number_or<std::uint64_t>("since_ms", 0));
  route.remaining = reader.number<std::uint64_t>("remaining");
  route.in_flight = reader.number<std::uint64_t>("in_flight");
  route.forwarded = reader.number<std::uint64_t>("forwarded");
  route.confirmed = reader.number<std::uint64_t>("confirmed");
  route.duplicates = reader.number<std::uint64_t>("duplicates");
  route.loops = reader.number<std::uint64_t>("loops");
  route.refused = reader.number<std::uint64_t>("refused");
  route.attempts = reader.number<std::uint64_t>("attempts");
  route.last_error = reader.text_or("last_error", {});
  route.last_error_ms = static_cast<std::int64_t>(reader.number_or<std::uint64_t>("last_error_ms", 0));
  return route;
}

/// True if a process holds the lock of the file.
bool is_locked(const fs::path& path) {
  const os::Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return false;
  struct flock lock{};
  lock.l_type = F_RDLCK;
  lock.l_whence = SEEK_SET;
  return fcntl(file.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

std::optional<BridgeView> read_status(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(k_max_status_bytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.empty() || text.size() > k_max_status_bytes) return std::nullopt;
  try {
    BridgeView bridge = read_bridge(Json::parse(text));
    bridge.lives = is_locked(path.parent_path() / bridge_lock_name(bridge.name));
    return bridge;
  } catch (const std::exception&) {
    return std::nullopt;  // no bridge's file
  }
}

bool is_status_name(const std::string& name) {
  return name.starts_with(k_status_prefix) && name.ends_with(k_status_suffix);
}

std::string route_text(const RouteView& route) {
  const std::string there = route.exchange.empty() ? route.remote : route.exchange + "//" + route.remote;
  return route.direction == "out" ? route.queue + " to " + there : there + " to " + route.queue;
}

std::optional<Verdict> verdict_of(const BridgeView& bridge, const RouteView& route) {
  Verdict verdict{.kind = "bridge_" + route.state, .queue = route.queue};
  verdict.subject = "bridge " + bridge.name + ", " + route_text(route);
  verdict.pid = bridge.pid;
  verdict.group = route.group;
  verdict.evidence = std::to_string(route.remaining) + " messages wait, " + std::to_string(route.in_flight) +
                     " are on their way; the server is " + bridge.server;
  if (route.state == "failed") {
    verdict.severity = Severity::trouble;
    verdict.cause = "the route has failed: " + route.last_error;
    verdict.forecast = "the bridge tries again now and then; it cannot mend this by itself";
  } else if (route.state == "reconnecting") {
    verdict.severity = Severity::warning;
    verdict.cause = "the connection is lost: " + route.last_error;
    verdict.forecast = "the bridge tries again by itself; meanwhile messages wait at their source";
  } else if (route.state == "blocked") {
    verdict.severity = Severity::warning;
    verdict.cause = "the receiving side takes no messages: " + route.last_error;
    verdict.forecast = "it goes on by itself once there is room";
  } else {
    return std::nullopt;
  }
  return verdict;
}

}  // namespace

std::string bridge_status_name(const std::string& bridge) {
  return std::string(k_status_prefix) + bridge + std::string(k_status_suffix);
}
std::string bridge_lock_name(const std::string& bridge) { return std::string(k_status_prefix) + bridge + ".lock"; }

std::vector<fs::path> bridge_directories(const std::string& daemon_socket) {
  std::vector<fs::path> directories;
  const auto add = [&directories](const fs::path& directory) {
    if (std::ranges::find(directories, directory) == directories.end()) directories.push_back(directory);
  };
  if (!daemon_socket.empty()) add(fs::path(daemon_socket).parent_path());
  for (const fs::path& socket : client::user_socket_paths()) add(socket.parent_path());
  return directories;
}

std::vector<BridgeView> read_bridges(const std::vector<fs::path>& directories) {
  std::vector<BridgeView> bridges;
  for (const fs::path& directory : directories) {
    std::error_code ignored;
    for (fs::directory_iterator entry(directory, ignored), end; entry != end; entry.increment(ignored)) {
      if (ignored || bridges.size() >= k_max_bridges) break;
      if (!is_status_name(entry->path().filename())) continue;
      if (auto bridge = read_status(entry->path())) bridges.push_back(std::move(*bridge));
    }
  }
  std::ranges::sort(bridges, {}, &BridgeView::name);
  return bridges;
}

std::vector<BridgeView> bridges_of(const std::string& daemon_socket) {
  std::vector<BridgeView> bridges = read_bridges(bridge_directories(daemon_socket));
  std::erase_if(bridges, [&](const BridgeView& each) { return each.socket != daemon_socket; });
  return bridges;
}

std::vector<Verdict> bridge_verdicts(const std::vector<BridgeView>& bridges) {
  std::vector<Verdict> verdicts;
  for (const BridgeView& bridge : bridges) {
    if (!bridge.lives) {
      Verdict verdict{.kind = "bridge_ended", .severity = Severity::warning, .subject = "bridge " + bridge.name};
      verdict.cause = "its process " + std::to_string(bridge.pid) + " has ended without being told to";
      verdict.evidence = std::to_string(bridge.routes.size()) + " routes to " + bridge.server + " stand still";
      verdict.forecast = "no message is lost; start the bridge again";
      verdicts.push_back(std::move(verdict));
      continue;
    }
    for (const RouteView& route : bridge.routes) {
      if (auto verdict = verdict_of(bridge, route)) verdicts.push_back(std::move(*verdict));
    }
  }
  return verdicts;
}

Json route_json(const RouteView& route) {
  return {{"direction", route.direction},   {"queue", route.queue},           {"group", route.group},
          {"remote", route.remote},         {"exchange", route.exchange},     {"window", route.window},
          {"state", route.state},           {"since_ms", route.since_ms},     {"remaining", route.remaining},
          {"in_flight", route.in_flight},   {"forwarded", route.forwarded},   {"confirmed", route.confirmed},
          {"duplicates", route.duplicates}, {"loops", route.loops},           {"refused", route.refused},
          {"attempts", route.attempts},     {"last_error", route.last_error}, {"last_error_ms", route.last_error_ms}};
}

void tell_bridges(Fleet& fleet) {
  for (QueueView& queue : fleet.queues) {
    std::erase_if(queue.verdicts, [](const Verdict& each) { return each.kind.starts_with(k_verdict_prefix); });
    queue.routes.clear();
  }
  const auto find_queue = [&fleet](const std::string& name) {
    return std::ranges::find_if(
        fleet.queues, [&](const QueueView& each) { return each.readable && !name.empty() && each.info.name == name; });
  };
  for (const BridgeView& bridge : fleet.bridges) {
    for (const RouteView& route : bridge.routes) {
      const auto queue = find_queue(route.queue);
      if (queue == fleet.queues.end()) continue;
      queue->routes.push_back(route);
      if (!bridge.lives) queue->routes.back().state = "ended";
    }
  }
  for (Verdict& verdict : bridge_verdicts(fleet.bridges)) {
    const auto queue = find_queue(verdict.queue);
    std::vector<Verdict>& told = queue == fleet.queues.end() ? fleet.verdicts : queue->verdicts;
    told.push_back(std::move(verdict));
    std::ranges::stable_sort(told, std::greater(), &Verdict::severity);
  }
}

Json to_json(const BridgeView& bridge) {
  Json routes = Json::array();
  for (const RouteView& route : bridge.routes) routes.push_back(route_json(route));
  return {{"bridge", bridge.name},   {"pid", bridge.pid},       {"lives", bridge.lives},
          {"server", bridge.server}, {"socket", bridge.socket}, {"routes", std::move(routes)}};
}

BridgeView read_bridge(const Json& json) {
  const nlohmann::json plain = json;
  const wire::JsonReader reader(plain, "a bridge");
  BridgeView bridge;
  bridge.name = reader.text("bridge");
  bridge.pid = static_cast<int>(reader.number<std::uint32_t>("pid") & 0x7fffffffU);
  bridge.server = reader.text("server");
  bridge.socket = reader.text("socket");
  for (const auto& route : json.at("routes")) {
    if (bridge.routes.size() < k_max_shown_routes) bridge.routes.push_back(read_route(route));
  }
  return bridge;
}

}  // namespace beltway::watch
