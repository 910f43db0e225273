// A named group over plain memory whose messages fail, and its words. Thread safety: as LocalQueue.
#pragma once

#include <chrono>
#include <string>

#include "beltway/beltway.hpp"
#include "local_queue.hpp"
#include "ring/queue_memory.hpp"

namespace beltway::test {

/// A delay that no test waits for.
inline constexpr std::chrono::minutes k_late{10};

/// Group "g". It delivers messages that failed again at once, until set_redelivery() says otherwise.
struct FailingGroup {
  explicit FailingGroup(std::uint32_t slots = 64) : queue({.slots = slots, .max_producers = 4, .groups = {"g"}}) {}

  [[nodiscard]] Consumer consumer(WaitStrategy wait = WaitStrategy::adaptive) {
    return queue.consumer({.group = "g", .wait = wait});
  }
  [[nodiscard]] ring::GroupBlock& block() const { return queue.memory().group(0); }
  [[nodiscard]] ring::EarliestDue earliest() const {
    return ring::EarliestDue::of(block().earliest_due.load_acquire());
  }
  [[nodiscard]] ring::Lease lease(std::uint64_t position) const {
    return ring::Lease::of(queue.memory().lease(0, position).load_acquire());
  }

  LocalQueue queue;
};

/// The payload, or why there is none.
inline std::string text_of(const Result<Message>& message) {
  return message ? std::string(message->text()) : std::string(to_string(message.status()));
}

}  // namespace beltway::test
