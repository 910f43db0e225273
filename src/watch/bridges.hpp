// The bridges of this machine, as their status files tell: src/bridge/README.md.
//
// A bridge keeps two files beside its daemon's socket, or in its user's runtime directory: "bridge.NAME.json" is its status, and
// the lock of "bridge.NAME.lock" says that it lives. The files are input: their size is bounded and each member is checked.
// Thread safety: values, and functions of their arguments and of the file system.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "watch/json.hpp"
#include "watch/model.hpp"

namespace beltway::watch {

/// Bytes of a status file that are read, and files of a directory that are: what is more is no bridge's.
inline constexpr std::size_t k_max_status_bytes = 256 * 1024;
inline constexpr std::size_t k_max_bridges = 64;

[[nodiscard]] std::string bridge_status_name(const std::string& bridge);
[[nodiscard]] std::string bridge_lock_name(const std::string& bridge);

/// Where bridges keep their status: beside the daemon's socket, and this user's directories. Without duplicates.
[[nodiscard]] std::vector<std::filesystem::path> bridge_directories(const std::string& daemon_socket);

/// All that have a status there, by name. `lives` of those whose process has ended is false.
[[nodiscard]] std::vector<BridgeView> read_bridges(const std::vector<std::filesystem::path>& directories);

/// Of these, the ones of the daemon with that socket.
[[nodiscard]] std::vector<BridgeView> bridges_of(const std::string& daemon_socket);

/// Bridges that have ended without saying so, and routes that do not run.
[[nodiscard]] std::vector<Verdict> bridge_verdicts(const std::vector<BridgeView>& bridges);

/// Gives each queue the routes of the fleet's bridges that concern it, and the verdicts on them. Verdicts on other queues, or on
/// queues that cannot be read, go to the fleet's own.
void tell_bridges(Fleet& fleet);

/// The JSON of a status file, which is also that of `beltway bridge --status`.
[[nodiscard]] Json to_json(const BridgeView& bridge);
[[nodiscard]] Json route_json(const RouteView& route);
/// Throws Error(protocol) naming the member at fault.
[[nodiscard]] BridgeView read_bridge(const Json& json);

}  // namespace beltway::watch
