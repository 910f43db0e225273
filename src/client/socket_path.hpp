// Where the daemon's socket is, for the daemon and its clients, and whether a directory is safe to find it in.
//
// A user has two standard places: /run/user/UID/beltway (if the system made /run/user/UID) and /tmp/beltway-UID. One daemon
// serves both, so that a login, cron, su and a service of one user meet. A private $XDG_RUNTIME_DIR that is another directory
// is a place of its own: its daemon also listens in /tmp/beltway-UID while no other daemon does.
// Thread safety: reads the environment, as getenv does.
#pragma once

#include <sys/un.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace beltway::client {

/// $BELTWAY_SOCKET, if it is set and not empty.
[[nodiscard]] std::optional<std::filesystem::path> socket_from_environment();

/// Where this user's daemon is started: $XDG_RUNTIME_DIR/beltway/beltwayd.sock if that directory belongs to the effective
/// user, else /tmp/beltway-UID/beltwayd.sock. So root with a user's $XDG_RUNTIME_DIR (sudo) stays out of it.
[[nodiscard]] std::filesystem::path user_socket_path();

/// The places where this user's daemon may listen, in the order in which clients try them. A special $XDG_RUNTIME_DIR is the
/// only place; otherwise both standard places are.
[[nodiscard]] std::vector<std::filesystem::path> user_socket_paths();

/// The places of this user's daemons that user_socket_paths() leaves out.
[[nodiscard]] std::vector<std::filesystem::path> other_user_socket_paths();

/// True for the two standard places of this user.
[[nodiscard]] bool is_standard_user_socket(const std::filesystem::path& socket);

/// Where a daemon whose socket is `socket` listens as well, so that every environment of the user finds it. Empty for a socket
/// that is not in a user's place.
[[nodiscard]] std::vector<std::filesystem::path> further_sockets_of(const std::filesystem::path& socket);

/// The machine's.
[[nodiscard]] std::filesystem::path system_socket_path();

/// The file beside a socket whose lock says that a daemon lives there.
[[nodiscard]] std::filesystem::path lock_path_of(const std::filesystem::path& socket);

/// For the error if the caller named a directory as a socket: the socket in it that was most likely meant.
[[nodiscard]] std::filesystem::path socket_meant_by(const std::filesystem::path& directory);

/// True if the directory is there, is ours, and no other user can put a socket into it.
[[nodiscard]] bool is_private_directory(const std::filesystem::path& directory) noexcept;

/// Makes the directory with mode 0700, whatever the umask. Gives its owner the rights back if a umask took them. Throws
/// Error(system), and Error(no_permission) for one that is not safe: in /tmp another user may have made it first.
void make_private_directory(const std::filesystem::path& directory);

/// Throws Error(invalid_option) naming the limit if the path is too long for a socket.
[[nodiscard]] sockaddr_un socket_address(const std::filesystem::path& path);

}  // namespace beltway::client
