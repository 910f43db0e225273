// See death_log.hpp.
#include "queues/death_log.hpp"

#include <spdlog/spdlog.h>

#include <fstream>

namespace beltway::daemon {
namespace {

constexpr std::size_t k_most_queues = 8;  // that one line names

std::string text_of(const Death& death) {
  std::string text = death.endpoint + ", process " + std::to_string(death.pid);
  if (!death.command.empty()) text += " (" + death.command + ")";
  return "queue " + death.queue + ": " + text + ", is gone without detaching";
}

}  // namespace

void DeathLog::report(const Death& death, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  end_span(now);
  if (lines_ == 0) begin_ = now;
  if (lines_ == k_lines) {
    ++counted_[death.queue];
    last_ = text_of(death);
    return;
  }
  ++lines_;
  spdlog::info("{}; repaired: {} claims voided, {} messages given back", text_of(death), death.voided, death.released);
}

std::optional<DeathLog::Clock::time_point> DeathLog::due() const {
  const std::lock_guard lock(mutex_);
  if (counted_.empty()) return std::nullopt;
  return begin_ + k_span;
}

void DeathLog::flush(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  end_span(now);
}

void DeathLog::end_span(Clock::time_point now) {
  if (lines_ == 0 || now - begin_ < k_span) return;
  if (!counted_.empty()) tell_counted();
  counted_.clear();
  lines_ = 0;
}

void DeathLog::tell_counted() {
  std::uint64_t deaths = 0;
  std::string queues;
  std::size_t named = 0;
  for (const auto& [queue, count] : counted_) {
    deaths += count;
    if (++named > k_most_queues) continue;
    queues += (queues.empty() ? "" : ", ") + queue + " " + std::to_string(count);
  }
  if (named > k_most_queues) queues += " and " + std::to_string(named - k_most_queues) + " more queues";
  spdlog::warn("{} more endpoints died in {} s and were repaired ({}); the latest: {}", deaths, k_span.count(), queues,
               last_);
}

DeathLog& death_log() {
  static DeathLog log;
  return log;
}

std::string command_of(int pid) {
  std::string command;
  if (pid <= 0) return command;
  std::ifstream file("/proc/" + std::to_string(pid) + "/comm");
  std::getline(file, command);
  return command;
}

}  // namespace beltway::daemon
