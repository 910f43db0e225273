// What `sub` does once it is attached: receive in batches, write, and only then acknowledge.
//
// So a process that is killed at any moment, or whose reader goes away, loses nothing of a named group: what it had
// received and not surely written goes back. The price is that the group may get again what was just written.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "beltway/consumer.hpp"
#include "tool/text/digest.hpp"
#include "tool/text/message_writer.hpp"
#include "tool/text/progress.hpp"

namespace beltway::tool {

struct SubscribePlan {
  std::optional<std::uint64_t> count;               ///< end after so many messages
  std::optional<std::chrono::nanoseconds> timeout;  ///< the longest wait for the next message
  bool digest = false;
  MessageFormat format = MessageFormat::lines;
  bool properties = false;       ///< lines begin with them
  std::size_t batch = 1;         ///< messages held at a time, at most
  Progress* progress = nullptr;  ///< is told how far it came; may be null
};

/// Thread safety: one thread, the one that made the Interrupt behind the stop token.
class Subscribing {
 public:
  Subscribing(Consumer& consumer, const SubscribePlan& plan, Output& output, std::stop_token stop);

  /// Runs until the plan, the stream, a stop or the queue ends it, and returns which: ok (the count is reached), timeout,
  /// end_of_stream, stopped, removed, evicted. Everything counted is written then. Throws Failure (output).
  Status run();

  [[nodiscard]] std::uint64_t messages() const noexcept { return messages_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }
  [[nodiscard]] std::uint64_t redelivered() const noexcept { return redelivered_; }
  /// Between the arrival of the first messages and of the last ones; nothing if they came at once.
  [[nodiscard]] std::optional<double> first_to_last_seconds() const noexcept {
    const std::chrono::duration<double> span = last_at_ - first_at_;
    return span.count() > 0 ? std::optional(span.count()) : std::nullopt;
  }
  [[nodiscard]] const Digest& digest() const noexcept { return digest_; }

 private:
  void take(std::span<Message> batch);
  void count_one(const Message& message);

  Consumer& consumer_;
  SubscribePlan plan_;
  Output& output_;
  MessageWriter writer_;
  std::stop_token stop_;
  std::vector<Message> batch_;
  std::chrono::steady_clock::time_point first_at_ = {};
  std::chrono::steady_clock::time_point last_at_ = {};
  std::uint64_t messages_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t redelivered_ = 0;
  Digest digest_;
};

}  // namespace beltway::tool
