// Why a message is in a dead letter queue: it was held beyond lease_timeout, or it expired. Over plain memory.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "beltway/beltway.hpp"
#include "local_dead_letters.hpp"
#include "timed_group.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;

/// What a dead letter says of its end.
struct Told {
  DeadLetterReason reason = DeadLetterReason::rejected;
  std::string text = {};
  std::string origin = {};  // "queue/group"
  std::uint64_t position = 0;
  unsigned deliveries = 0;
  bool operator==(const Told&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Told& told) {
  return out << to_string(told.reason) << " " << told.text << " of " << told.origin << " at " << told.position
             << " after " << told.deliveries;
}

Told told_by(const Result<Message>& letter) {
  if (!letter) return {.text = std::string(to_string(letter.status()))};
  const PropertiesView properties = letter->properties();
  const DeadLetter* const said = properties.dead_letter();
  if (said == nullptr) return {.text = "no dead letter"};
  EXPECT_EQ(said->first_time, said->last_time);
  return {said->reason, std::string(letter->text()), std::string(said->queue) + "/" + std::string(said->group),
          said->position, said->deliveries};
}

/// A message of group "g" that consumer `slow` holds, and consumer `quick`, who moves what is given up.
struct MovingTimedGroup : TimedGroup {
  explicit MovingTimedGroup(std::uint8_t max_deliveries)
      : TimedGroup(600'000, 8),
        out(queue.producer()),
        slow(consumer_with(queue, letters, {.group = "g"})),
        quick(consumer_with(queue, letters, {.group = "g"})) {
    queue.set_redelivery(
        "g",
        {.delay_ms = 0, .max_delay_ms = 0, .max_deliveries = max_deliveries, .discards = false, .dead_letters = true});
    out.publish("before");
    EXPECT_TRUE(slow.try_receive()->ack());
    out.publish("job");
    held = *slow.try_receive();
  }
  /// The ring goes round, and the message is parked.
  void park() {
    for (std::uint32_t i = 0; i < 3 * queue.memory().geometry.slots; ++i) {
      ASSERT_EQ(out.try_publish("x"), Status::ok);
      ASSERT_TRUE(quick.try_receive()->ack());
    }
    ASSERT_EQ(lease(held.position()).phase, LeasePhase::parked);
  }

  std::shared_ptr<LocalDeadLetters> letters = std::make_shared<LocalDeadLetters>();
  Producer out;
  Consumer slow;
  Consumer quick;
  Consumer dead = letters->consumer();
  Message held;
};

TEST(DeadLetterReasons, message_that_is_held_too_long_at_its_last_delivery_is_moved_since_its_lease_was_over) {
  for (const bool parks : {false, true}) {
    MovingTimedGroup group(1);
    if (parks) group.park();
    group.over(1);
    EXPECT_EQ(group.quick.try_receive().status(), Status::empty) << "it is not delivered again";
    EXPECT_EQ(told_by(group.dead.try_receive()), (Told{DeadLetterReason::lease_over, "job", "local/g", 1, 1}));
    EXPECT_EQ(group.dead.try_receive().status(), Status::empty);
    EXPECT_EQ(group.lease(1).phase, LeasePhase::done);
    EXPECT_EQ(group.quick.counters().timed_out, 1U);
    EXPECT_EQ(group.quick.counters().dead_lettered, 1U);
    EXPECT_EQ(group.quick.counters().discarded, 0U);
    EXPECT_FALSE(group.held.still_held());
    EXPECT_FALSE(group.held.ack());
  }
}

TEST(DeadLetterReasons, message_that_hangs_one_consumer_after_the_other_is_moved_with_the_number_of_its_deliveries) {
  MovingTimedGroup group(3);
  std::array<Message, 2> later;
  for (Message& each : later) {
    group.over(1);
    each = *group.quick.try_receive();
  }
  EXPECT_EQ(later[1].deliveries(), 3U);
  EXPECT_EQ(group.dead.try_receive().status(), Status::empty);
  group.over(1);
  EXPECT_EQ(group.quick.try_receive().status(), Status::empty);
  EXPECT_EQ(told_by(group.dead.try_receive()), (Told{DeadLetterReason::lease_over, "job", "local/g", 1, 3}));
}

TEST(DeadLetterReasons, message_whose_lease_was_over_keeps_its_reason_while_it_waits_for_its_move) {
  MovingTimedGroup group(1);
  group.letters->is_open = false;
  group.over(1);
  EXPECT_EQ(group.quick.try_receive().status(), Status::empty);
  EXPECT_EQ(group.quick.counters().failed_moves, 1U);
  EXPECT_FALSE(group.held.ack());
  group.letters->is_open = true;
  Result<Message> letter = Status::empty;
  for (int i = 0; i < 200 && !letter; ++i) {
    EXPECT_EQ(group.slow.receive(50ms).status(), Status::timeout);
    letter = group.dead.try_receive();
  }
  EXPECT_EQ(told_by(letter), (Told{DeadLetterReason::lease_over, "job", "local/g", 1, 1}));
}

/// Group "g" of a queue with a ttl, whose messages become dead letters.
struct ExpiringGroup {
  explicit ExpiringGroup(std::chrono::milliseconds ttl)
      : queue({.slots = 8, .groups = {"g"}, .ttl = ttl, .stamps = Stamps::fine}) {
    queue.set_redelivery(
        "g", {.delay_ms = 0, .max_delay_ms = 0, .max_deliveries = 0, .discards = false, .dead_letters = true});
  }
  LocalQueue queue;
  std::shared_ptr<LocalDeadLetters> letters = std::make_shared<LocalDeadLetters>();
  Consumer dead = letters->consumer();
};

TEST(DeadLetterReasons, expired_message_is_moved_and_not_delivered) {
  ExpiringGroup group(20ms);
  Producer out = group.queue.producer();
  Consumer in = consumer_with(group.queue, group.letters, {.group = "g"});
  Consumer all = group.queue.consumer();
  out.publish("first");
  out.publish("second");
  std::this_thread::sleep_for(40ms);
  EXPECT_EQ(in.try_receive().status(), Status::empty);
  EXPECT_EQ(told_by(group.dead.try_receive()), (Told{DeadLetterReason::expired, "first", "local/g", 0, 0}));
  EXPECT_EQ(told_by(group.dead.try_receive()), (Told{DeadLetterReason::expired, "second", "local/g", 1, 0}));
  EXPECT_EQ(in.counters().expired, 2U);
  EXPECT_EQ(in.counters().dead_lettered, 2U);
  EXPECT_EQ(in.counters().messages, 0U);
  EXPECT_EQ(all.try_receive().status(), Status::empty);
  EXPECT_EQ(group.dead.try_receive().status(), Status::empty) << "a private consumer has no dead letter queue";
}

TEST(DeadLetterReasons, message_that_expires_by_its_own_ttl_is_moved) {
  ExpiringGroup group(0ms);
  Producer out = group.queue.producer();
  Consumer in = consumer_with(group.queue, group.letters, {.group = "g"});
  out.publish("lasts");
  out.publish("old", {.ttl = 20ms});
  std::this_thread::sleep_for(40ms);
  Result<Message> first = in.try_receive();
  EXPECT_EQ(text_of(first), "lasts");
  EXPECT_TRUE(first->ack());
  EXPECT_EQ(in.try_receive().status(), Status::empty);
  EXPECT_EQ(told_by(group.dead.try_receive()), (Told{DeadLetterReason::expired, "old", "local/g", 1, 0}));
  EXPECT_EQ(in.counters().expired, 1U);
}

TEST(DeadLetterReasons, message_that_expires_while_it_waits_for_its_retry_is_moved_after_its_deliveries) {
  ExpiringGroup group(5min);
  Producer out = group.queue.producer();
  Consumer in = consumer_with(group.queue, group.letters, {.group = "g"});
  out.publish("failed");
  EXPECT_TRUE(in.try_receive()->nack(1us));
  group.queue.set_ttl("g", 20ms);
  std::this_thread::sleep_for(40ms);
  EXPECT_EQ(in.try_receive().status(), Status::empty);
  EXPECT_EQ(told_by(group.dead.try_receive()), (Told{DeadLetterReason::expired, "failed", "local/g", 0, 1}));
}

}  // namespace
}  // namespace beltway::test
