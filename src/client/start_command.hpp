// What a person types to start a daemon, for errors and remedies.
// Thread safety: reads the environment, as getenv does.
#pragma once

#include <filesystem>
#include <string>

#include "base/shell_word.hpp"
#include "client/socket_path.hpp"

namespace beltway::client {

/// The command of a shell that starts a daemon at `socket`: with `--socket`, unless it listens there without.
[[nodiscard]] inline std::string start_command(const std::filesystem::path& socket) {
  const bool is_default = !socket_from_environment() && socket == user_socket_path();
  return is_default ? "beltwayd" : "beltwayd --socket " + shell_word(socket.string());
}

}  // namespace beltway::client
