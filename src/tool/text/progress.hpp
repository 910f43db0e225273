// What a command that takes longer than a second has done so far: one line on standard error, renewed twice a second.
//
// For people: it shows on a terminal only, unless it is forced. Then each line stays, one a second.
// Ownership: a thread of its own. Thread safety: one thread, the one that made the object.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace beltway::tool {

/// What a line of progress says.
struct ProgressState {
  std::string what;                      ///< "pub orders"
  std::uint64_t messages = 0;            ///< 0: none is told
  std::uint64_t bytes = 0;               ///< 0: none is told
  std::optional<std::uint64_t> total{};  ///< messages that there will be
  std::chrono::nanoseconds elapsed{0};
};
/// "pub orders: 3.0 s, 1.23 M messages of 5 M, 45 MiB, 410 k/s".
[[nodiscard]] std::string progress_text(const ProgressState& state);

class Progress {
 public:
  enum class When : std::uint8_t {
    never,
    on_terminal,  ///< if standard error is a terminal
    always,
  };

  /// Make it after an Interrupt, whose signals its thread then leaves alone.
  Progress(When when, std::string what, std::optional<std::uint64_t> total = {});
  /// Takes the line away.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void set(std::uint64_t messages, std::uint64_t bytes) noexcept {
    // Each is a figure for itself.
    messages_.store(messages, std::memory_order_relaxed);
    bytes_.store(bytes, std::memory_order_relaxed);
  }
  /// What it says from now on: "import is at queue 12 of 300".
  void say(std::string what);

 private:
  void run(const std::stop_token& stop);

  std::mutex mutex_;
  std::string what_;  // under the mutex
  std::optional<std::uint64_t> total_;
  bool renews_line_ = false;
  std::atomic<std::uint64_t> messages_{0};
  std::atomic<std::uint64_t> bytes_{0};
  std::jthread thread_;  // the last: it uses all others
};

}  // namespace beltway::tool
