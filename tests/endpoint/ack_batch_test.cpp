// ack_batch(): many acknowledgements, and what comes after each of them done once.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "beltway/beltway.hpp"
#include "child.hpp"
#include "local_queue.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;

/// Eight slots, full of messages 0 to 7, and a group that has taken none of them.
class AckBatch : public testing::TestWithParam<std::uint32_t> {
 protected:
  AckBatch()
      : queue_({.slots = 8, .max_producers = GetParam(), .max_consumers = 4, .groups = {"g"}}),
        out_(queue_.producer()) {
    publish_eight();
  }
  void publish_eight() {
    for (int i = 0; i < 8; ++i) ASSERT_EQ(out_.try_publish(std::to_string(i)), Status::ok) << i;
  }
  LocalQueue queue_;
  Producer out_;
  std::array<Message, 8> batch_;
};
INSTANTIATE_TEST_SUITE_P(Producers, AckBatch, testing::Values(1U, 4U));

TEST_P(AckBatch, an_ack_batch_ends_every_message_and_frees_the_ring) {
  Consumer in = queue_.consumer({.group = "g"});
  for (std::uint64_t round = 1; round <= 3; ++round) {
    ASSERT_EQ(in.receive_batch(batch_).value_or(0), 8U);
    EXPECT_EQ(out_.try_publish("x"), Status::full);
    EXPECT_EQ(ack_batch(batch_), 8U);
    for (const Message& message : batch_) EXPECT_FALSE(message);
    EXPECT_EQ(ack_batch(batch_), 0U) << "ended already";
    EXPECT_EQ(in.counters().acks, 8 * round);
    EXPECT_EQ(in.try_receive().status(), Status::empty);
    publish_eight();
  }
}

TEST_P(AckBatch, an_ack_batch_skips_messages_that_ended_otherwise) {
  Consumer in = queue_.consumer({.group = "g"});
  ASSERT_EQ(in.receive_batch(batch_).value_or(0), 8U);
  batch_[0].nack();
  batch_[5].ack();
  EXPECT_EQ(ack_batch(batch_), 6U);
  const Result<Message> again = in.try_receive();
  ASSERT_TRUE(again);
  EXPECT_EQ(in.counters().acks, 7U);
  EXPECT_EQ(in.counters().nacks, 1U);
}

TEST_P(AckBatch, an_ack_batch_takes_messages_of_several_consumers_in_any_order) {
  Consumer one = queue_.consumer({.group = "g"});
  Consumer two = queue_.consumer({.group = "g"});
  for (Message& message : batch_) {
    Result<Message> received = (&message - batch_.data()) % 3 == 0 ? one.try_receive() : two.try_receive();
    ASSERT_TRUE(received);
    message = std::move(*received);
  }
  std::swap(batch_[0], batch_[7]);
  std::swap(batch_[1], batch_[4]);
  EXPECT_EQ(ack_batch(batch_), 8U);
  EXPECT_EQ(one.counters().acks, 3U);
  EXPECT_EQ(two.counters().acks, 5U);
  publish_eight();
}

TEST_P(AckBatch, an_ack_batch_releases_messages_of_private_groups) {
  Consumer in = queue_.consumer({.group = "g"});
  Consumer own = queue_.consumer();
  Consumer lossy = queue_.consumer({.lossy = true});
  ASSERT_EQ(in.receive_batch(batch_).value_or(0), 8U);
  EXPECT_EQ(ack_batch(batch_), 8U);
  publish_eight();
  for (Consumer* consumer : {&lossy, &own, &in}) {
    EXPECT_EQ(out_.try_publish("x"), Status::full);
    ASSERT_EQ(consumer->receive_batch(batch_).value_or(0), 8U);
    EXPECT_EQ(ack_batch(batch_), 8U);
  }
  publish_eight();
}

TEST_P(AckBatch, an_ack_batch_wakes_a_producer_that_waits_for_room) {
  Consumer in = queue_.consumer({.group = "g"});
  ASSERT_EQ(in.receive_batch(batch_).value_or(0), 8U);
  std::jthread producer([&] { out_.publish("there is room"); });
  while (queue_.memory().shared_status().producer_sleepers.load_relaxed() == 0) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(ack_batch(batch_), 8U);
}

TEST_P(AckBatch, an_ack_batch_in_another_thread_gives_credit_to_a_consumer_that_waits_for_it) {
  Consumer in = queue_.consumer({.group = "g", .prefetch = 4});
  ASSERT_EQ(in.receive_batch(batch_).value_or(0), 4U);
  EXPECT_EQ(in.try_receive().status(), Status::prefetch_limit);
  std::jthread other([&] {
    std::this_thread::sleep_for(20ms);
    EXPECT_EQ(ack_batch(batch_), 4U);
  });
  EXPECT_EQ(in.receive(Until(60s))->text(), "4");
}

TEST_P(AckBatch, the_last_ack_of_a_batch_deletes_a_consumer_that_was_closed) {
  auto in = std::make_unique<Consumer>(queue_.consumer({.group = "g"}));
  ASSERT_EQ(in->receive_batch(batch_).value_or(0), 8U);
  in.reset();
  EXPECT_EQ(ack_batch(std::span(batch_).first(5)), 5U);
  EXPECT_EQ(batch_[5].text(), "5") << "still there";
  EXPECT_EQ(ack_batch(batch_), 3U);
  publish_eight();
  EXPECT_EQ(queue_.consumer({.group = "g"}).index(), 0U) << "its place is free";
}

TEST_P(AckBatch, an_ack_batch_in_a_forked_child_changes_nothing) {
  Consumer in = queue_.consumer({.group = "g"});
  ASSERT_EQ(in.receive_batch(batch_).value_or(0), 8U);
  EXPECT_TRUE(Child::fork([&] { return ack_batch(batch_) == 0 && !batch_[0] ? 0 : 1; }).wait().ok());
  EXPECT_EQ(out_.try_publish("x"), Status::full);
  EXPECT_EQ(ack_batch(batch_), 8U);
}

}  // namespace
}  // namespace beltway::test
