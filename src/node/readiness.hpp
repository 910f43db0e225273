// The wait of an endpoint in the event loop: its descriptor, and the function of JavaScript that is called when it is readable.
//
// Thread safety: the thread of the environment alone.
#pragma once

#include <node_api.h>

#include <memory>

#include "node/environment.hpp"

namespace beltway::node {

/// It holds the function weakly, so that the garbage collector may take an endpoint that waits for nothing. While an endpoint
/// waits, it holds the function, and the event loop stays alive.
class Readiness {
 public:
  explicit Readiness(Environment& environment) noexcept : environment_(environment) {}
  Readiness(const Readiness&) = delete;
  Readiness& operator=(const Readiness&) = delete;
  ~Readiness();

  void set_callback(napi_value function);
  /// Calls the function whenever `endpoint` is readable, from now on. The first call puts the endpoint into event mode.
  template <class Endpoint>
  void begin(Endpoint& endpoint) {
    if (!poll_) poll_ = std::make_unique<LoopPoll>(environment_, endpoint.poll_fd(), [this] { ready(); });
    hold();
    poll_->await();
  }
  void end() noexcept;
  /// For good: the endpoint is about to go.
  void close() noexcept;

 private:
  void hold() noexcept;
  void ready() noexcept;

  Environment& environment_;
  std::unique_ptr<LoopPoll> poll_;
  napi_ref callback_ = nullptr;
  bool is_held_ = false;
};

}  // namespace beltway::node
