// The state of a route: a machine without clock, thread or connection. README.md has its table.
// Thread safety: one thread at a time.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <random>
#include <string_view>

#include "bridge/bridge_limits.hpp"

namespace beltway::bridge {

enum class RouteState : std::uint8_t {
  starting,      ///< no connection yet
  running,       ///< messages pass
  blocked,       ///< the receiving side takes none for now: the server's alarm, or a full local queue
  reconnecting,  ///< the connection is lost; the next attempt comes soon
  failed,        ///< only a person can mend it: bad credentials, a missing queue; the next attempt comes late
  stopped,       ///< the bridge ends
};
inline constexpr std::array<std::string_view, 6> k_route_states{"starting",     "running", "blocked",
                                                                "reconnecting", "failed",  "stopped"};
[[nodiscard]] constexpr std::string_view name_of(RouteState state) noexcept {
  return k_route_states[static_cast<std::size_t>(state)];
}

enum class RouteEvent : std::uint8_t {
  opened,     ///< both ends are attached
  blocked,    ///< the receiving side takes no messages
  unblocked,  ///< it takes messages again
  lost,       ///< the connection ended, or an attempt failed for a reason that passes
  refused,    ///< an attempt failed, or the connection ended, for a reason that stays
  stop,       ///< the bridge ends
};

struct Pauses {
  std::chrono::milliseconds first = k_first_pause;
  std::chrono::milliseconds longest = k_longest_pause;
  std::chrono::milliseconds failed = k_failed_pause;
};

class RouteMachine {
 public:
  explicit RouteMachine(const Pauses& pauses = {}, std::uint32_t seed = 0) : pauses_(pauses), random_(seed) {}

  [[nodiscard]] RouteState state() const noexcept { return state_; }
  /// Takes an event. An event that makes no sense in the present state changes nothing. Returns true if the state is another one.
  bool take(RouteEvent event);
  /// A message went through to the end: the next loss begins with the shortest pause again.
  void progressed() noexcept { losses_ = 0; }
  /// The pause before the next attempt: of `reconnecting` doubled with each loss, of `failed` the long one; both with jitter. 0
  /// in other states.
  [[nodiscard]] std::chrono::milliseconds pause();

 private:
  Pauses pauses_;
  std::mt19937 random_;
  RouteState state_ = RouteState::starting;
  unsigned losses_ = 0;  // in a row, without progress
};

}  // namespace beltway::bridge
