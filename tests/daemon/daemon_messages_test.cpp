// Queue::evict(), ack_message() and move_message(): one consumer or one message, while others go on.
#include <gtest/gtest.h>

#include "beltway/beltway.hpp"
#include "support/child.hpp"
#include "support/raw_client.hpp"
#include "support/supervised_daemon.hpp"

namespace beltway {
namespace {

using namespace std::chrono_literals;
using test::connect;
using test::error_of;
using test::TestDaemon;

class OneMessage : public testing::Test {
 protected:
  [[nodiscard]] Queue declare(const std::string& name, QueueOptions options = {}) const {
    options.slots = 16;
    options.lane_bytes = 8192;
    options.groups = {"g"};
    return link_.declare(name, options);
  }
  static void publish(const Queue& queue, unsigned count) {
    Producer out = queue.producer();
    for (unsigned i = 0; i < count; ++i) out.publish("message " + std::to_string(i));
  }
  /// What is in the group, which is empty afterwards.
  static std::vector<std::string> drain(const Queue& queue) {
    Consumer in = queue.consumer({.group = "g"});
    std::vector<std::string> messages;
    while (Result<Message> message = in.receive(200ms)) {
      messages.emplace_back(message->text());
      message->ack();
    }
    return messages;
  }

  TestDaemon daemon_;
  Connection link_ = connect(daemon_);
};

TEST_F(OneMessage, an_acknowledged_message_is_gone_and_the_others_stay) {
  const Queue queue = declare("orders");
  publish(queue, 3);
  queue.ack_message("g", 1);
  EXPECT_EQ(error_of([&] { queue.ack_message("g", 1); }).reason(), Errc::not_found);
  EXPECT_EQ(error_of([&] { queue.ack_message("g", 3); }).reason(), Errc::not_found);
  EXPECT_EQ(error_of([&] { queue.ack_message("h", 0); }).reason(), Errc::not_found);
  EXPECT_EQ(drain(queue), (std::vector<std::string>{"message 0", "message 2"}));
}

TEST_F(OneMessage, a_held_message_is_refused_and_its_holder_is_named) {
  const Queue queue = declare("orders");
  const Queue other = declare("broken");
  publish(queue, 1);
  Consumer in = queue.consumer({.group = "g"});
  Result<Message> held = in.receive(20s);
  ASSERT_TRUE(held);
  for (const Error& refused : {error_of([&] { queue.ack_message("g", 0); }),
                               error_of([&] { static_cast<void>(queue.move_message("g", 0, other)); })}) {
    EXPECT_EQ(refused.reason(), Errc::misuse);
    EXPECT_NE(std::string(refused.what()).find("is held by consumer 0 of group \"g\" (process "), std::string::npos)
        << refused.what();
  }
  EXPECT_TRUE(held->ack());
  EXPECT_TRUE(drain(other).empty());
}

TEST_F(OneMessage, a_ready_message_moves_with_payload_and_properties) {
  const Queue queue = declare("orders");
  const Queue broken = declare("broken");
  {
    Producer out = queue.producer();
    out.publish("good");
    out.publish("poison", {.key = "k-7"});
    out.publish(std::string(5000, 'x'));
  }
  EXPECT_EQ(queue.move_message("g", 1, broken), Status::ok);
  EXPECT_EQ(queue.move_message("g", 2, broken), Status::ok);
  Consumer in = broken.consumer({.group = "g"});
  Result<Message> message = in.receive(20s);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->text(), "poison");
  const PropertiesView properties = message->properties();
  EXPECT_EQ(properties.key(), "k-7");
  Result<Message> large = in.receive(20s);
  ASSERT_TRUE(large);
  EXPECT_EQ(large->text(), std::string(5000, 'x'));
  EXPECT_EQ(drain(queue), std::vector<std::string>{"good"});
}

TEST_F(OneMessage, a_delayed_message_moves) {
  const Queue queue = declare("orders", {.retry_delay = 1h, .retry_delay_max = 1h});
  const Queue broken = declare("broken");
  publish(queue, 2);
  {
    Consumer in = queue.consumer({.group = "g"});
    Result<Message> message = in.receive(20s);
    ASSERT_TRUE(message);
    EXPECT_TRUE(message->nack());
  }
  EXPECT_EQ(queue.move_message("g", 0, broken), Status::ok);
  EXPECT_EQ(drain(broken), std::vector<std::string>{"message 0"});
  EXPECT_EQ(drain(queue), std::vector<std::string>{"message 1"});
}

TEST_F(OneMessage, a_parked_message_moves_and_is_parked_no_longer) {
  const Queue queue = declare("orders", {.retry_delay = 1h, .retry_delay_max = 1h});
  const Queue broken = declare("broken");
  publish(queue, 1);
  Consumer in = queue.consumer({.group = "g"});
  Result<Message> failed = in.receive(20s);
  ASSERT_TRUE(failed);
  EXPECT_TRUE(failed->nack());
  Producer out = queue.producer();
  for (unsigned i = 1; i <= 40; ++i) {  // two laps: the message that waits is parked
    ASSERT_EQ(out.publish_until("later " + std::to_string(i), 20s), Status::ok);
    Result<Message> later = in.receive(20s);
    ASSERT_TRUE(later);
    EXPECT_TRUE(later->ack());
  }
  ASSERT_EQ(queue.snapshot().groups.at(0).parked, 1U);
  EXPECT_EQ(queue.move_message("g", 0, broken), Status::ok);
  EXPECT_EQ(drain(broken), std::vector<std::string>{"message 0"});
  EXPECT_EQ(queue.snapshot().groups.at(0).parked, 0U);
}

TEST_F(OneMessage, a_message_whose_target_stays_full_is_delivered_at_once) {
  const Queue queue = declare("orders");
  publish(queue, 1);
  const Queue full = declare("full");
  publish(full, 16);
  EXPECT_EQ(queue.move_message("g", 0, full, 50ms), Status::timeout);
  Consumer in = queue.consumer({.group = "g"});
  Result<Message> message = in.receive(20s);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->deliveries(), 1U) << "a hold is no delivery";
}

