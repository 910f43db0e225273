// The way from a consumer to the dead letter queue of its group: a producer on that queue, which all consumers of the session
// share.
//
// Ownership: a route owns its share of the target; the last one detaches the producer. Thread safety: any thread.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "beltway/producer.hpp"
#include "beltway/until.hpp"
#include "client/attach.hpp"
#include "client/session.hpp"
#include "endpoint/dead_letters.hpp"

namespace beltway::client {

/// A producer on a dead letter queue, one a session and queue.
class DeadLetterTarget {
 public:
  explicit DeadLetterTarget(Producer producer) noexcept : producer_(std::move(producer)) {}

  [[nodiscard]] endpoint::Move move(const ring::SlotView& view, const DeadLetter& letter,
                                    const ring::NamedReader& reader) noexcept;
  /// True once the queue is gone: a new target is needed.
  [[nodiscard]] bool is_gone() const noexcept { return gone_.load(std::memory_order_relaxed); }

 private:
  std::mutex mutex_;  // guards producer_
  Producer producer_;
  std::atomic<bool> gone_ = false;
};

class DeadLetterRoute : public endpoint::DeadLetters {
 public:
  DeadLetterRoute(std::shared_ptr<Session> session, QueueName origin, std::string group)
      : session_(std::move(session)), origin_(std::move(origin)), group_(std::move(group)) {}

  /// Attaches the producer. Throws an Error that names both queues.
  void open(const std::string& target);

  [[nodiscard]] endpoint::Move move(const ring::SlotView& view, const DeadLetter& letter,
                                    const ring::NamedReader& reader) noexcept override;
  void refresh() noexcept override { is_stale_.store(true, std::memory_order_relaxed); }

 private:
  /// The target; null: none now. Asks the daemon if need be, at most once in k_dead_letter_open_us.
  std::shared_ptr<DeadLetterTarget> find_target() noexcept;
  /// Asks the daemon for the name of the queue, and attaches. Null: the group has none any more, or another thread attaches.
  [[nodiscard]] std::shared_ptr<DeadLetterTarget> ask() const;

  const std::shared_ptr<Session> session_;
  const QueueName origin_;
  const std::string group_;
  std::atomic<bool> is_stale_ = false;
  std::mutex mutex_;  // guards what follows; held for moments only
  std::shared_ptr<DeadLetterTarget> target_;
  bool is_asking_ = false;
  std::uint64_t asked_us_ = 0;
};

}  // namespace beltway::client
