#include "client/socket_path.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "os/fd.hpp"

namespace beltway::client {

namespace {

namespace fs = std::filesystem;

constexpr const char* k_folder_name = "beltway";
constexpr const char* k_socket_name = "beltwayd.sock";

std::optional<std::string> variable(const char* name) {
  const char* const value = std::getenv(name);  // NOLINT: the library sets no variables
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

bool is_own_directory(const fs::path& directory) noexcept {
  struct stat status{};
  return ::stat(directory.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == ::geteuid();
}

fs::path in_runtime_directory(const fs::path& directory) { return directory / k_folder_name / k_socket_name; }

/// What systemd-logind makes for a login.
fs::path system_runtime_directory() { return fs::path("/run/user") / std::to_string(::geteuid()); }

fs::path socket_in_tmp() {
  return fs::path("/tmp") / (std::string(k_folder_name) + "-" + std::to_string(::geteuid())) / k_socket_name;
}

/// $XDG_RUNTIME_DIR, if this user owns it.
std::optional<fs::path> runtime_directory() {
  const auto named = variable("XDG_RUNTIME_DIR");
  if (!named || named->front() != '/' || !is_own_directory(*named)) return std::nullopt;
  fs::path directory = fs::path(*named).lexically_normal();
  if (!directory.has_filename()) directory = directory.parent_path();  // it ended with a slash
  return directory;
}

std::vector<fs::path> standard_user_sockets() {
  std::vector<fs::path> sockets;
  const fs::path directory = system_runtime_directory();
  if (is_own_directory(directory)) sockets.push_back(in_runtime_directory(directory));
  sockets.push_back(socket_in_tmp());
  return sockets;
}

/// $XDG_RUNTIME_DIR names a directory that is not the standard one.
bool has_special_place() {
  const auto directory = runtime_directory();
  return directory && *directory != system_runtime_directory();
}

/// DIRECTORY/beltway/beltwayd.sock in a directory of this user.
bool is_in_runtime_directory(const fs::path& socket) {
  const fs::path folder = socket.parent_path();
  return socket.filename() == k_socket_name && folder.filename() == k_folder_name && socket != system_socket_path() &&
         is_own_directory(folder.parent_path());
}

}  // namespace

std::optional<fs::path> socket_from_environment() { return variable("BELTWAY_SOCKET"); }

fs::path user_socket_path() {
  const auto directory = runtime_directory();
  return directory ? in_runtime_directory(*directory) : socket_in_tmp();
}

std::vector<fs::path> user_socket_paths() {
  return has_special_place() ? std::vector{user_socket_path()} : standard_user_sockets();
}

std::vector<fs::path> other_user_socket_paths() {
  return has_special_place() ? standard_user_sockets() : std::vector<fs::path>{};
}

bool is_standard_user_socket(const fs::path& socket) {
  return socket == socket_in_tmp() || socket == in_runtime_directory(system_runtime_directory());
}

std::vector<fs::path> further_sockets_of(const fs::path& socket) {
  if (!is_standard_user_socket(socket)) {
    return is_in_runtime_directory(socket) ? std::vector{socket_in_tmp()} : std::vector<fs::path>{};
  }
  std::vector<fs::path> others = standard_user_sockets();
  std::erase(others, socket);
  return others;
}

fs::path system_socket_path() { return fs::path("/run") / k_folder_name / k_socket_name; }

fs::path lock_path_of(const fs::path& socket) { return socket.string() + ".lock"; }

fs::path socket_meant_by(const fs::path& directory) {
  std::error_code failed;
  const fs::path below = in_runtime_directory(directory);
  return fs::is_socket(below, failed) ? below : directory / k_socket_name;
}

bool is_private_directory(const fs::path& directory) noexcept {
  struct stat status{};
  return ::lstat(directory.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == ::geteuid() &&
         (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

void make_private_directory(const fs::path& directory) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    throw os::system_failure("make the directory " + directory.string());
  }
  if (!is_private_directory(directory)) {
    throw Error(Errc::no_permission, "use the directory " + directory.string() +
                                         ": it is not yours alone; remove it, or name a socket in $BELTWAY_SOCKET");
  }
  struct stat status{};
  if (::stat(directory.c_str(), &status) != 0 || (status.st_mode & S_IRWXU) == S_IRWXU) return;
  if (::chmod(directory.c_str(), 0700) != 0)
    throw os::system_failure("make the directory " + directory.string() + " usable");
}

sockaddr_un socket_address(const fs::path& path) {
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

}  // namespace beltway::client
