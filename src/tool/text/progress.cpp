#include "tool/text/progress.hpp"

#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <string_view>
#include <utility>

#include "tool/text/payload_text.hpp"
#include "tool/text/terminal_columns.hpp"
#include "tool/text/units.hpp"

namespace beltway::tool {

namespace {

/// A command that is done earlier says nothing.
constexpr std::chrono::milliseconds k_first_line_ms{1000};
constexpr std::chrono::milliseconds k_renewed_every_ms{500};
constexpr std::chrono::milliseconds k_line_every_ms{1000};
constexpr std::string_view k_clear_line = "\r\x1b[K";

void write_error(std::string_view text) noexcept {
  // What cannot be written is no loss: the result of the command does not depend on it.
  if (write(STDERR_FILENO, text.data(), text.size()) < 0) return;
}

}  // namespace

std::string progress_text(const ProgressState& state) {
  std::string text = state.what + ": " + format_duration(state.elapsed);
  if (state.messages == 0) return text;
  text += ", " + format_count(state.messages);
  if (state.total) text += " of " + format_count(*state.total);
  text += " messages";
  if (state.bytes != 0) text += ", " + format_size(static_cast<double>(state.bytes));
  const double seconds = std::chrono::duration<double>(state.elapsed).count();
  if (seconds > 0) text += ", " + format_rate(static_cast<double>(state.messages) / seconds);
  return text;
}

Progress::Progress(When when, std::string what, std::optional<std::uint64_t> total)
    : what_(std::move(what)), total_(total), renews_line_(isatty(STDERR_FILENO) == 1) {
  if (when == When::never || (when == When::on_terminal && !renews_line_)) return;
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Progress::~Progress() = default;

void Progress::say(std::string what) {
  const std::lock_guard lock(mutex_);
  what_ = std::move(what);
}

void Progress::run(const std::stop_token& stop) {
  const auto start = std::chrono::steady_clock::now();
  std::condition_variable_any wakeup;
  std::unique_lock lock(mutex_);
  bool has_line = false;
  for (auto wait = k_first_line_ms; !wakeup.wait_for(lock, stop, wait, [&stop] { return stop.stop_requested(); });
       wait = renews_line_ ? k_renewed_every_ms : k_line_every_ms) {
    const std::string text = progress_text({.what = what_,
                                            .messages = messages_.load(std::memory_order_relaxed),
                                            .bytes = bytes_.load(std::memory_order_relaxed),
                                            .total = total_,
                                            .elapsed = std::chrono::steady_clock::now() - start});
    lock.unlock();  // a terminal may be slow
    // What is wider than the terminal goes on in the next line, which would not be taken away.
    write_error(renews_line_ ? std::string(k_clear_line) + shortened(text, terminal_columns(STDERR_FILENO) - 1)
                             : text + "\n");
    lock.lock();
    has_line = renews_line_;
  }
  if (has_line) write_error(k_clear_line);
}

}  // namespace beltway::tool
