// One place where the daemon listens: a directory, a lock file in it, and a SOCK_SEQPACKET socket beside the lock.
//
// The lock (flock on `<socket>.lock`) says that a daemon lives here. It counts only while the locked file is the one that the
// path names: a lock on a removed file keeps no daemon out. The lock file stays when the daemon ends; removing it would let two
// daemons hold locks on two files of one name.
// A program may remove, move or replace any of the three under a living daemon: a cleaner of /tmp, the end of a login. mend()
// makes anew what is missing. It never removes a socket at which another process listens, and never a file that is no socket.
// Ownership: the lock, and the socket, which is removed from its directory at the end unless leave() was called.
// Thread safety: one thread.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>

#include "os/fd.hpp"
#include "survival/descriptor_store.hpp"

namespace beltway::daemon {

/// Which file a path or a descriptor names.
struct FileId {
  dev_t device = 0;
  ino_t inode = 0;

  bool operator==(const FileId&) const = default;
};

class ListenSocket {
 public:
  /// What its descriptors are called in the store.
  struct Names {
    std::string lock;
    std::string socket;
  };

  /// Makes nothing. `primary`: the daemon's first socket, for the lock file. Throws Error(invalid_option) if the path is too
  /// long.
  ListenSocket(std::filesystem::path path, std::filesystem::path primary, Names names);
  ListenSocket(ListenSocket&&) noexcept = default;
  ListenSocket& operator=(ListenSocket&&) = delete;
  ListenSocket(const ListenSocket&) = delete;
  ListenSocket& operator=(const ListenSocket&) = delete;
  ~ListenSocket();

  /// Takes what an earlier daemon has stored for this place. False if there is nothing, or something else; then it is
  /// forgotten.
  bool take_over(DescriptorStore& store);
  /// A socket that its giver made (systemd): used as it is, not made anew, not removed.
  void use_given(os::Fd socket);

  /// Makes what is missing: directory (0755 below /run, else 0700), lock, socket (0666: the rights are the queues'). True if
  /// something was made. Throws Error(already_exists) if another daemon lives here, Error(invalid_option) if something that is
  /// no socket lies here, Error(no_permission, system). What it had stays as it is then.
  bool mend(DescriptorStore& store);
  /// False if mend() has something to do.
  [[nodiscard]] bool stands() const noexcept;
  /// Writes this process's number into the lock file, for people and for error messages. A full disk is no failure.
  void sign() const noexcept;

  void leave() noexcept { leave_ = true; }
  [[nodiscard]] int descriptor() const noexcept { return socket_.get(); }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] bool is_given() const noexcept { return given_; }
  /// After mend() has made a new socket: the old one, to be closed when no connection waits on it.
  [[nodiscard]] os::Fd take_retired() noexcept { return std::move(retired_); }

 private:
  [[nodiscard]] bool lock_stands() const noexcept;
  [[nodiscard]] bool socket_stands() const noexcept;
  void take_lock(DescriptorStore& store);
  /// Learns which file is its own, for a socket that was taken over.
  void recognize();
  void listen(DescriptorStore& store);

  std::filesystem::path path_;
  std::filesystem::path primary_;
  Names names_;
  os::Fd lock_;
  os::Fd socket_;
  os::Fd retired_;
  std::optional<FileId> socket_file_;  ///< what bind() made
  bool given_ = false;
  bool leave_ = false;
};

/// Where a listening SOCK_SEQPACKET socket is; empty for everything else.
[[nodiscard]] std::filesystem::path path_of_listening(int descriptor);

}  // namespace beltway::daemon
