#include "survival/log.hpp"

#include <pthread.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>

#include "survival/log_writer.hpp"

namespace beltway::daemon {
namespace {

constexpr std::chrono::milliseconds k_flush_patience_ms{500};

/// `%*` in a pattern: the message as a JSON string. spdlog's own `%v` does not quote.
class QuotedMessage : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    const nlohmann::json text = std::string(message.payload.data(), message.payload.size());
    const std::string quoted = text.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    out.append(quoted.data(), quoted.data() + quoted.size());
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<QuotedMessage>();
  }
};

std::unique_ptr<spdlog::formatter> make_formatter(bool as_json) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>(as_json ? spdlog::pattern_time_type::utc
                                                                       : spdlog::pattern_time_type::local);
  if (as_json) {
    formatter->add_flag<QuotedMessage>('*').set_pattern(
        R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","pid":%P,"message":%*})");
  } else {
    formatter->set_pattern("%Y-%m-%d %H:%M:%S.%e %l beltwayd[%P]: %v");
  }
  return formatter;
}

std::string line_of(spdlog::formatter& formatter, const spdlog::details::log_msg& message) {
  spdlog::memory_buf_t text;
  formatter.format(message, text);
  return {text.data(), text.size()};
}

/// The line that tells how many lines are missing.
std::string loss_line(spdlog::formatter& formatter, std::uint64_t lost, const std::string& why) {
  const std::string text = std::to_string(lost) + " lines of this log were lost: " + why;
  return line_of(formatter, spdlog::details::log_msg("beltwayd", spdlog::level::warn, text));
}

class Sink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit Sink(LogWriter& writer) : writer_(writer) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override { writer_.put(line_of(*formatter_, message)); }
  void flush_() override { writer_.flush(k_flush_patience_ms); }

  LogWriter& writer_;
};

/// Stays until the process ends: nothing that logs late may find it gone.
struct Log {
  LogOptions options;
  LogWriter writer;
};
Log* the_log = nullptr;  // NOLINT: one log of one process, as spdlog's default logger

void before_fork() { the_log->writer.before_fork(); }
void after_fork_in_parent() { the_log->writer.after_fork(false); }
void after_fork_in_child() { the_log->writer.after_fork(true); }

}  // namespace

void set_up_log(const LogOptions& options) {
  const std::shared_ptr<spdlog::formatter> for_losses = make_formatter(options.json);
  the_log =
      new Log{.options = options,
              .writer = LogWriter({.file = options.file, .tell = [for_losses](std::uint64_t lost, const auto& why) {
                                     return loss_line(*for_losses, lost, why);
                                   }})};
  ::pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
  auto logger = std::make_shared<spdlog::logger>("beltwayd", std::make_shared<Sink>(the_log->writer));
  logger->set_formatter(make_formatter(options.json));
  logger->set_level(spdlog::level::from_str(options.level));
  // spdlog's own handler writes to standard error, and would wait for it.
  logger->set_error_handler([](const std::string&) {});
  spdlog::set_default_logger(std::move(logger));
}

int try_log_file() noexcept {
  return the_log == nullptr || the_log->options.file.empty() ? 0 : the_log->writer.try_open(k_flush_patience_ms);
}

LogState log_state() {
  if (the_log == nullptr) return {};
  return {.file = the_log->options.file.string(), .lost = the_log->writer.lost()};
}

void log_failure(const std::string& context) {
  if (the_log != nullptr && !the_log->options.file.empty()) spdlog::critical("{}", context);
}

void flush_log() noexcept {
  if (the_log != nullptr) the_log->writer.flush(k_flush_patience_ms);
}

}  // namespace beltway::daemon
