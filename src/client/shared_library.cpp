// The way from a shared library to the daemon that was installed with it.
#include <dlfcn.h>

#include <filesystem>
#include <string_view>

#include "client/installed_daemon.hpp"

namespace beltway::client {

std::string daemon_of_shared_library() {
#ifdef BELTWAY_DAEMON_FROM_LIBRARY
  Dl_info library{};
  // A variable and not a function: a program that is linked without position-independent code has an entry of its own for those.
  static const char here = 0;
  if (::dladdr(&here, &library) == 0 || library.dli_fname == nullptr) return {};
  std::error_code unknown;
  const std::filesystem::path file = std::filesystem::canonical(library.dli_fname, unknown);
  if (unknown) return {};
  // Relative paths with colons between them: a module of a language is installed in one of several ways.
  std::string_view ways = BELTWAY_DAEMON_FROM_LIBRARY;
  while (!ways.empty()) {
    const std::size_t end = ways.find(':');
    const std::filesystem::path daemon = (file.parent_path() / ways.substr(0, end)).lexically_normal();
    if (std::filesystem::exists(daemon, unknown)) return daemon.string();
    ways.remove_prefix(end == std::string_view::npos ? ways.size() : end + 1);
  }
#endif
  return {};
}

}  // namespace beltway::client
