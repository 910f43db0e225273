// The way from a shared library to the daemon beside it.
#include <dlfcn.h>

#include <filesystem>

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
  return (file.parent_path() / BELTWAY_DAEMON_FROM_LIBRARY).lexically_normal().string();
#else
  return {};
#endif
}

}  // namespace beltway::client
