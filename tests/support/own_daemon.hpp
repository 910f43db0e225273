// A directory in which the daemon of the test's user lives, as clients start it. Whatever they started there ends with it.
// Thread safety: none; one thread at a time.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "temp_dir.hpp"

namespace beltway::test {

/// Its environment is that of the test from now on: XDG_RUNTIME_DIR is the directory, BELTWAY_DAEMON the daemon of this build.
class OwnDaemonDir {
 public:
  OwnDaemonDir();
  OwnDaemonDir(const OwnDaemonDir&) = delete;
  OwnDaemonDir& operator=(const OwnDaemonDir&) = delete;
  ~OwnDaemonDir();

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return dir_.path(); }
  [[nodiscard]] std::filesystem::path socket() const { return path() / "beltway" / "beltwayd.sock"; }
  [[nodiscard]] std::filesystem::path write(const std::string& name, const std::string& content) const {
    return dir_.write(name, content);
  }
  /// The daemons that were started there, and their supervisors: also those that answer no client.
  [[nodiscard]] std::vector<int> processes() const;
  /// Ends them. Says what does not end by SIGTERM: that fails the test.
  void end() const;

 private:
  TempDir dir_;
};

}  // namespace beltway::test
