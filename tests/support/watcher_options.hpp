// Options of a Watcher of a test's daemon.
#pragma once

#include <filesystem>

#include "watch/watcher.hpp"

namespace beltway::test {

inline watch::WatcherOptions at(const std::filesystem::path& socket) {
  return {.connection = {.socket = socket, .start_daemon = false}};
}

}  // namespace beltway::test
