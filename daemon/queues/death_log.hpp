// Tells people of deaths and repairs, at the level that is logged by default. A crash loop cannot flood the log: after a few
// lines in one span deaths are only counted, and one line at its end says how many and of which queues.
// Thread safety: all members, by a mutex: workers repair, too.
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
  std::string endpoint;  ///< "producer 3", "consumer 0 of group \"billing\""
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
  /// When flush() has something to tell; nothing if all has been told.
  [[nodiscard]] std::optional<Clock::time_point> due() const;
  /// Ends the span if it is over, and tells what was only counted.
  void flush(Clock::time_point now);

 private:
  void end_span(Clock::time_point now);
  void tell_counted();

  mutable std::mutex mutex_;
  Clock::time_point begin_{};
  unsigned lines_ = 0;
  std::map<std::string, std::uint64_t> counted_;  ///< by queue: deaths without a line
  std::string last_;                              ///< the latest of them
};

/// The daemon's.
[[nodiscard]] DeathLog& death_log();

/// The name of a process's program; empty if there is no such process, or it is of another pid namespace.
[[nodiscard]] std::string command_of(int pid);

}  // namespace beltway::daemon