TEST_F(OneMessage, no_consumer_gets_a_message_while_it_moves) {
  const Queue queue = declare("orders");
  const Queue full = declare("full");
  publish(full, 16);
  Consumer in = queue.consumer({.group = "g"});
  publish(queue, 1);
  std::jthread mover([&] { EXPECT_EQ(queue.move_message("g", 0, full, 20s), Status::ok); });
  ASSERT_TRUE(test::eventually([&] { return queue.snapshot().groups.at(0).delayed == 1; }));
  EXPECT_EQ(in.try_receive().status(), Status::empty);
  static_cast<void>(drain(full));
  mover.join();
  EXPECT_EQ(in.receive(50ms).status(), Status::timeout);
  EXPECT_EQ(queue.snapshot().groups.at(0).depth, 0U);
}

TEST_F(OneMessage, a_message_that_a_consumer_waits_for_moves_or_is_received_but_never_both) {
  const Queue queue = declare("orders");
  const Queue other = declare("other", {.max_parked = 0});
  Consumer in = queue.consumer({.group = "g", .ack = Ack::automatic});
  Producer out = queue.producer();
  Consumer moved = other.consumer({.group = "g", .ack = Ack::automatic});
  unsigned moves = 0;
  for (unsigned round = 0; round < 200; ++round) {
    std::jthread mover([&] {
      try {
        moves += queue.move_message("g", round, other) == Status::ok ? 1 : 0;
      } catch (const Error&) {  // the consumer was faster
      }
    });
    const std::uint64_t position = out.publish("x");
    ASSERT_EQ(position, round);
    const bool received = static_cast<bool>(in.receive(1ms));
    mover.join();
    const bool late = !received && static_cast<bool>(in.try_receive());
    const bool came = static_cast<bool>(moved.try_receive());
    ASSERT_EQ((received ? 1 : 0) + (late ? 1 : 0) + (came ? 1 : 0), 1) << round;
  }
}

TEST(OneMessageSupervised, a_hold_outlives_the_daemon_and_the_message_is_not_lost) {
  const test::SupervisedDaemon daemon;
  const Connection link = daemon.connect();
  QueueOptions options{.slots = 16, .lane_bytes = 0, .groups = {"g"}};
  const Queue queue = link.declare("orders", options);
  const Queue full = link.declare("full", options);
  {
    Producer out = queue.producer();
    out.publish("held");
    Producer fills = full.producer();
    for (unsigned i = 0; i < 16; ++i) fills.publish("x");
  }
  std::jthread mover([&] { EXPECT_EQ(queue.move_message("g", 0, full, 20s), Status::ok); });
  ASSERT_TRUE(test::eventually([&] { return queue.snapshot().groups.at(0).delayed == 1; }));
  const int before = daemon.pid();
  daemon.kill_daemon();
  static_cast<void>(daemon.wait_for_another(before));
  EXPECT_EQ(queue.snapshot().groups.at(0).delayed, 1U);
  Consumer in = full.consumer({.group = "g", .ack = Ack::automatic});
  unsigned received = 0;
  while (in.receive(2s)) ++received;
  mover.join();
  EXPECT_EQ(received, 17U);
}

}  // namespace
}  // namespace beltway
