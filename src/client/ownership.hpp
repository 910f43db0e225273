// The queues that belong to this process (QueueOptions::exclusive), and the locks that prove that it lives.
//
// The daemon sends the lock with its answer to `declare`: a description of the queue's control segment with byte k_queue_owner
// locked. It is mapped and closed, as for an endpoint. So the lock lives as long as the process: a program that closes
// descriptors keeps it, an exec ends it, a forked child has none.
//
// Ownership: mappings and sessions live until the queue is removed or the process ends, whatever becomes of Connections. An open
// session tells the daemon at once when the process ends.
// Thread safety: everything, from any thread.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "client/session.hpp"
#include "os/segment.hpp"
#include "wire/protocol.hpp"

namespace beltway::client {

/// Maps the lock of a queue as it arrives, inside a ForkSection: a forked child must not get it.
class ArrivingLock : public Arrivals {
 public:
  explicit ArrivingLock(const ring::Geometry& geometry) : geometry_(geometry) {}

  void arrived(std::span<int> descriptors, const os::ForkSection& section) noexcept override;
  void had_no_room() noexcept override {}  // the request ends with Error(limit_reached)

  [[nodiscard]] const ring::Geometry& geometry() const noexcept { return geometry_; }
  [[nodiscard]] bool has_come() const noexcept { return has_come_; }
  /// Throws Error(incompatible, limit_reached, system) if the descriptor is not the control segment or could not be mapped.
  [[nodiscard]] os::Mapping take(const std::string& context);

 private:
  const ring::Geometry geometry_;
  const os::MappingPlan plan_;
  bool has_come_ = false;
  os::SegmentFacts facts_;
  os::MappingFailure failure_;
  os::Mapping mapping_;
};

/// The process keeps the lock, and its session open. Throws what ArrivingLock::take() throws; then the daemon is told, and
/// removes the queue.
void keep_ownership(const std::shared_ptr<Session>& session, std::uint64_t queue, ArrivingLock& lock,
                    const std::string& context);

/// Unmaps the locks of queues that were removed, so that their memory is free. Asks the daemons, since a queue's memory is
/// not believed. Best effort.
void release_removed_ownerships() noexcept;

}  // namespace beltway::client
