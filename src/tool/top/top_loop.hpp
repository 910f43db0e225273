// The loop of the screen: draws, and waits for keys, news and signals.
// Thread safety: one thread, and signals of the process.
#pragma once

#include <chrono>
#include <csignal>

#include "tool/process/exit_code.hpp"
#include "tool/top/terminal.hpp"
#include "tool/top/top_source.hpp"

namespace beltway::tool {

struct TopOptions {
  std::chrono::nanoseconds interval = std::chrono::seconds(1);
  QueueSelection selection = {};
};

/// While it lives, the signals that concern a terminal come as data, to all threads that are started meanwhile, too.
class TerminalSignals {
 public:
  TerminalSignals();
  TerminalSignals(const TerminalSignals&) = delete;
  TerminalSignals& operator=(const TerminalSignals&) = delete;
  ~TerminalSignals();

  [[nodiscard]] int poll_fd() const noexcept { return signals_; }
  /// The next signal that came; 0: none.
  [[nodiscard]] int next() const noexcept;
  /// Stops the process, as Ctrl-Z does. Returns when it goes on.
  void stop_process() const;

 private:
  int signals_ = -1;
  sigset_t before_{};
};

/// Runs until a key or a signal ends it.
ExitCode run_screen(Terminal& terminal, TopSource& source, const TerminalSignals& signals, const TopOptions& options);

}  // namespace beltway::tool
