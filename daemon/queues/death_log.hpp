// Logs deaths and repairs, at the level that is logged by default. A crash loop cannot flood the log. At most k_lines deaths in
// one span of k_span get a line each; further deaths are counted. At the end of the span one line says how many there were, and
// in which queues.
// Thread safety: a mutex protects all members, since workers repair queues, too.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace beltway::daemon {

/// One endpoint whose process ended without detaching, and what its repair has done.
struct Death {
  std::string queue;
  std::string endpoint;  ///< for example "producer 3" or "consumer 0 of group \"billing\""
  int pid = 0;
  std::string command;  ///< empty: unknown
  std::uint64_t voided = 0;
  std::uint64_t released = 0;
};

class DeathLog {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr unsigned k_lines = 5;
  static constexpr std::chrono::seconds k_span{10};

  void report(const Death& death, Clock::time_point now);
  /// When flush() must be called to log the counted deaths. Nothing if none is counted.
  [[nodiscard]] std::optional<Clock::time_point> due() const;
  /// If the span is over: ends it, and logs the deaths that were only counted.
  void flush(Clock::time_point now);

 private:
  void end_span(Clock::time_point now);
  void tell_counted();

  mutable std::mutex mutex_;
  Clock::time_point begin_{};
  unsigned lines_ = 0;
  std::map<std::string, std::uint64_t> counted_;  ///< by queue: deaths without a line
  std::string last_;                              ///< the latest death that was counted
};

/// The one DeathLog of this daemon.
[[nodiscard]] DeathLog& death_log();

/// The name of the program that the process runs. Empty if there is no such process, or if it lives in another pid namespace.
[[nodiscard]] std::string command_of(int pid);

}  // namespace beltway::daemon
