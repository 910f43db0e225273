// What `pub` does once it is attached: messages from arguments, lines or pieces of a file into one producer.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "beltway/producer.hpp"
#include "tool/commands/pacer.hpp"
#include "tool/text/digest.hpp"
#include "tool/text/input.hpp"
#include "tool/text/progress.hpp"

namespace beltway::tool {

struct PublishPlan {
  std::optional<std::uint64_t> count;               ///< messages in all; arguments are repeated to reach it
  std::optional<double> rate;                       ///< messages a second
  std::optional<std::chrono::nanoseconds> timeout;  ///< for each message, while the queue is full
  bool digest = false;
  Properties properties{};       ///< of each message; views that outlive the Publishing
  bool numbered = false;         ///< message k gets sequence number k; those that were published before are skipped
  Progress* progress = nullptr;  ///< is told how far it came; may be null
};

/// Thread safety: one thread, the one that made the Interrupt behind the stop token.
class Publishing {
 public:
  Publishing(Producer& producer, const PublishPlan& plan, std::stop_token stop);

  /// Each returns when everything is published, the count is reached or a stop was requested. Throws Failure (timeout,
  /// gone, too large) and Error; what was published until then is counted.
  void arguments(const std::vector<std::string>& texts);
  void lines(const InputFile& file);
  /// Pieces of `piece_bytes` (the last may be shorter), read straight into the queue's memory where they are large.
  void pieces(const InputFile& file, std::size_t piece_bytes);

  [[nodiscard]] std::uint64_t messages() const noexcept { return messages_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  /// Messages of a numbered plan that were published before.
  [[nodiscard]] std::uint64_t skipped() const noexcept { return skipped_; }
  /// Complete only if the plan asked for it.
  [[nodiscard]] const Digest& digest() const noexcept { return digest_; }

 private:
  /// Messages of the input that are done with: published or skipped.
  [[nodiscard]] std::uint64_t sent() const noexcept { return messages_ + skipped_; }
  /// How many messages may still be published, at most `wanted`.
  [[nodiscard]] std::size_t allowed(std::size_t wanted) const;
  [[nodiscard]] Until until() const;
  /// False: stopped.
  bool send(std::span<const Bytes> messages);
  /// As the batch forms of Producer, which take no properties: one by one.
  Result<std::size_t> publish_some(std::span<const Bytes> messages, const Until& until);
  /// As send(), one by one with their numbers.
  bool send_numbered(std::span<const Bytes> messages);
  void drain(MessageReader reader);
  void loans(const InputFile& file, std::size_t piece_bytes);
  void counted(std::span<const Bytes> messages);
  /// Throws unless `status` is ok or stopped; false: stopped.
  bool check(Status status) const;

  Producer& producer_;
  PublishPlan plan_;
  std::stop_token stop_;
  std::optional<Pacer> pacer_;
  std::uint64_t messages_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t skipped_ = 0;
  Digest digest_;
};

}  // namespace beltway::tool
