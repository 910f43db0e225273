// What an endpoint in event mode listens with: a private epoll descriptor that watches, edge-triggered, the bell that the
// endpoint shares with others and an eventfd of its own.
//
// A peer that drains or fills the shared bell or changes its flags cannot make us block or read: a write is an edge, and
// taking the edge is epoll_wait with no timeout. The epoll descriptor is also what poll_fd() gives to the user.
//
// Tests that schedule the protocol have an implementation of their own. Ownership: both descriptors.
// Thread safety: belongs to its endpoint's thread; ring() from any thread and from signal handlers.
#pragma once

#include <string>

namespace beltway::os {

class EventSet {
 public:
  /// Listens to `bell`. Throws Error(limit_reached, system) that names the call.
  EventSet(int bell, const std::string& context);
  ~EventSet();
  EventSet(const EventSet&) = delete;
  EventSet& operator=(const EventSet&) = delete;

  [[nodiscard]] int descriptor() const noexcept { return epoll_; }

  struct Edges {
    bool bell = false;     ///< the shared bell has rung
    bool self = false;     ///< ring() was called
    bool refused = false;  ///< the kernel does not tell: epoll is refused, or the descriptor is closed
  };
  /// What has happened since the last call. The descriptor is not readable afterwards, unless refused.
  Edges take() const noexcept;

  /// Makes the descriptor readable.
  void ring() const noexcept;

 private:
  int epoll_ = -1;
  int self_ = -1;
};

}  // namespace beltway::os
