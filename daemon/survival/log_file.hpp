// Where the log goes: standard error, or a file of bounded size. For the writing thread alone: every member may block.
// Several processes may write the same file (the daemon and its supervisor). One of them moves a full file to "<file>.1", in
// place of an older one, and the others notice it. A file that was removed is made again. Ownership: the file. Thread safety:
// one thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "os/fd.hpp"

namespace beltway::daemon {

class LogFile {
 public:
  /// An empty path: standard error.
  LogFile(std::filesystem::path path, std::uint64_t max_bytes) noexcept
      : path_(std::move(path)), max_bytes_(max_bytes) {}

  /// Writes all of it. Returns 0, or why it was not written (errno): then a part of it may be there. An empty text opens the
  /// file.
  [[nodiscard]] int write(std::string_view text) noexcept;
  void close() noexcept { file_.reset(); }

 private:
  /// The descriptor to write to; -1 with errno.
  int prepare() noexcept;
  [[nodiscard]] bool has_our_name() const noexcept;
  void move_away() noexcept;
  [[nodiscard]] int write_all(int descriptor, std::string_view text) noexcept;

  std::filesystem::path path_;
  std::uint64_t max_bytes_;
  os::Fd file_;
  bool cut_ = false;  ///< the last text ended in the middle of a line
};

}  // namespace beltway::daemon
