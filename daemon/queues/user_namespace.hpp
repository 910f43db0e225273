// Which users and groups the daemon can tell apart.
//
// In a user namespace (a rootless container) the kernel shows every user that is not mapped there as one number, the overflow
// uid: /proc/sys/kernel/overflowuid, 65534 unless it was changed. Two such users must not be taken for one. Outside of
// a namespace, and in one that maps all users, that number is an ordinary user ("nobody").
// Groups likewise: an unmapped group gives no right.
//
// Thread safety: immutable.
#pragma once

#include <cstdint>
#include <filesystem>

#include "queues/peer.hpp"

namespace beltway::daemon {

class UserNamespace {
 public:
  /// Every number is one user and one group.
  UserNamespace() = default;
  /// This process's, as `proc` tells it. What cannot be read is taken not to be mapped.
  [[nodiscard]] static UserNamespace of_this_process(const std::filesystem::path& proc = "/proc");

  [[nodiscard]] bool maps_all_users() const noexcept { return maps_all_users_; }

  /// Throws Error(no_permission), which names the remedy, if the peer's user may be any of several. Takes groups
  /// that may be any of several out of `peer`.
  void check(Peer& peer) const;

 private:
  bool maps_all_users_ = true;
  bool maps_all_groups_ = true;
  std::uint32_t overflow_uid_ = 0;
  std::uint32_t overflow_gid_ = 0;
};

}  // namespace beltway::daemon
