// What an endpoint in event mode listens with: a private epoll descriptor that watches, edge-triggered, the bell that the
// endpoint shares with others, an eventfd of its own, and a timer if the endpoint waits for times.
//
// A peer that drains or fills the shared bell or changes its flags cannot make us block or read: a write is an edge, and
// taking the edge is epoll_wait with no timeout. The epoll descriptor is also what poll_fd() gives to the user.
//
// Tests that schedule the protocol have an implementation of their own. Ownership: its descriptors.
// Thread safety: belongs to its endpoint's thread; ring() from any thread and from signal handlers.
#pragma once

#include <cstdint>
#include <string>

namespace beltway::os {

class EventSet {
 public:
  enum class Timer : std::uint8_t { none, one };
  /// Listens to `bell`. Throws Error(limit_reached, system) that names the call.
  EventSet(int bell, Timer timer, const std::string& context);
  ~EventSet();
  EventSet(const EventSet&) = delete;
  EventSet& operator=(const EventSet&) = delete;

  [[nodiscard]] int descriptor() const noexcept { return epoll_; }

  struct Edges {
    bool bell = false;     ///< the shared bell has rung
    bool self = false;     ///< ring() was called
    bool timer = false;    ///< the time of set_timer() has come
    bool refused = false;  ///< the kernel does not tell: epoll is refused, or the descriptor is closed
  };
  /// What has happened since the last call. The descriptor is not readable afterwards, unless refused.
  Edges take() const noexcept;

  /// Listens to another bell in place of the first. Throws Error(system): then it listens to the first.
  void listen_to(int bell, const std::string& context);

  /// Makes the descriptor readable.
  void ring() const noexcept;

  /// Makes the descriptor readable when CLOCK_MONOTONIC says `ns`, in the place of an earlier time; 0: never. No effect without a
  /// timer.
  void set_timer(std::uint64_t ns) noexcept;

 private:
  int bell_ = -1;
  int epoll_ = -1;
  int self_ = -1;
  int timer_ = -1;
  bool timer_runs_ = false;
};

}  // namespace beltway::os
