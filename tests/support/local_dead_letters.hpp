// A way to a dead letter queue over plain memory of this process. Thread safety: as DeadLetters; is_open from any thread.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "beltway/beltway.hpp"
#include "endpoint/dead_letters.hpp"
#include "local_queue.hpp"

namespace beltway::test {

struct LocalDeadLetters : endpoint::DeadLetters {
  explicit LocalDeadLetters(const QueueOptions& options = {.slots = 64, .max_producers = 2, .groups = {"dead"}})
      : queue(options), out(queue.producer()) {}

  endpoint::Move move(const ring::SlotView& view, const DeadLetter& letter,
                      const ring::NamedReader& reader) noexcept override {
    const std::lock_guard lock(mutex);
    ++attempts;
    Status status = Status::full;
    return is_open ? endpoint::try_move(out, view, letter, reader, status) : endpoint::Move::not_now;
  }
  void refresh() noexcept override { ++refreshed; }

  /// The next dead letter, as a consumer of its queue gets it.
  [[nodiscard]] Consumer consumer() { return queue.consumer({.group = "dead", .ack = Ack::automatic}); }

  LocalQueue queue;
  Producer out;
  std::mutex mutex;
  std::atomic<bool> is_open = true;
  std::atomic<unsigned> attempts = 0;
  std::atomic<unsigned> refreshed = 0;
};

/// A consumer of the group whose failed messages go to `letters`.
inline Consumer consumer_with(LocalQueue& queue, std::shared_ptr<endpoint::DeadLetters> letters,
                              const ConsumerOptions& options) {
  endpoint::Attachment attachment = queue.attach_consumer(options);
  attachment.dead_letters = std::move(letters);
  return endpoint::make_consumer(std::move(attachment), options);
}

}  // namespace beltway::test
