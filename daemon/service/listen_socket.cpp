#include "service/listen_socket.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <string>
#include <thread>

#include "client/living_daemon.hpp"
#include "client/socket_path.hpp"

#ifndef SO_PASSRIGHTS  // Linux 6.16
#define SO_PASSRIGHTS 83
#endif

namespace beltway::daemon {
namespace {

namespace fs = std::filesystem;

constexpr mode_t k_lock_mode = 0600;
constexpr mode_t k_socket_mode = 0666;

/// A process that asks whether the lock is held (lock_holder()) holds it for an instant.
constexpr int k_lock_tries = 5;
constexpr std::chrono::milliseconds k_lock_pause_ms{3};

std::optional<FileId> file_at(const fs::path& path) noexcept {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return std::nullopt;
  return FileId{status.st_dev, status.st_ino};
}

std::optional<FileId> file_of(int descriptor) noexcept {
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) return std::nullopt;
  return FileId{status.st_dev, status.st_ino};
}

/// A failure in a directory. The disk is the usual reason that has a remedy.
Error place_failure(const std::string& context, const fs::path& directory) {
  const int error = errno;
  if (error != ENOSPC && error != EDQUOT && error != EROFS) return os::system_failure(context, error);
  return {Errc::system, context + ": " + std::generic_category().message(error) + "; free room in " +
                            directory.string() + ", or choose another place with --socket"};
}

/// The umask of the process that started the daemon does not decide.
void make_directory(const fs::path& directory) {
  if (directory.empty()) return;
  if (directory == client::user_socket_path().parent_path() ||
      client::is_standard_user_socket(directory / "beltwayd.sock")) {
    return client::make_private_directory(directory);
  }
  const mode_t mode = directory == client::system_socket_path().parent_path() ? 0755 : 0700;
  if (::mkdir(directory.c_str(), mode) == 0) {
    if (::chmod(directory.c_str(), mode) == 0) return;
  } else if (errno == EEXIST) {
    return;
  }
  throw place_failure("start: make the directory " + directory.string(), directory.parent_path());
}

Error taken(const fs::path& path, int pid) {
  return {Errc::already_exists, "start: a daemon is alive at " + path.string() +
                                    (pid > 0 ? ", process " + std::to_string(pid) : "") +
                                    "; stop it, or choose another socket with --socket"};
}

/// Locks the file that the path names when it is locked.
os::Fd lock_file(const fs::path& socket) {
  const fs::path path = client::lock_path_of(socket);
  for (int tries = 0;; ++tries) {
    os::Fd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, k_lock_mode));
    if (!lock) throw place_failure("start: open " + path.string(), path.parent_path());
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) {
      if (file_at(path) == file_of(lock.get())) return lock;  // else it was removed meanwhile
    } else if (errno != EWOULDBLOCK) {
      throw os::system_failure("start: lock " + path.string());
    }
    if (tries >= k_lock_tries) break;
    std::this_thread::sleep_for(k_lock_pause_ms);
  }
  const auto holder = client::lock_holder(socket);
  throw taken(socket, holder ? holder->pid : 0);
}

/// No client has a descriptor to send to the daemon. Closing one may take as long as its sender likes (a socket that lingers, a
/// file of a slow file system), so the kernel shall refuse it; one before 6.16 cannot, and it is closed here. For a listening
/// socket, whose connections inherit it.
void refuse_descriptors(int socket) noexcept {
  const int off = 0;
  ::setsockopt(socket, SOL_SOCKET, SO_PASSRIGHTS, &off, sizeof off);
}

enum class Answer : std::uint8_t { none, this_process, another };

/// Finds the process that listens at the socket that the path names. That process need not accept.
Answer listener_at(const fs::path& path, int& pid) {
  const sockaddr_un address = client::socket_address(path);
  const os::Fd probe(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  pid = 0;
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    // Any other error shows a living process: many wait at its listen socket (EAGAIN), another kind of socket (EPROTOTYPE).
    return errno == ECONNREFUSED || errno == ENOENT ? Answer::none : Answer::another;
  }
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(probe.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0) pid = peer.pid;
  return pid == ::getpid() ? Answer::this_process : Answer::another;
}

void remove_stale_socket(const fs::path& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return;
  if (std::error_code failed; fs::is_directory(path, failed)) {
    throw Error(Errc::invalid_option, "start: " + path.string() + " is a directory; name a socket in it: --socket " +
                                          client::socket_meant_by(path).string());
  }
  if (!S_ISSOCK(status.st_mode)) {
    throw Error(Errc::invalid_option,
                "start: " + path.string() + " is there and no socket; remove it, or choose another --socket");
  }
  int pid = 0;
  if (listener_at(path, pid) != Answer::none) throw taken(path, pid);
  ::unlink(path.c_str());
}

}  // namespace

