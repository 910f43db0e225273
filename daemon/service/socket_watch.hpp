// Wakes the daemon when a process touches its listen sockets: inotify on each socket, each lock file, and the directories
// above.
//
// A removed or replaced file loses a link (IN_ATTRIB), a moved file or directory says so itself (IN_MOVE_SELF). Directories are
// watched for their own fate only, so that a busy /tmp does not wake the daemon. Some file systems tell nothing of what other
// machines do, and a user has a limited number of inotify instances: then watch() says why, and the caller polls.
// Ownership: the inotify descriptor. Thread safety: one thread.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "os/fd.hpp"

namespace beltway::daemon {

class SocketWatch {
 public:
  /// No descriptor if there is no inotify instance left: watch() tries again.
  SocketWatch() = default;

  /// Watches these sockets and their surroundings as they are now, and nothing else. Empty: all is watched; else why not.
  [[nodiscard]] std::string watch(const std::vector<std::filesystem::path>& sockets);
  /// True if something happened since, apart from what watch() did itself.
  [[nodiscard]] bool take_events() noexcept;

  /// -1: none. Stays the same once it is there.
  [[nodiscard]] int descriptor() const noexcept { return inotify_.get(); }

 private:
  [[nodiscard]] std::string add(const std::filesystem::path& path, unsigned events);

  os::Fd inotify_;
  std::vector<int> watches_;
};

}  // namespace beltway::daemon
