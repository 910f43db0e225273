// A group whose leases end by time, and a message that is held for too long. Thread safety: as LocalQueue.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "failing_group.hpp"
#include "ring/lease_timeout.hpp"

namespace beltway::test {

using namespace beltway::ring;

/// Group "g" with a lease_timeout that no test waits for: over() says that it has passed.
struct TimedGroup : FailingGroup {
  explicit TimedGroup(std::uint32_t timeout_ms = 600'000, std::uint32_t slots = 64) : FailingGroup(slots) {
    queue.set_lease_timeout("g", timeout_ms);
  }
  [[nodiscard]] Word& time(std::uint64_t position) const { return queue.memory().lease_time(0, position); }
  [[nodiscard]] LeaseEnd end(std::uint64_t position) const { return LeaseEnd::of(time(position).load_acquire()); }
  [[nodiscard]] EarliestDue check() const { return EarliestDue::of(block().lease_check.load_acquire()); }
  /// The time of the lease is over, and so is that of the next look.
  void over(std::uint64_t position) const {
    const std::uint64_t end_us = now_us() - LeaseEnd::k_unit_us;
    time(position).store_release(end_of(queue.memory(), lease(position), position, end_us).word());
    look();
  }
  /// Consumers look again within the interval, and not at once.
  void expect_next_look() const {
    EXPECT_GE(check().due_us, now_us() + look_interval_us(600'000'000) / 2);
    EXPECT_LE(check().due_us, now_us() + look_interval_us(600'000'000));
  }
  /// It is time to look.
  void look() const { block().lease_check.store_release(EarliestDue{1, check().version}.word()); }
};

/// A message "job" that consumer `slow` holds for too long, and another consumer.
struct OneHeld : TimedGroup {
  explicit OneHeld(std::uint32_t slots = 64)
      : TimedGroup(600'000, slots), out(queue.producer()), slow(consumer()), quick(consumer()) {
    out.publish("job");
    held = *slow.try_receive();
    position = held.position();
    // The first look gives the lease its time.
    look();
    EXPECT_EQ(quick.try_receive().status(), Status::empty);
  }
  /// The ring goes round, and the message is parked.
  void park() {
    for (std::uint32_t i = 0; i < 3 * queue.memory().geometry.slots; ++i) {
      ASSERT_EQ(out.try_publish("x"), Status::ok);
      ASSERT_TRUE(quick.try_receive()->ack());
    }
    ASSERT_EQ(lease(position).phase, LeasePhase::parked);
  }
  /// The message goes to the other consumer, and the late holder is told.
  void expect_it_goes_on() {
    Result<Message> again = quick.try_receive();
    ASSERT_TRUE(again);
    EXPECT_EQ(again->text(), "job");
    EXPECT_EQ(again->position(), position);
    EXPECT_EQ(again->deliveries(), 2U);
    EXPECT_TRUE(again->still_held());
    EXPECT_FALSE(held.still_held());
    EXPECT_FALSE(held.extend());
    EXPECT_FALSE(held.ack());
    EXPECT_TRUE(again->still_held()) << "the late ack took it away";
    EXPECT_TRUE(again->ack());
    EXPECT_EQ(quick.counters().timed_out, 1U);
    EXPECT_EQ(quick.try_receive().status(), Status::empty);
  }

  Producer out;
  Consumer slow;
  Consumer quick;
  Message held;
  std::uint64_t position = 0;
};

}  // namespace beltway::test
