// The daemon's door: a listening SOCK_SEQPACKET socket, and the lock file beside it that says whether a daemon is alive.
//
// The lock (flock on `<socket>.lock`) decides, not the socket: a socket without its lock is stale and is replaced, a
// lock that is held is a live daemon, whatever has become of its socket. The lock file stays when the daemon ends; removing
// it would let two daemons hold locks on two files of one name.
// Both live in the store: while the daemon is being started again nobody is refused (who connects waits in the socket's queue)
// and no other daemon can take the place. A socket that systemd made (socket activation) is used as it is, and is
// not removed.
// Ownership: the socket, removed from its directory at the end, and the lock. Thread safety: one thread.
#pragma once

#include <filesystem>

#include "fd.hpp"
#include "store.hpp"

namespace beltway::daemon {

/// Errc::already_exists: another daemon is alive at this socket.
class Listener {
 public:
  /// Makes the directory if it is missing: 0755 below /run, else 0700. Everybody may connect who can reach the
  /// socket: rights are the queues'. Throws Error(already_exists, no_permission, invalid_option, system).
  Listener(std::filesystem::path socket, Store& store);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  [[nodiscard]] int descriptor() const noexcept { return socket_.get(); }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  /// Leaves the socket where it is at the end: the next daemon takes it over.
  void leave() noexcept { leave_ = true; }

  /// A new connection, close-on-exec and non-blocking; nothing if there is none now. When no descriptor is left the
  /// caller at the door is told so and turned away, so that the daemon does not spin on it. `turned_away` says so.
  [[nodiscard]] Fd accept(bool& turned_away);

 private:
  void take_over(Store& store);
  void turn_away();

  std::filesystem::path path_;
  Fd lock_;
  Fd socket_;
  bool leave_ = false;
  Fd spare_;  ///< given up for a moment to accept one who must be turned away
};

}  // namespace beltway::daemon
