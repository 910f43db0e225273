// One route: its thread's loop over starts, losses and pauses. What passes messages is an OutEnds or an InEnds.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <vector>

#include "beltway/options.hpp"
#include "bridge/remote.hpp"
#include "bridge/route_state.hpp"
#include "bridge/route_status.hpp"
#include "os/fd.hpp"

namespace beltway::bridge {

/// Asks all routes to end. Thread safety: any thread.
class StopSignal {
 public:
  StopSignal();
  void request() noexcept;
  [[nodiscard]] bool requested() const noexcept { return requested_.load(std::memory_order_acquire); }
  /// Readable once a stop was requested.
  [[nodiscard]] int descriptor() const noexcept { return event_.get(); }

 private:
  os::Fd event_;
  std::atomic<bool> requested_{false};
};

/// What the ends of a route need of it: its options, its state, the stop.
struct RouteContext {
  const RouteOptions& route;
  const ConnectionOptions& local;
  RemoteEngine& engine;
  RouteMachine& machine;
  RouteStatus& status;
  const StopSignal& stop;

  void take(RouteEvent event) const {
    if (machine.take(event)) status.set_state(machine.state());
  }
  /// Messages went through to the end.
  void progressed(std::uint64_t messages) const {
    machine.progressed();
    status.count_confirmed(messages);
  }
  /// Waits until one of the descriptors is readable, the time is over, or a stop is requested. A descriptor below 0 is left out.
  void wait(std::initializer_list<int> descriptors, std::chrono::milliseconds time) const;
  /// The pause after a failed attempt; a stop ends it.
  void pause(std::chrono::milliseconds time) const { wait({}, time); }
};

class RouteEnds {
 public:
  RouteEnds() = default;
  RouteEnds(const RouteEnds&) = delete;
  RouteEnds& operator=(const RouteEnds&) = delete;
  virtual ~RouteEnds() = default;
  /// Attaches what is not attached. Throws RouteError and Error.
  virtual void open() = 0;
  /// Passes messages until a stop is requested. Throws RouteError and Error.
  virtual void pass() = 0;
  /// Drops the connection after an error.
  virtual void drop() noexcept = 0;
  /// Ends what is on its way, until `end` at the latest; the rest goes back to its source.
  virtual void drain(std::chrono::steady_clock::time_point end) = 0;
};

[[nodiscard]] std::unique_ptr<RouteEnds> make_out_ends(const RouteContext& context);
[[nodiscard]] std::unique_ptr<RouteEnds> make_in_ends(const RouteContext& context);

/// Runs the route until a stop is requested. Throws nothing: what goes wrong is in the status.
void run_route(const RouteContext& context, std::chrono::milliseconds drain) noexcept;

}  // namespace beltway::bridge
