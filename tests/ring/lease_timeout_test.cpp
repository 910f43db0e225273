// Leases that end by time, over plain memory: one test for each cell of the table in src/ring/LEASE_TIMEOUT.md.
#include "ring/lease_timeout.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "beltway/beltway.hpp"
#include "recovery/eviction.hpp"
#include "ring/groups.hpp"
#include "ring/live_groups.hpp"
#include "ring/parking.hpp"
#include "timed_group.hpp"

namespace beltway::test {

using namespace beltway::ring;

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

TEST(LeaseTimeout, lease_plans_a_look_and_gets_its_time_there_or_at_once) {
  TimedGroup group;
  Producer out = group.queue.producer();
  Consumer slow = group.consumer();
  Consumer quick = group.consumer();
  // In a stream: many leases in one tick of the clock.
  std::vector<Message> held;
  for (unsigned i = 0; i < 64; ++i) {
    out.publish("job");
    held.push_back(*slow.try_receive());
  }
  EXPECT_GE(group.end(held[0].position()).due_us, now_us() + 599'000'000) << "the first one has its time";
  const auto has_no_time = [&](const Message& message) { return group.end(message.position()).due_us == 0; };
  const auto untimed = std::ranges::find_if(held, has_no_time);
  ASSERT_NE(untimed, held.end());
  group.expect_next_look();
  EXPECT_EQ(quick.try_receive().status(), Status::empty);
  EXPECT_TRUE(has_no_time(*untimed)) << "it is not time to look";
  group.look();
  EXPECT_EQ(quick.try_receive().status(), Status::empty);
  for (Message& message : held) {
    const LeaseEnd end = group.end(message.position());
    EXPECT_TRUE(end.is_of(static_cast<std::uint8_t>(k_first_consumer + slow.index())));
    EXPECT_EQ(end.tries, 0U);
    EXPECT_GE(end.due_us, now_us() + 599'000'000);
    EXPECT_LE(end.due_us, now_us() + 601'000'000);
  }
  group.expect_next_look();
  for (Message& message : held) EXPECT_TRUE(message.ack());
}

TEST(LeaseTimeout, group_without_the_option_stores_no_time) {
  TimedGroup group(0);
  Producer out = group.queue.producer();
  Consumer in = group.consumer();
  out.publish("a");
  Message message = *in.try_receive();
  EXPECT_EQ(group.time(message.position()).load_relaxed(), 0U);
  EXPECT_EQ(group.check().due_us, 0U);
  EXPECT_TRUE(message.extend());
  EXPECT_EQ(group.time(message.position()).load_relaxed(), 0U);
  EXPECT_TRUE(message.still_held());
  EXPECT_TRUE(message.ack());
}

TEST(LeaseTimeout, message_that_is_held_too_long_goes_to_another_consumer) {
  OneHeld one;
  one.over(one.position);
  one.expect_it_goes_on();
  EXPECT_NE(one.check().due_us, 0U) << "the other consumer may have been stopped, too";
  one.look();
  EXPECT_EQ(one.quick.try_receive().status(), Status::empty);
  EXPECT_EQ(one.check().due_us, 0U) << "nobody holds a message any more";
}

TEST(LeaseTimeout, parked_message_that_is_held_too_long_goes_to_another_consumer) {
  OneHeld one(4);
  one.park();
  one.over(one.position);
  one.expect_it_goes_on();
  EXPECT_EQ(count_parked(one.queue.memory()), 0U);
}

TEST(LeaseTimeout, message_whose_tries_have_no_end_goes_on) {
  for (const bool parks : {false, true}) {
    OneHeld one(4);
    if (parks) one.park();
    Lease lease = one.lease(one.position);
    lease.tries = 255;
    one.queue.memory().lease(0, one.position).store_relaxed(lease.word());
    LeaseEnd end = one.end(one.position);
    end.tries = 255;
    one.time(one.position).store_relaxed(end.word());
    one.over(one.position);
    Result<Message> again = one.quick.try_receive();
    ASSERT_TRUE(again);
    EXPECT_EQ(again->deliveries(), 256U);
    EXPECT_FALSE(one.held.ack());
    EXPECT_TRUE(again->ack());
  }
}

TEST(LeaseTimeout, message_comes_back_before_newer_ones) {
  OneHeld one;
  for (const char* text : {"newer", "newest"}) one.out.publish(text);
  one.over(one.position);
  EXPECT_EQ(text_of(one.quick.try_receive()), "newer") << "the consumer sees that it is time to look";
  EXPECT_EQ(text_of(one.quick.try_receive()), "job");
}

TEST(LeaseTimeout, late_holder_can_neither_nack_nor_reject) {
  for (const bool rejects : {false, true}) {
    OneHeld one;
    one.queue.set_redelivery("g", {1, 1, 0, true});
    one.over(one.position);
    Result<Message> again = one.quick.try_receive();
    ASSERT_TRUE(again);
    EXPECT_FALSE(rejects ? one.held.reject() : one.held.nack());
    EXPECT_TRUE(again->ack());
    EXPECT_EQ(one.slow.counters().discarded, 0U);
  }
}

TEST(LeaseTimeout, ack_before_the_look_is_in_time) {
  OneHeld one;
  one.over(one.position);
  EXPECT_TRUE(one.held.still_held());
  EXPECT_TRUE(one.held.ack());
  EXPECT_EQ(one.quick.try_receive().status(), Status::empty);
  EXPECT_EQ(one.quick.counters().timed_out, 0U);
}

TEST(LeaseTimeout, extend_gives_the_whole_time_again) {
  for (const bool parks : {false, true}) {
    OneHeld one(4);
    if (parks) one.park();
    one.over(one.position);
    EXPECT_TRUE(one.held.extend());
    EXPECT_GE(one.end(one.position).due_us, now_us() + 599'000'000);
    EXPECT_EQ(one.quick.try_receive().status(), Status::empty);
    EXPECT_TRUE(one.held.still_held());
    one.expect_next_look();
    EXPECT_TRUE(one.held.ack());
  }
}

TEST(LeaseTimeout, extend_fails_while_the_message_is_being_given_back) {
  OneHeld one;
  LeaseEnd end = one.end(one.position);
  end.due_us = 0;
  one.time(one.position).store_relaxed(end.word());
  EXPECT_FALSE(one.held.extend());
  one.look();
  one.expect_it_goes_on();
}

TEST(LeaseTimeout, extend_writes_over_the_time_of_another_lease) {
  OneHeld one;
  one.time(one.position).store_relaxed(LeaseEnd{1, 7, 99, 3}.word());
  EXPECT_TRUE(one.held.extend());
  EXPECT_TRUE(one.end(one.position).is_of(static_cast<std::uint8_t>(k_first_consumer + one.slow.index())));
}

TEST(LeaseTimeout, time_of_the_lap_before_ends_no_lease) {
  TimedGroup group(600'000, 4);
  Producer out = group.queue.producer();
  Consumer slow = group.consumer();
  Consumer quick = group.consumer();
  std::uint64_t old = 0;
  Message held;
  for (int i = 0; i < 5; ++i) {
    out.publish("m");
    held = *slow.try_receive();
    if (i == 0)
      old =
          LeaseEnd{1, lease_lap(group.queue.memory(), held.position()), k_first_consumer | LeaseEnd::k_ends, 0}.word();
    if (i < 4) {
      EXPECT_TRUE(held.ack());
    }
  }
  group.time(held.position()).store_relaxed(old);
  group.look();
  EXPECT_EQ(quick.try_receive().status(), Status::empty);
  EXPECT_TRUE(held.ack());
}

TEST(LeaseTimeout, spent_message_is_dropped_and_counted) {
  for (const bool parks : {false, true}) {
    OneHeld one(4);
    if (parks) one.park();
    one.queue.set_redelivery("g", {0, 0, 1, true});
    one.over(one.position);
    EXPECT_EQ(one.quick.try_receive().status(), Status::empty);
    EXPECT_EQ(one.quick.counters().timed_out, 1U);
    EXPECT_EQ(one.quick.counters().discarded, 1U);
    EXPECT_FALSE(one.held.ack());
    EXPECT_EQ(one.lease(one.position).phase, LeasePhase::done);
  }
}

TEST(LeaseTimeout, batches_and_retries_get_times_too) {
  TimedGroup group;
  Producer out = group.queue.producer();
  Consumer slow = group.consumer();
  Consumer quick = group.consumer();
  const auto look_in_vain = [&] {
    group.look();
    EXPECT_EQ(quick.try_receive().status(), Status::empty);
  };
  for (int i = 0; i < 4; ++i) out.publish("m");
  std::vector<Message> held(4);
  ASSERT_EQ(*slow.try_receive_batch(held), 4U);
  look_in_vain();
  for (const Message& message : held) EXPECT_GT(group.end(message.position()).due_us, now_us());
  group.queue.set_redelivery("g", {1, 1, 0, false});
  EXPECT_TRUE(held[0].nack(1ms));
  Result<Message> retried = slow.receive(1s);
  ASSERT_TRUE(retried);
  look_in_vain();
  EXPECT_EQ(group.end(retried->position()).tries, 1U);
  EXPECT_GT(group.end(retried->position()).due_us, now_us());
  EXPECT_TRUE(retried->ack());
  for (std::size_t i = 1; i < 4; ++i) group.over(held[i].position());
  std::vector<Message> again(4);
  EXPECT_EQ(*quick.try_receive_batch(again), 3U);
  EXPECT_EQ(quick.counters().timed_out, 3U);
}

TEST(LeaseTimeout, consumer_that_always_finds_messages_looks_too) {
  OneHeld one;
  for (int i = 0; i < 8; ++i) one.out.publish("other");
  EXPECT_TRUE(one.quick.try_receive()->ack());
  one.over(one.position);
  std::vector<std::string> got;
  for (int i = 0; i < 3; ++i) got.push_back(text_of(one.quick.try_receive()));
  EXPECT_TRUE(std::ranges::find(got, "job") != got.end());
}

}  // namespace

}  // namespace beltway::test
