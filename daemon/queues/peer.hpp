// The process at the other end of a connection, as the kernel says, and what it may do with a queue.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "survival/records.hpp"

namespace beltway::daemon {

/// No group at all; the kernel gives this number to none.
inline constexpr std::uint32_t k_no_group = 0xffffffff;

struct Peer {
  int pid = 0;  ///< 0: of a pid namespace that the daemon does not see
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;                   ///< k_no_group: one that the daemon cannot tell from others
  std::vector<std::uint32_t> groups = {};  ///< supplementary
};

/// From SO_PEERCRED and SO_PEERGROUPS: the process that connected, as it was when it did. Rights go with the connection, as
/// with an open file: they stay when the process becomes another user or leaves a group later, and when it hands the
/// connection on. A new connection has the rights of that moment.
[[nodiscard]] Peer peer_of(int socket);

enum class Right : std::uint8_t {
  consume,  ///< r: consume, inspect, add groups
  produce,  ///< w
  see,      ///< r or w: open, describe, be listed
  own,      ///< the owner's and root's: remove, remove_group, purge, pause_group, resume_group, reset_group
};

/// What decides about the rights on a queue.
struct Ownership {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t mode = 0;
};

/// As for a file: the owner's bits for the owner, else the group's for its members, else the others'. Root may everything.
[[nodiscard]] bool allowed(const Peer& peer, const Ownership& queue, Right right) noexcept;
[[nodiscard]] inline bool allowed(const Peer& peer, const QueueRecord& queue, Right right) noexcept {
  return allowed(peer, Ownership{queue.owner_uid, queue.owner_gid, queue.options.mode}, right);
}

/// Throws Error(no_permission) naming `operation`, queue, owner, mode and the asking user.
void require(const Peer& peer, const QueueRecord& queue, Right right, const std::string& operation);

}  // namespace beltway::daemon
