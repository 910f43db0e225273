// See ownership.hpp.
#include "client/ownership.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include "os/cancel_guard.hpp"
#include "wire/json_reader.hpp"

namespace beltway::client {

namespace {

using nlohmann::json;

/// The header and what follows it up to the notice.
std::uint64_t mapped_bytes(const ring::Geometry& geometry) noexcept {
  return geometry.status_offset() + ring::k_slots_offset;
}

struct OwnedQueue {
  std::shared_ptr<Session> session;
  wire::EndpointName name;
  ring::QueueMemory memory;  ///< no more of it than its notice
  os::Mapping lock;
};

/// Those of one process. A forked child makes its own: the mutex of its parent may have been locked.
struct OwnedQueues {
  detail::ForkGuard guard = {};
  OwnedQueues* of_parent = nullptr;  // never used, never freed
  std::mutex mutex = {};             // guards what follows
  std::vector<OwnedQueue> queues = {};
};

OwnedQueues& owned_queues() {
  static std::atomic<OwnedQueues*> current{nullptr};
  OwnedQueues* found = current.load(std::memory_order_acquire);  // partner: the exchange below
  while (found == nullptr || found->guard.in_child()) {
    auto fresh = std::make_unique<OwnedQueues>();
    fresh->of_parent = found;
    if (current.compare_exchange_strong(found, fresh.get(), std::memory_order_acq_rel)) found = fresh.release();
  }
  return *found;
}

bool says_removed(const ring::QueueMemory& memory) noexcept {
  return (ring::Notice::of(memory.shared_status().notice.load_relaxed()).flags & ring::k_notice_removed) != 0;
}

/// Whether the daemon does not know the queue any more.
bool is_gone(Session& session, const wire::EndpointName& name) {
  const Packet reply =
      session.request("ask for an exclusive queue", "resume", {{"endpoints", json::array({wire::encode(name)})}});
  return !wire::JsonReader(reply.body, "resume").array("gone").empty();
}

}  // namespace

void ArrivingLock::arrived(std::span<int> descriptors, const os::ForkSection& /*section*/) noexcept {
  if (descriptors.size() == 1 && !has_come_) {
    has_come_ = true;
    facts_ = os::inspect_segment(descriptors.front());
    if (facts_.sound(geometry_.control_bytes())) {
      mapping_ = os::Mapping(descriptors.front(), {0, mapped_bytes(geometry_)}, os::Access::read_only, plan_, failure_);
    }
  }
  // From here on the lock goes with the mapping.
  for (int& descriptor : descriptors) os::Fd(std::exchange(descriptor, -1)).reset();
}

os::Mapping ArrivingLock::take(const std::string& context) {
  facts_.check(geometry_.control_bytes(), context);
  if (failure_) failure_.raise(context, mapped_bytes(geometry_));
  return std::move(mapping_);
}

void keep_ownership(const std::shared_ptr<Session>& session, std::uint64_t queue, ArrivingLock& lock,
                    const std::string& context) {
  const wire::EndpointName name{queue, wire::k_queue_owner, 0};
  try {
    os::Mapping mapping = lock.take(context);
    const ring::QueueMemory memory{.geometry = lock.geometry(), .control = mapping.data()};
    OwnedQueues& owned = owned_queues();
    const std::lock_guard guard(owned.mutex);
    owned.queues.reserve(owned.queues.size() + 1);
    session->remember_ownership(name);
    owned.queues.push_back({session, name, memory, std::move(mapping)});
  } catch (...) {
    session->tell_detached(name);
    throw;
  }
}

void release_removed_ownerships() noexcept {
  const os::CancelGuard no_cancellation;
  try {
    OwnedQueues& owned = owned_queues();
    std::vector<std::pair<std::shared_ptr<Session>, wire::EndpointName>> removed;
    {
      const std::lock_guard guard(owned.mutex);
      for (const OwnedQueue& each : owned.queues) {
        if (says_removed(each.memory)) removed.emplace_back(each.session, each.name);
      }
    }
    for (const auto& [session, name] : removed) {
      if (!is_gone(*session, name)) continue;
      session->forget(name);
      session->tell_detached(name);  // the daemon's session forgets it, too
      const std::lock_guard guard(owned.mutex);
      std::erase_if(owned.queues, [&gone = name](const OwnedQueue& each) { return each.name == gone; });
    }
  } catch (...) {  // no daemon, no memory: at the next occasion
  }
}

}  // namespace beltway::client
