// A directory below /tmp that goes away with its object, and a place for a daemon's socket in it.
// Below /tmp and not $TMPDIR: a Unix socket's path has at most 107 bytes.
#pragma once

#include <filesystem>
#include <string>

namespace beltway::test {

class TempDir {
 public:
  TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir();

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  /// Unique, as the directory is.
  [[nodiscard]] std::filesystem::path socket() const { return path_ / "beltwayd.sock"; }

  /// Writes a file in it and returns its path.
  [[nodiscard]] std::filesystem::path write(const std::string& name, const std::string& content) const;

 private:
  std::filesystem::path path_;
};

/// A file's content. Throws std::system_error if it cannot be read.
[[nodiscard]] std::string read_file(const std::filesystem::path& file);

}  // namespace beltway::test
