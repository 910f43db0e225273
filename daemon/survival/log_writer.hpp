// Writes text for people, and never makes its caller wait. A pipe without a reader, a terminal on hold, a full disk or a slow
// disk holds up one thread that does nothing else.
//
// put() adds text to a bounded backlog. The writing thread takes it from there. Text that finds the backlog full, or that
// cannot be written, is dropped and counted. The count is told by a line of its own as soon as writing works again. The thread
// is started by the first put(), blocks all signals, and never takes a lock while it writes. So SIGTERM, exit() and exec() end
// the process although a write hangs.
// fork(): the child's writer begins with an empty backlog and without a thread. The owner calls before_fork() and after_fork().
// Ownership: the backlog and the file. Thread safety: all members, from any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "beltway/limits.hpp"

namespace beltway::daemon {

class LogWriter {
 public:
  struct Options {
    std::filesystem::path file = {};  ///< appended to; empty: standard error
    std::uint64_t file_bytes = k_log_file_bytes;
    std::size_t backlog_bytes = k_log_backlog_bytes;
    /// Makes the line that tells the loss of `lost` lines. `why`: the reason of the last loss.
    std::function<std::string(std::uint64_t lost, const std::string& why)> tell = {};
  };

  explicit LogWriter(Options options);
  /// Does not wait for a write. Text that is not written yet may be lost: see flush(). The file is closed if all was written.
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  /// Adds whole lines. Returns at once. Counts them as lost if there is no room, no memory or no thread.
  void put(std::string lines) noexcept;
  /// Waits until everything is written or lost. False if that takes longer than `patience`.
  bool flush(std::chrono::milliseconds patience) noexcept;
  /// Lines that were lost since the beginning.
  [[nodiscard]] std::uint64_t lost() const noexcept;
  /// Tries to open the file. Returns 0, or why it cannot be opened (errno). ETIMEDOUT: not within `patience`.
  [[nodiscard]] int try_open(std::chrono::milliseconds patience) noexcept;

  void before_fork() noexcept;
  void after_fork(bool in_child) noexcept;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;  ///< the thread's, too
};

/// Writes one line to standard error, whatever becomes of it: waits for it half a second at most.
void tell_people(const std::string& text) noexcept;

}  // namespace beltway::daemon
