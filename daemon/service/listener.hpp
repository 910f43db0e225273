// The daemon's listening sockets (listen_socket.hpp): the one it was started for, and those where other environments of the
// same user try to find it.
//
// A user's daemon listens in both standard places of that user, so that a login, cron, su and a service meet. A daemon of a
// special $XDG_RUNTIME_DIR also listens in /tmp/beltway-UID, if no other daemon does. See socket_path.hpp.
// All listen sockets live in the store: while the daemon is being started again no client is refused (it waits in the
// socket's queue) and no other daemon can take the place. A socket that systemd made (socket activation) is used as it is.
// Ownership: the listen sockets. Thread safety: one thread.
#pragma once

#include <filesystem>
#include <vector>

#include "os/fd.hpp"
#include "service/listen_socket.hpp"
#include "survival/descriptor_store.hpp"

namespace beltway::daemon {

/// Errc::already_exists: another daemon is alive at this socket.
class Listener {
 public:
  /// Listens. Throws as ListenSocket::mend() does for the first listen socket of a new daemon; a daemon that takes over queues
  /// starts with a listen socket that it cannot open yet. Throws Error(already_exists) if another daemon serves this user's
  /// standard places.
  Listener(std::filesystem::path socket, DescriptorStore& store);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  [[nodiscard]] std::vector<ListenSocket>& listen_sockets() noexcept { return listen_sockets_; }
  /// The first listen socket's.
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return listen_sockets_.front().path(); }

  /// Leaves the sockets where they are at the end: the next daemon takes them over.
  void leave() noexcept;

  /// A new connection, close-on-exec and non-blocking; nothing if there is none now. If no descriptor is left, the client gets an
  /// error and its connection ends, so that the daemon does not spin on it. Then `turned_away` is true.
  [[nodiscard]] os::Fd accept(const ListenSocket& listen_socket, bool& turned_away);

 private:
  [[nodiscard]] bool use_given(DescriptorStore& store);
  void open_standard(DescriptorStore& store);
  void turn_away(const ListenSocket& listen_socket);

  std::vector<ListenSocket> listen_sockets_;  ///< the first one is the one it was started for
  os::Fd spare_;                              ///< given up for a moment to accept a connection that must be refused
};

}  // namespace beltway::daemon
