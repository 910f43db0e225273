#include "listener.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cstring>
#include <string>

#include "channel.hpp"
#include "protocol.hpp"
#include "socket_path.hpp"

namespace beltway::daemon {
namespace {

constexpr const char* k_lock_name = "lock";
constexpr const char* k_socket_name = "door";

/// A failure in a directory. The disk is the usual reason that has a remedy.
Error place_failure(const std::string& what, const std::filesystem::path& directory) {
  const int error = errno;
  if (error != ENOSPC && error != EDQUOT && error != EROFS) return system_failure(what, error);
  return {Errc::system, what + ": " + std::generic_category().message(error) + "; free room in " + directory.string() +
                            ", or choose another place with --socket"};
}

void make_directory(const std::filesystem::path& directory) {
  if (directory.empty()) return;
  if (directory == user_socket_path().parent_path()) return make_private_directory(directory);
  const bool of_the_system = directory == system_socket_path().parent_path();
  if (::mkdir(directory.c_str(), of_the_system ? 0755 : 0700) != 0 && errno != EEXIST) {
    throw place_failure("start: make the directory " + directory.string(), directory.parent_path());
  }
}

Fd take_lock(const std::filesystem::path& socket) {
  const std::string path = socket.string() + ".lock";
  Fd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock) throw place_failure("start: open " + path, socket.parent_path());
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) throw system_failure("start: lock " + path);
    std::array<char, 32> pid{};
    const ssize_t size = ::pread(lock.get(), pid.data(), pid.size() - 1, 0);
    std::string who(pid.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    if (const auto end = who.find('\n'); end != std::string::npos) who.resize(end);
    throw Error(Errc::already_exists, "start: a daemon is alive at " + socket.string() +
                                          (who.empty() ? "" : ", process " + who) +
                                          "; stop it, or choose another socket with --socket");
  }
  return lock;
}

/// For people and for the message above; the lock counts, not what is written in it. So a full disk is no reason not to start.
/// Written over the old text: a file that has a block already needs no room.
void write_pid(int lock, const std::filesystem::path& socket) {
  const std::string pid = std::to_string(::getpid()) + "\n";
  const auto size = static_cast<off_t>(pid.size());
  if (::pwrite(lock, pid.data(), pid.size(), 0) == size && ::ftruncate(lock, size) == 0) return;
  spdlog::warn("start: write {}.lock: {}; it does not tell the daemon's process", socket.string(),
               std::strerror(errno));
  static_cast<void>(!::ftruncate(lock, 0));  // rather no number than an earlier daemon's
}

void remove_stale_socket(const std::filesystem::path& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return;
  if (!S_ISSOCK(status.st_mode)) {
    throw Error(Errc::invalid_option, "start: " + path.string() + " is there and no socket; choose another --socket");
  }
  ::unlink(path.c_str());
}

Fd listen_at(const std::filesystem::path& path) {
  const sockaddr_un address = socket_address(path);
  Fd socket = checked_fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "start: make a socket");
  remove_stale_socket(path);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::chmod(path.c_str(), 0666) != 0 || ::listen(socket.get(), SOMAXCONN) != 0) {
    throw place_failure("start: listen at " + path.string(), path.parent_path());
  }
  return socket;
}

/// Where a listening SOCK_SEQPACKET socket is; empty for everything else.
std::filesystem::path path_of_listening(int descriptor) {
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

Fd open_spare() noexcept { return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

}  // namespace

Listener::Listener(std::filesystem::path socket, Store& store) : path_(std::move(socket)) {
  static_cast<void>(socket_address(path_));  // a path that is too long makes no directory
  take_over(store);
  if (!lock_) {
    make_directory(path_.parent_path());
    lock_ = take_lock(path_);
    store.keep(k_lock_name, lock_.get());
  }
  write_pid(lock_.get(), path_);
  if (!socket_) {
    socket_ = listen_at(path_);
    store.keep(k_socket_name, socket_.get());
  }
  spare_ = open_spare();
}

void Listener::take_over(Store& store) {
  // Ours of an earlier life, unless the command line names another place now.
  lock_ = store.take(k_lock_name);
  socket_ = store.take(k_socket_name);
  if (socket_ && (!lock_ || path_of_listening(socket_.get()) != path_)) {
    store.forget(k_lock_name);
    store.forget(k_socket_name);
    lock_.reset();
    socket_.reset();
  }
  auto& inherited = store.inherited();
  for (auto entry = inherited.begin(); entry != inherited.end() && !socket_; ++entry) {
    const std::filesystem::path given = path_of_listening(entry->descriptor.get());
    if (given.empty()) continue;
    path_ = given;
    socket_ = std::move(entry->descriptor);
    ::fcntl(socket_.get(), F_SETFL, ::fcntl(socket_.get(), F_GETFL) | O_NONBLOCK);
    leave();  // its maker removes it
    inherited.erase(entry);
    return;
  }
}

Listener::~Listener() {
  // While the lock is still held: afterwards the name may be another daemon's.
  if (!leave_) ::unlink(path_.c_str());
}

Fd Listener::accept(bool& turned_away) {
  turned_away = false;
  for (;;) {
    const int connection = ::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (connection >= 0) return Fd(connection);
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EMFILE || errno == ENFILE) {
      turned_away = true;
      turn_away();
    }
    return {};
  }
}

void Listener::turn_away() {
  spare_.reset();
  if (Fd connection(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)); connection) {
    const Error error(Errc::limit_reached,
                      "connect: the daemon has no file descriptor left; remove queues or "
                      "connections, or raise its RLIMIT_NOFILE");
    Channel channel(std::move(connection));
    static_cast<void>(channel.try_send({{"error", protocol::encode(error)}}));
  }
  spare_ = open_spare();
}

}  // namespace beltway::daemon
