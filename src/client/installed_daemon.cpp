// One function alone: `cmake --install --prefix` compiles this file again and replaces its object in the archive.
#include "client/installed_daemon.hpp"

namespace beltway::client {

const char* installed_daemon() noexcept { return BELTWAY_INSTALLED_DAEMON; }

}  // namespace beltway::client