fs::path path_of_listening(int descriptor) {
  int type = 0;
  int listening = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_SEQPACKET) return {};
  if (::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || listening == 0) return {};
  sockaddr_un address{};
  socklen_t length = sizeof address;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
  address.sun_path[sizeof address.sun_path - 1] = '\0';
  return address.sun_family == AF_UNIX ? address.sun_path : "";
}

ListenSocket::ListenSocket(fs::path path, fs::path primary, Names names)
    : path_(std::move(path)), primary_(std::move(primary)), names_(std::move(names)) {
  static_cast<void>(client::socket_address(path_));  // a path that is too long makes no directory
}

ListenSocket::~ListenSocket() {
  // While the lock is still held: afterwards the name may be another daemon's.
  if (!leave_ && !given_ && socket_ && lock_stands() && socket_stands()) ::unlink(path_.c_str());
}

bool ListenSocket::take_over(DescriptorStore& store) {
  lock_ = store.take(names_.lock);
  socket_ = store.take(names_.socket);
  if (!lock_ || (socket_ && path_of_listening(socket_.get()) != path_)) {
    // The command line names another place now.
    if (lock_) store.forget(names_.lock);
    if (socket_) store.forget(names_.socket);
    lock_.reset();
    socket_.reset();
    return false;
  }
  // A client that connects sees the process that called listen() last (SO_PEERCRED).
  if (socket_) {
    refuse_descriptors(socket_.get());
    ::listen(socket_.get(), SOMAXCONN);
  }
  return true;
}

void ListenSocket::use_given(os::Fd socket) {
  given_ = true;
  socket_ = std::move(socket);
  ::fcntl(socket_.get(), F_SETFL, ::fcntl(socket_.get(), F_GETFL) | O_NONBLOCK);
  refuse_descriptors(socket_.get());
  ::listen(socket_.get(), SOMAXCONN);
  socket_file_ = file_at(path_);
}

bool ListenSocket::stands() const noexcept { return socket_stands() && (given_ || lock_stands()); }

bool ListenSocket::lock_stands() const noexcept {
  return lock_ && file_at(client::lock_path_of(path_)) == file_of(lock_.get());
}

bool ListenSocket::socket_stands() const noexcept { return socket_ && socket_file_ && file_at(path_) == socket_file_; }

bool ListenSocket::mend(DescriptorStore& store) {
  if (stands()) return false;
  if (given_) {
    throw Error(Errc::system, "the socket " + path_.string() +
                                  " is gone, and whoever started this daemon made it; under systemd restart the "
                                  ".socket unit");
  }
  make_directory(path_.parent_path());
  if (!lock_stands()) take_lock(store);
  recognize();
  if (!socket_stands()) listen(store);
  return true;
}

void ListenSocket::recognize() {
  int pid = 0;
  if (socket_ && !socket_file_ && listener_at(path_, pid) == Answer::this_process) socket_file_ = file_at(path_);
}

void ListenSocket::take_lock(DescriptorStore& store) {
  const bool again = static_cast<bool>(lock_);
  os::Fd lock = lock_file(path_);
  ::fchmod(lock.get(), k_lock_mode);  // whatever the umask was; of another user's file it fails, and need not succeed
  // A daemon that lives with its files removed does not hold this lock.
  if (!socket_) {
    if (const auto pid = client::find_listener(path_)) throw taken(path_, *pid);
  }
  if (again) store.forget(names_.lock);
  lock_ = std::move(lock);
  store.keep(names_.lock, lock_.get());
  sign();
}

void ListenSocket::sign() const noexcept {
  if (!lock_) return;
  try {
    const std::string text = std::to_string(::getpid()) + "\n" + primary_.string() + "\n";
    const auto size = static_cast<off_t>(text.size());
    // Written over the old text: a file that has a block already needs no room.
    if (::pwrite(lock_.get(), text.data(), text.size(), 0) == size && ::ftruncate(lock_.get(), size) == 0) return;
    spdlog::warn("{}: the process number cannot be written: {}; the lock holds all the same",
                 client::lock_path_of(path_).string(), std::generic_category().message(errno));
    static_cast<void>(!::ftruncate(lock_.get(), 0));  // rather no number than an earlier daemon's
  } catch (const std::exception&) {                   // no memory: the lock counts
  }
}

void ListenSocket::listen(DescriptorStore& store) {
  const sockaddr_un address = client::socket_address(path_);
  os::Fd socket =
      os::checked_fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "start: make a socket");
  refuse_descriptors(socket.get());
  remove_stale_socket(path_);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw place_failure("start: listen at " + path_.string(), path_.parent_path());
  }
  const std::optional<FileId> made = file_at(path_);
  if (::chmod(path_.c_str(), k_socket_mode) != 0 || ::listen(socket.get(), SOMAXCONN) != 0) {
    throw place_failure("start: listen at " + path_.string(), path_.parent_path());
  }
  if (socket_) store.forget(names_.socket);
  retired_ = std::exchange(socket_, std::move(socket));
  socket_file_ = made;
  store.keep(names_.socket, socket_.get());
}

}  // namespace beltway::daemon
