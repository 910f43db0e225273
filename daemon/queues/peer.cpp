#include "queues/peer.hpp"

#include <sys/socket.h>

#include <algorithm>

#include "os/fd.hpp"
#include "wire/option_values.hpp"
#include "wire/validate.hpp"

#ifndef SO_PEERGROUPS  // Linux 4.13
#define SO_PEERGROUPS 59
#endif

namespace beltway::daemon {

Peer peer_of(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    throw os::system_failure("read the identity of the process that connected");
  }
  Peer peer{.pid = credentials.pid, .uid = credentials.uid, .gid = credentials.gid};
  std::vector<gid_t> groups(32);
  for (;;) {
    size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    const int result = ::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size);
    if (result != 0 && errno != ERANGE) return peer;  // without them only rights that come by group are missing
    groups.resize(size / sizeof(gid_t));
    if (result == 0) break;
  }
  peer.groups.assign(groups.begin(), groups.end());
  return peer;
}

bool allowed(const Peer& peer, const Ownership& queue, Right right) noexcept {
  if (peer.uid == 0 || (right == Right::own && peer.uid == queue.uid)) return true;
  const bool member =
      queue.gid != k_no_group &&
      (peer.gid == queue.gid || std::find(peer.groups.begin(), peer.groups.end(), queue.gid) != peer.groups.end());
  const unsigned shift = peer.uid == queue.uid ? 6 : member ? 3 : 0;
  const std::uint32_t bits = queue.mode >> shift;
  switch (right) {
    case Right::consume: return (bits & 4) != 0;
    case Right::produce: return (bits & 2) != 0;
    case Right::see: return (bits & 6) != 0;
    case Right::own: return false;
  }
  return false;
}

void require(const Peer& peer, const QueueRecord& queue, Right right, const std::string& operation) {
  if (allowed(peer, queue, right)) return;
  const char* const needs = right == Right::consume   ? "the right to read"
                            : right == Right::produce ? "the right to write"
                            : right == Right::see     ? "the right to read or write"
                                                      : "to be its owner or root";
  throw Error(Errc::no_permission, wire::error_subject(operation, queue.name) + ": needs " + needs + "; user " +
                                       std::to_string(peer.uid) + " asked, the owner is user " +
                                       std::to_string(queue.owner_uid) + ", the mode " +
                                       wire::octal(queue.options.mode));
}

}  // namespace beltway::daemon
