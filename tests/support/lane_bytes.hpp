// How much memory the lanes of a queue hold.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>

#include "daemon.hpp"

namespace beltway::test {

/// Bytes that the lanes of the queue hold, asked of the daemon's own descriptor.
inline std::uint64_t bytes_of_lanes(TestDaemon& daemon, const std::string& queue) {
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(daemon.process().pid()) + "/fd")) {
    std::error_code gone;
    if (std::filesystem::read_symlink(entry.path(), gone).string().find("memfd:beltway:" + queue + ":heap") ==
        std::string::npos)
      continue;
    struct stat status{};
    if (::stat(entry.path().c_str(), &status) == 0) return static_cast<std::uint64_t>(status.st_blocks) * 512;
  }
  ADD_FAILURE() << "the daemon has no lanes of " << queue;
  return 0;
}

}  // namespace beltway::test
