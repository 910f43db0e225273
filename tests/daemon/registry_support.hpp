// A registry without sockets, of which nothing is kept, and those who ask it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "queues/registry.hpp"

namespace beltway::daemon {

inline const Peer k_alice{.pid = 101, .uid = 1001, .gid = 2001};
inline const Peer k_bob{.pid = 102, .uid = 1002, .gid = 2002};
inline const Peer k_root{.pid = 100, .uid = 0, .gid = 0};
inline constexpr std::uint64_t k_session = 7;

inline const QueueOptions k_small{.slots = 4, .lane_bytes = 0, .max_producers = 2, .max_consumers = 2, .max_groups = 2};

inline Error error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  return {Errc{}, "nothing was thrown"};
}

/// An attached endpoint whose process the test plays: the lock lives as long as `handout.owned`.
inline AttachGrant attach(Queue& queue, wire::Role role, const std::string& group = "",
                          std::uint64_t session = k_session) {
  return queue.attach(k_alice, session, {.role = role, .barriers = true, .consumer = {.group = group}});
}

/// A registry of which nothing is kept.
struct EmptySavedQueues {
  DescriptorStore store;
  SavedQueues saved_queues{store};
};
struct TestRegistry : private EmptySavedQueues, public Registry {
  explicit TestRegistry(const Quotas& quotas) : Registry(quotas, saved_queues) {}
};

}  // namespace beltway::daemon
