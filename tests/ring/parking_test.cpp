// Held messages that are parked: the ring goes round beside them, in slots and in lanes. See ring/parking.hpp.
#include "ring/parking.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "beltway/beltway.hpp"
#include "local_queue.hpp"
#include "ring/groups.hpp"

namespace beltway::test {

using namespace beltway::endpoint;
using namespace beltway::ring;

namespace {

QueueOptions parking_queue(std::uint32_t slots, std::uint32_t producers) {
  return {.slots = slots, .slot_bytes = 64, .lane_bytes = 4096, .max_producers = producers, .groups = {"g"}};
}

Lease lease_at(const LocalQueue& queue, Position position) {
  return Lease::of(queue.memory().lease(0, position).load_acquire());
}

/// Publishes and acknowledges `count` messages of `size` bytes by way of `in`.
void go_round(Producer& out, Consumer& in, unsigned count, std::size_t size = 8) {
  for (unsigned i = 0; i < count; ++i) {
    const std::string text(size, static_cast<char>('a' + i % 26));
    ASSERT_EQ(out.try_publish(text), Status::ok) << "message " << i;
    Result<Message> message = in.try_receive();
    ASSERT_TRUE(message) << "message " << i;
    ASSERT_EQ(message->text(), text);
    ASSERT_TRUE(message->ack());
  }
}

/// In rings of one and of several producers, of 2 slots and more.
class Parking : public testing::TestWithParam<std::tuple<std::uint32_t, std::uint32_t>> {
 protected:
  [[nodiscard]] QueueOptions options() const { return parking_queue(std::get<0>(GetParam()), std::get<1>(GetParam())); }
};
INSTANTIATE_TEST_SUITE_P(Rings, Parking, testing::Combine(testing::Values(2U, 4U, 16U, 64U), testing::Values(1U, 4U)));

TEST_P(Parking, ring_goes_round_many_times_beside_a_held_message) {
  LocalQueue queue(options(), (1ULL << k_position_bits) - 5);
  Producer out = queue.producer();
  Consumer slow = queue.consumer({.group = "g"});
  Consumer quick = queue.consumer({.group = "g"});
  out.publish("a long job");
  Result<Message> held = slow.try_receive();
  ASSERT_TRUE(held);
  go_round(out, quick, 100);
  EXPECT_EQ(lease_at(queue, held->position()).phase, LeasePhase::parked);
  EXPECT_EQ(count_parked(queue.memory()), 1U);
  EXPECT_EQ(held->text(), "a long job");
  EXPECT_TRUE(held->ack());
  EXPECT_EQ(count_parked(queue.memory()), 0U);
  go_round(out, quick, 100);
  EXPECT_FALSE(is_any_marked(queue.memory())) << "the next laps look at no lease word";
}

TEST_P(Parking, message_in_a_lane_keeps_its_bytes_while_the_lane_goes_round) {
  LocalQueue queue(options());
  Producer out = queue.producer();
  Consumer slow = queue.consumer({.group = "g"});
  Consumer quick = queue.consumer({.group = "g"});
  const std::string large(1000, 'L');
  go_round(out, quick, 1, 700);
  out.publish(large);
  Result<Message> held = slow.try_receive();
  ASSERT_TRUE(held);
  go_round(out, quick, 100, 900);
  EXPECT_EQ(held->text(), large);
  EXPECT_TRUE(held->ack());
  go_round(out, quick, 20, 3000);
}

TEST_P(Parking, message_that_is_given_back_while_parked_is_delivered_again_as_it_was) {
  LocalQueue queue(options());
  Producer out = queue.producer();
  Consumer slow = queue.consumer({.group = "g"});
  Consumer quick = queue.consumer({.group = "g"});
  for (const std::size_t size : {20U, 600U}) {
    const std::string text(size, 'x');
    out.publish(text);
    Result<Message> held = slow.try_receive();
    ASSERT_TRUE(held);
    const Position position = held->position();
    go_round(out, quick, 100, size);
    EXPECT_TRUE(held->nack());
    EXPECT_EQ(lease_at(queue, position).phase, LeasePhase::parked_delayed);
    Result<Message> again = quick.try_receive();
    ASSERT_TRUE(again);
    EXPECT_EQ(again->text(), text);
    EXPECT_EQ(again->position(), position);
    EXPECT_EQ(again->producer(), out.index());
    EXPECT_EQ(again->deliveries(), 2U);
    go_round(out, slow, 100, size);
    EXPECT_EQ(again->text(), text);
    EXPECT_TRUE(again->ack());
    EXPECT_EQ(count_parked(queue.memory()), 0U);
  }
}

TEST_P(Parking, parked_message_of_a_dead_consumer_is_delivered_before_newer_ones) {
  LocalQueue queue(options());
  Producer out = queue.producer();
  Consumer quick = queue.consumer({.group = "g"});
  {
    Consumer slow = queue.consumer({.group = "g"});
    out.publish("job");
    Result<Message> held = slow.try_receive();
    ASSERT_TRUE(held);
    go_round(out, quick, 9);
    queue.detach(k_first_consumer + slow.index());
    EXPECT_FALSE(held->ack());
  }
  out.publish("newer");
  Result<Message> again = quick.try_receive();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->text(), "job");
  EXPECT_EQ(again->deliveries(), 2U);
  EXPECT_TRUE(again->ack());
  EXPECT_EQ(quick.try_receive()->text(), "newer");
}

TEST_P(Parking, message_that_no_consumer_holds_keeps_the_ring) {
  LocalQueue queue(options());
  Producer out = queue.producer();
  Consumer in = queue.consumer({.group = "g"});
  for (unsigned i = 0; i < queue.memory().geometry.slots; ++i) out.publish("waits");
  Result<Message> first = in.try_receive();
  EXPECT_EQ(out.try_publish("more"), Status::full);
  EXPECT_TRUE(first->ack());
  EXPECT_EQ(out.try_publish("more"), Status::ok);
  EXPECT_EQ(out.try_publish("more"), Status::full);
}

TEST_P(Parking, max_parked_bounds_the_slots_that_are_parked) {
  for (const std::uint32_t most : {0U, 1U}) {
    QueueOptions bounded = options();
    bounded.max_parked = most;
    LocalQueue queue(bounded);
    Producer out = queue.producer();
    Consumer slow = queue.consumer({.group = "g"});
    Consumer quick = queue.consumer({.group = "g"});
    std::vector<Message> held;
    for (unsigned i = 0; i <= most; ++i) {
      out.publish("held");
      held.push_back(*slow.try_receive());
    }
    // As soon as the first held message that is not parked holds the floor, the ring is full.
    unsigned published = 0;
    while (published < 100 && out.try_publish("x") == Status::ok) {
      ++published;
      if (Result<Message> message = quick.try_receive()) message->ack();
    }
    EXPECT_LT(published, queue.memory().geometry.slots) << "max_parked " << most;
    EXPECT_LE(count_parked(queue.memory()), most);
    for (Message& message : held) EXPECT_TRUE(message.ack());
    go_round(out, quick, 20);
  }
}

TEST_P(Parking, max_parked_bounds_runs_of_held_messages) {
  QueueOptions bounded = options();
  bounded.slots = 16;
  bounded.max_parked = 4;
  LocalQueue queue(bounded);
  Producer out = queue.producer();
  Consumer slow = queue.consumer({.group = "g"});
  Consumer quick = queue.consumer({.group = "g"});
  std::vector<Message> held;
  for (unsigned lap = 0; lap < 4; ++lap) {
    for (unsigned i = 0; i < 3; ++i) {
      if (out.try_publish("held") != Status::ok) break;
      if (Result<Message> message = slow.try_receive()) held.push_back(*std::move(message));
    }
    for (unsigned i = 0; i < 40 && out.try_publish("x") == Status::ok; ++i) {
      if (Result<Message> message = quick.try_receive()) message->ack();
    }
    EXPECT_LE(count_parked(queue.memory()), 4U);
  }
  EXPECT_GE(count_parked(queue.memory()), 3U);
  for (Message& message : held) EXPECT_TRUE(message.ack());
  go_round(out, quick, 20);
}

TEST_P(Parking, each_form_of_publish_goes_around_a_parked_slot) {
  LocalQueue queue(options());
  Producer out = queue.producer();
  Consumer slow = queue.consumer({.group = "g"});
  Consumer quick = queue.consumer({.group = "g"});
  out.publish("held");
  Result<Message> held = slow.try_receive();
  ASSERT_TRUE(held);
  for (unsigned i = 0; i < 40; ++i) {
    const std::string text = std::to_string(i);
    const auto write = [&text](std::span<std::byte> place) { std::memcpy(place.data(), text.data(), place.size()); };
    switch (i % 4) {
      case 0: ASSERT_EQ(out.try_publish(text.size(), write), Status::ok); break;
      case 1: {
        Result<Loan> loan = out.try_loan(800);
        ASSERT_TRUE(loan);
        std::memset(loan->bytes().data(), 'l', 800);
        ASSERT_EQ(loan->try_commit(), Status::ok);
        break;
      }
      case 2: {
        const std::array<Bytes, 1> one{Bytes(text)};
        ASSERT_EQ(*out.try_publish_batch(one), 1U);
        break;
      }
      default: ASSERT_EQ(out.publish_until(text, Until()), Status::ok);
    }
    Result<Message> message = quick.try_receive();
    ASSERT_TRUE(message);
    EXPECT_EQ(message->text(), i % 4 == 1 ? std::string(800, 'l') : text);
    EXPECT_TRUE(message->ack());
  }
  EXPECT_EQ(held->text(), "held");
}

TEST_P(Parking, private_and_lossy_consumers_skip_the_positions_of_a_parked_slot) {
  LocalQueue queue(options());
  Producer out = queue.producer();
  Consumer slow = queue.consumer({.group = "g"});
  Consumer quick = queue.consumer({.group = "g"});
  Consumer alone = queue.consumer();
  Consumer lossy = queue.consumer({.lossy = true});
  out.publish("held");
  Result<Message> held = slow.try_receive();
  ASSERT_TRUE(held);
  EXPECT_EQ(alone.try_receive()->text(), "held");
  EXPECT_EQ(lossy.try_receive()->text(), "held");
  for (unsigned i = 0; i < 50; ++i) {
    const std::string text = std::to_string(i);
    ASSERT_EQ(out.try_publish(text), Status::ok);
    for (Consumer* in : {&quick, &alone, &lossy}) {
      Result<Message> message = in->try_receive();
      ASSERT_TRUE(message);
      EXPECT_EQ(message->text(), text);
      EXPECT_EQ(message->lost(), 0U);
      message->ack();
    }
  }
}

TEST_P(Parking, message_that_two_groups_park_is_free_when_both_have_ended_it) {
  QueueOptions two = options();
  two.groups = {"g", "h"};
  LocalQueue queue(two);
  Producer out = queue.producer();
  std::vector<Consumer> slow;
  std::vector<Consumer> quick;
  std::vector<Message> held;
  out.publish("held");
  for (const char* group : {"g", "h"}) {
    slow.push_back(queue.consumer({.group = group}));
    quick.push_back(queue.consumer({.group = group}));
    held.push_back(*slow.back().try_receive());
  }
  const auto lap = [&] {
    for (unsigned i = 0; i < 40; ++i) {
      ASSERT_EQ(out.try_publish("x"), Status::ok);
      for (Consumer& in : quick) ASSERT_TRUE(in.try_receive()->ack());
    }
  };
  lap();
  EXPECT_TRUE(held[0].ack());
  lap();
  EXPECT_EQ(count_parked(queue.memory()), 1U);
  EXPECT_EQ(held[1].text(), "held");
  EXPECT_TRUE(held[1].ack());
  EXPECT_EQ(count_parked(queue.memory()), 0U);
  lap();
}

TEST_P(Parking, group_that_joins_at_the_oldest_message_does_not_get_what_others_have_parked) {
  LocalQueue queue(options());
  Producer out = queue.producer();
  Consumer slow = queue.consumer({.group = "g"});
  Consumer quick = queue.consumer({.group = "g"});
  out.publish("held");
  Result<Message> held = slow.try_receive();
  ASSERT_TRUE(held);
  go_round(out, quick, 3 * queue.memory().geometry.slots);
  Consumer late = queue.consumer({.start = Start::oldest});
  while (Result<Message> message = late.try_receive()) EXPECT_NE(message->text(), "held");
  EXPECT_TRUE(held->ack());
}

}  // namespace

}  // namespace beltway::test
