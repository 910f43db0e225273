// Where the daemon's socket is, for the daemon and for those who look for it, and whether a directory is safe to find it in.
// Thread safety: reads the environment, as getenv does.
#pragma once

#include <sys/un.h>

#include <filesystem>
#include <optional>
#include <string>

namespace beltway {

/// $BELTWAY_SOCKET, if it is set and not empty.
[[nodiscard]] std::optional<std::filesystem::path> socket_from_environment();

/// The user's own: $XDG_RUNTIME_DIR/beltway/beltwayd.sock, or /tmp/beltway-<uid>/beltwayd.sock where that is unset.
[[nodiscard]] std::filesystem::path user_socket_path();

/// The machine's.
[[nodiscard]] std::filesystem::path system_socket_path();

/// True if the directory is there, is ours, and nobody else can put a socket into it.
[[nodiscard]] bool is_private_directory(const std::filesystem::path& directory) noexcept;

/// Makes the directory with mode 0700 if it is missing. Throws Error(system), and Error(no_permission) for one that is not
/// safe: in /tmp somebody else may have made it first.
void make_private_directory(const std::filesystem::path& directory);

/// Throws Error(invalid_option) naming the limit if the path is too long for a socket.
[[nodiscard]] sockaddr_un socket_address(const std::filesystem::path& path);

}  // namespace beltway
