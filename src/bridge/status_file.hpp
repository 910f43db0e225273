// The file that tells others how a bridge does: see watch/bridges.hpp. Each write replaces the file as a whole.
// Thread safety: one thread.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "os/fd.hpp"
#include "watch/bridges.hpp"

namespace beltway::bridge {

class StatusFile {
 public:
  /// Takes the bridge's name for this process, in the first of the directories where it may write. Throws std::runtime_error: a
  /// bridge of that name lives, or no directory can be written.
  StatusFile(const std::string& name, const std::vector<std::filesystem::path>& directories);
  /// Removes the files: the bridge was told to end.
  ~StatusFile();
  StatusFile(const StatusFile&) = delete;
  StatusFile& operator=(const StatusFile&) = delete;

  /// What cannot be written is tried again at the next time.
  void write(const watch::BridgeView& bridge) noexcept;

 private:
  [[nodiscard]] bool take(const std::filesystem::path& directory, const std::string& name);

  std::filesystem::path status_;
  std::filesystem::path lock_path_;
  os::Fd lock_;
};

}  // namespace beltway::bridge
