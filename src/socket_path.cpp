#include "socket_path.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "fd.hpp"

namespace beltway {
namespace {

constexpr const char* k_socket_name = "beltwayd.sock";

std::optional<std::string> variable(const char* name) {
  const char* const value = std::getenv(name);  // NOLINT: the library sets no variables
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::filesystem::path> socket_from_environment() { return variable("BELTWAY_SOCKET"); }

std::filesystem::path user_socket_path() {
  if (const auto runtime = variable("XDG_RUNTIME_DIR"); runtime && runtime->front() == '/') {
    return std::filesystem::path(*runtime) / "beltway" / k_socket_name;
  }
  return std::filesystem::path("/tmp") / ("beltway-" + std::to_string(::geteuid())) / k_socket_name;
}

std::filesystem::path system_socket_path() { return std::filesystem::path("/run/beltway") / k_socket_name; }

bool is_private_directory(const std::filesystem::path& directory) noexcept {
  struct stat status{};
  return ::lstat(directory.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == ::geteuid() &&
         (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

void make_private_directory(const std::filesystem::path& directory) {
  if (::mkdir(directory.c_str(), 0700) == 0) {
    ::chmod(directory.c_str(), 0700);  // whatever this process's umask takes away
  } else if (errno != EEXIST) {
    throw system_failure("make the directory " + directory.string());
  }
  if (is_private_directory(directory)) return;
  throw Error(Errc::no_permission, "use the directory " + directory.string() +
                                       ": it is not yours alone; remove it, or name a socket in $BELTWAY_SOCKET");
}

sockaddr_un socket_address(const std::filesystem::path& path) {
  sockaddr_un address{};
  const std::string& text = path.native();
  if (text.empty() || text.size() >= sizeof address.sun_path) {
    throw Error(Errc::invalid_option, "socket \"" + text + "\": the path has " + std::to_string(text.size()) +
                                          " bytes; it must have 1 to " + std::to_string(sizeof address.sun_path - 1));
  }
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, text.data(), text.size());
  return address;
}

}  // namespace beltway
