#include "service/socket_watch.hpp"

#include <sys/inotify.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "client/socket_path.hpp"

namespace beltway::daemon {
namespace {

namespace fs = std::filesystem;

constexpr unsigned k_file_events = IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF | IN_DONT_FOLLOW;
// A directory's own fate: what happens to the files in it is theirs to tell.
constexpr unsigned k_directory_events = IN_MOVE_SELF | IN_DELETE_SELF | IN_ONLYDIR;
static_assert((k_directory_events & IN_MOVE_SELF) != 0, "a directory above that is moved takes the socket with it");

/// File systems whose changes may come from elsewhere, unseen by this kernel: NFS, SMB, CIFS, 9P, FUSE, AFS, Ceph.
constexpr std::array<std::uint32_t, 8> k_shared_with_others{0x6969,     0x517b,     0xfe534d42, 0xff534d42,
                                                            0x01021997, 0x65735546, 0x5346414f, 0x00c36400};

bool is_shared_with_others(const fs::path& directory) noexcept {
  struct statfs status{};
  if (::statfs(directory.c_str(), &status) != 0) return false;
  const auto type = static_cast<std::uint32_t>(status.f_type);
  return std::ranges::find(k_shared_with_others, type) != k_shared_with_others.end();
}

std::string failure(const std::string& context) {
  const int error = errno;
  const bool no_instance = error == EMFILE;
  const bool no_watch = error == ENOSPC;
  return context + ": " + std::generic_category().message(error) +
         (no_instance ? "; raise fs.inotify.max_user_instances"
          : no_watch  ? "; raise fs.inotify.max_user_watches"
                      : "");
}

}  // namespace

std::string SocketWatch::watch(const std::vector<fs::path>& sockets) {
  if (!inotify_) inotify_.reset(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!inotify_) return failure("inotify");
  for (const int watch : std::exchange(watches_, {})) ::inotify_rm_watch(inotify_.get(), watch);
  std::string trouble;
  const auto note = [&trouble](const std::string& reason) {
    if (trouble.empty()) trouble = reason;
  };
  for (const fs::path& socket : sockets) {
    note(add(socket, k_file_events));
    note(add(client::lock_path_of(socket), k_file_events | IN_CLOSE_WRITE));  // the end of its holder closes it
    fs::path directory = fs::absolute(socket).parent_path();
    if (is_shared_with_others(directory)) note(directory.string() + " is on a file system of several machines");
    for (; directory.has_relative_path(); directory = directory.parent_path()) {
      // One that may not be read is not ours to lose.
      static_cast<void>(add(directory, k_directory_events));
    }
  }
  return trouble;
}

std::string SocketWatch::add(const fs::path& path, unsigned events) {
  const int watch = ::inotify_add_watch(inotify_.get(), path.c_str(), events);
  if (watch >= 0) {
    watches_.push_back(watch);
    return {};
  }
  // A missing file is not watched: the caller polls until the file is there.
  return errno == ENOENT || errno == ENOTDIR ? std::string() : failure("inotify: watch " + path.string());
}

bool SocketWatch::take_events() noexcept {
  alignas(inotify_event) std::array<char, 4096> events{};
  bool happened = false;
  for (;;) {
    const ssize_t size = ::read(inotify_.get(), events.data(), events.size());
    if (size <= 0) return happened;
    for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
      inotify_event event{};
      std::memcpy(&event, events.data() + at, sizeof event);
      if ((event.mask & IN_IGNORED) == 0) happened = true;
      at += sizeof event + event.len;
    }
  }
}

}  // namespace beltway::daemon
