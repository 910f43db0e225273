// Where the daemon was installed together with this library.
#pragma once

#include <string>

namespace beltway::client {

/// The path that the library was installed with. An archive that is installed below another prefix gets this function anew
/// (src/installed_daemon.cmake.in).
[[nodiscard]] const char* installed_daemon() noexcept;

/// The path beside a shared library, which may have been moved with its tree; empty if the library is an archive or unknown.
[[nodiscard]] std::string daemon_of_shared_library();

}  // namespace beltway::client
