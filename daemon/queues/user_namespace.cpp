#include "queues/user_namespace.hpp"

#include <algorithm>
#include <fstream>
#include <string>

#include "beltway/error.hpp"

namespace beltway::daemon {
namespace {

namespace fs = std::filesystem;

/// The kernel's default for the number of an unmapped user or group.
constexpr std::uint32_t k_usual_overflow_id = 65534;
/// All numbers but the last, which means "none" to the kernel.
constexpr std::uint64_t k_all_ids = 4294967295;

std::uint32_t read_overflow_id(const fs::path& file) {
  std::uint32_t id = k_usual_overflow_id;
  if (std::uint32_t read = 0; std::ifstream(file) >> read) id = read;
  return id;
}

/// True if the namespace maps all ids. `file` has lines of "first inside, first outside, count", which never overlap. A namespace
/// can only map ids that its parent maps. So a namespace that maps all ids can tell all users apart.
bool maps_all(const fs::path& file) {
  std::ifstream map(file);
  std::uint64_t mapped = 0;
  for (std::uint64_t inside = 0, outside = 0, count = 0; map >> inside >> outside >> count;) mapped += count;
  return mapped >= k_all_ids;
}

}  // namespace

UserNamespace UserNamespace::of_this_process(const fs::path& proc) {
  UserNamespace own;
  own.maps_all_users_ = maps_all(proc / "self" / "uid_map");
  own.maps_all_groups_ = maps_all(proc / "self" / "gid_map");
  own.overflow_uid_ = read_overflow_id(proc / "sys" / "kernel" / "overflowuid");
  own.overflow_gid_ = read_overflow_id(proc / "sys" / "kernel" / "overflowgid");
  return own;
}

void UserNamespace::check(Peer& peer) const {
  if (!maps_all_users_ && peer.uid == overflow_uid_) {
    const std::string number = std::to_string(overflow_uid_);
    throw Error(
        Errc::no_permission,
        "connect: the daemon runs in a user namespace (a rootless container) in which your user is not mapped: it "
        "sees you as user " +
            number +
            ", like every user that is not mapped there, and cannot tell you apart; map your user in that "
            "namespace, or use a daemon that runs outside of it");
  }
  if (maps_all_groups_) return;
  if (peer.gid == overflow_gid_) peer.gid = k_no_group;
  std::erase(peer.groups, overflow_gid_);
}

}  // namespace beltway::daemon
