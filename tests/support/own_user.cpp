// See own_user.hpp.
#include "own_user.hpp"

#include <pwd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

namespace beltway::test {

namespace {

constexpr uid_t k_first = 20'000;
constexpr uid_t k_count = 40'000;

/// The socket that holds the id; -1 if another test holds it.
int hold(uid_t id) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // An abstract name begins with a zero byte.
  const std::string name = "beltway-test-user-" + std::to_string(id);
  name.copy(address.sun_path + 1, sizeof address.sun_path - 1);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket == -1) throw std::system_error(errno, std::generic_category(), "socket");
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (::bind(socket, reinterpret_cast<const sockaddr*>(&address), size) == 0) return socket;
  ::close(socket);
  return -1;
}

}  // namespace

OwnUser::OwnUser() {
  for (uid_t i = 0; i < k_count; ++i) {
    id_ = k_first + (static_cast<uid_t>(::getpid()) + i) % k_count;
    if (::getpwuid(id_) != nullptr) continue;
    lock_ = hold(id_);
    if (lock_ == -1) continue;
    remove_directories();
    return;
  }
  throw std::runtime_error("no user id is free");
}

OwnUser::~OwnUser() {
  remove_directories();
  ::close(lock_);
}

std::filesystem::path OwnUser::in_tmp() const { return "/tmp/beltway-" + std::to_string(id_); }
std::filesystem::path OwnUser::run_user() const { return "/run/user/" + std::to_string(id_); }

void OwnUser::remove_directories() const noexcept {
  std::error_code ignored;
  std::filesystem::remove_all(in_tmp(), ignored);
  std::filesystem::remove_all(run_user(), ignored);
}

}  // namespace beltway::test
