// Leases that end by time beside all else that a group goes through, and sleepers that watch the time, over plain memory.
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
#include "endpoint/overwriting.hpp"
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

TEST(LeaseTimeoutOfAGroup, purge_leaves_held_messages_and_takes_those_given_back) {
  OneHeld one;
  EXPECT_EQ(purge(one.queue.memory(), 0).messages, 0U);
  one.over(one.position);
  EXPECT_TRUE(one.quick.try_receive()->nack());
  EXPECT_EQ(purge(one.queue.memory(), 0).messages, 1U);
  EXPECT_FALSE(one.held.ack());
}

TEST(LeaseTimeoutOfAGroup, paused_group_looks_when_it_goes_on) {
  OneHeld one;
  pause(one.queue.memory(), 0);
  one.over(one.position);
  EXPECT_EQ(one.quick.try_receive().status(), Status::empty);
  EXPECT_TRUE(one.held.still_held());
  resume(one.queue.memory(), 0);
  one.expect_it_goes_on();
}

TEST(LeaseTimeoutOfAGroup, removal_waits_for_the_holder) {
  OneHeld one;
  EXPECT_FALSE(leave(one.queue.memory(), 0));
  one.over(one.position);
  EXPECT_EQ(one.quick.try_receive().status(), Status::removed);
  EXPECT_TRUE(one.held.ack());
  EXPECT_TRUE(try_drain(one.queue.memory(), 0));
}

TEST(LeaseTimeoutOfAGroup, reset_forgets_the_time_of_an_acknowledged_message) {
  OneHeld one;
  one.over(one.position);
  EXPECT_TRUE(one.held.ack());
  reset(one.queue.memory(), 0, one.position);
  EXPECT_EQ(one.time(one.position).load_relaxed(), 0U);
  Result<Message> again = one.slow.try_receive();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->text(), "job");
  EXPECT_EQ(one.quick.try_receive().status(), Status::empty);
  EXPECT_TRUE(again->ack());
}

TEST(LeaseTimeoutOfAGroup, new_group_forgets_the_times_of_the_one_before) {
  OneHeld one;
  one.over(one.position);
  EXPECT_TRUE(one.held.ack());
  join(one.queue.memory(), 0, GroupKind::named, Start::latest);
  EXPECT_EQ(one.check().due_us, 0U);
  EXPECT_EQ(one.time(one.position).load_relaxed(), 0U);
}

TEST(LeaseTimeoutOfAGroup, eviction_and_death_of_a_holder_are_as_without) {
  for (const bool dies : {false, true}) {
    OneHeld one;
    if (dies) {
      one.queue.detach(k_first_consumer + one.slow.index());
    } else {
      recovery::revoke(one.queue.memory(), k_first_consumer + one.slow.index(), 1, 0);
    }
    Result<Message> again = one.quick.try_receive();
    ASSERT_TRUE(again);
    EXPECT_EQ(again->deliveries(), 2U);
    one.look();
    Consumer third = one.consumer();
    EXPECT_EQ(third.try_receive().status(), Status::empty);
    EXPECT_EQ(one.end(one.position).tries, 1U);
    EXPECT_FALSE(one.held.ack());
    EXPECT_TRUE(again->ack());
    EXPECT_EQ(one.quick.counters().timed_out, 0U);
  }
}

TEST(LeaseTimeoutOfAGroup, heal_plans_a_look_that_was_lost) {
  OneHeld one;
  one.block().lease_check.store_relaxed(0);
  one.queue.heal();
  one.expect_next_look();
  // A lease without a time yet.
  one.block().lease_check.store_relaxed(0);
  one.time(one.position).store_relaxed(0);
  one.queue.heal();
  one.expect_next_look();
}

TEST(LeaseTimeoutOfAGroup, end_of_the_stream_waits_for_a_message_that_another_holds) {
  OneHeld one;
  Consumer last = one.queue.consumer({.group = "g", .end_of_stream = EndOfStream::drained});
  {
    const Producer gone = std::move(one.out);
  }
  EXPECT_EQ(last.try_receive().status(), Status::empty);
  one.over(one.position);
  Result<Message> again = last.try_receive();
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->ack());
  EXPECT_EQ(last.try_receive().status(), Status::end_of_stream);
}

TEST(LeaseTimeoutOfAGroup, wrong_words_cost_a_look_or_a_delivery_at_most) {
  for (const std::uint64_t wrong : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}, std::uint64_t{1} << 63}) {
    OneHeld one;
    one.block().lease_check.store_relaxed(wrong);
    one.out.publish("other");
    EXPECT_TRUE(one.quick.try_receive()->ack());
    EXPECT_EQ(one.quick.try_receive().status(), Status::empty);
    EXPECT_LE(one.check().due_us, now_us() + 700'000'000);
    one.time(one.position).store_relaxed(wrong);
    one.look();
    EXPECT_EQ(one.quick.try_receive().status(), Status::empty);
    EXPECT_TRUE(one.held.ack());
  }
  OneHeld one;
  one.time(one.position)
      .store_relaxed(LeaseEnd{~std::uint64_t{0} >> 20, 0, k_first_consumer | LeaseEnd::k_ends, 0}.word());
  one.look();
  EXPECT_EQ(text_of(one.quick.try_receive()), "job") << "no lease lasts for years";
  one.block().times.store_relaxed(~std::uint64_t{0});
  EXPECT_EQ(lease_timeout_us(one.queue.memory(), 0), static_cast<std::uint64_t>(k_max_lease_timeout_ms) * 1000);
}

TEST(LeaseTimeoutOfAGroup, option_that_is_turned_off_ends_no_lease_any_more) {
  OneHeld one;
  one.queue.set_lease_timeout("g", 0);
  post_notice(one.queue.memory(), 0);
  EXPECT_EQ(one.quick.try_receive().status(), Status::empty);  // it reads the option
  one.over(one.position);
  EXPECT_EQ(one.quick.try_receive().status(), Status::empty);
  EXPECT_EQ(count_overdue(one.queue.memory(), 0), 0U);
  EXPECT_TRUE(one.held.ack());
}

TEST(LeaseTimeoutOfAGroup, option_that_is_turned_on_holds_for_leases_from_then_on) {
  TimedGroup group(0);
  Producer out = group.queue.producer();
  Consumer slow = group.consumer();
  Consumer quick = group.consumer();
  out.publish("before");
  Message before = *slow.try_receive();
  group.queue.set_lease_timeout("g", 600'000);
  EXPECT_TRUE(before.extend());
  EXPECT_EQ(group.time(before.position()).load_relaxed(), 0U) << "it is ended by a store";
  EXPECT_FALSE(endpoint::may_be_overwritten(before));
  post_notice(group.queue.memory(), 0);
  EXPECT_EQ(slow.try_receive().status(), Status::empty);
  EXPECT_EQ(quick.try_receive().status(), Status::empty);
  out.publish("after");
  Message after = *slow.try_receive();
  EXPECT_TRUE(endpoint::may_be_overwritten(after));
  group.over(after.position());
  EXPECT_EQ(text_of(quick.try_receive()), "after");
  EXPECT_FALSE(after.ack());
  EXPECT_TRUE(before.ack());
}

TEST(LeaseTimeoutOfAGroup, messages_are_held_and_extended_in_other_threads) {
  OneHeld one;
  std::thread([&] {
    EXPECT_TRUE(one.held.still_held());
    EXPECT_TRUE(one.held.extend());
    EXPECT_TRUE(one.held.ack());
  }).join();
  EXPECT_FALSE(one.held.still_held());
  EXPECT_FALSE(one.held.extend());
}

TEST(LeaseTimeoutOfAGroup, private_and_lossy_messages_are_always_held) {
  LocalQueue queue({.slots = 8});
  Consumer in = queue.consumer();
  Consumer lossy = queue.consumer({.lossy = true});
  Producer out = queue.producer();
  out.publish("m");
  for (Consumer* const consumer : {&in, &lossy}) {
    Message message = *consumer->try_receive();
    EXPECT_TRUE(message.extend());
    EXPECT_TRUE(message.still_held());
    EXPECT_EQ(endpoint::may_be_overwritten(message), consumer == &lossy);
  }
}

TEST(LeaseTimeoutOfAGroup, sleeper_wakes_when_the_time_is_over) {
  TimedGroup group(50);
  Producer out = group.queue.producer();
  Consumer slow = group.consumer();
  out.publish("job");
  const auto start = Clock::now();
  Message held = *slow.try_receive();
  Consumer quick = group.consumer(WaitStrategy::sleep);
  Result<Message> again = quick.receive(5s);
  ASSERT_TRUE(again);
  EXPECT_GE(Clock::now() - start, 50ms) << "never too early";
  EXPECT_LT(Clock::now() - start, 1s);
  EXPECT_EQ(quick.counters().rescued, 0U);
  EXPECT_FALSE(held.ack());
}

TEST(LeaseTimeoutOfAGroup, job_that_extends_its_message_keeps_it) {
  TimedGroup group(400);
  Producer out = group.queue.producer();
  Consumer slow = group.consumer();
  out.publish("job");
  Message held = *slow.try_receive();
  std::jthread other([&] { EXPECT_EQ(group.consumer().receive(1s).status(), Status::timeout); });
  for (const auto end = Clock::now() + 1200ms; Clock::now() < end;) {
    std::this_thread::sleep_for(5ms);
    EXPECT_TRUE(held.extend());
  }
  other.join();
  EXPECT_TRUE(held.ack());
}

/// Sleepers of a group until the end of the scope.
struct Sleepers {
  Sleepers(TimedGroup& group, unsigned count, std::chrono::milliseconds time) : queue(group.queue.memory()) {
    for (unsigned i = 0; i < count; ++i) consumers.push_back(group.consumer(WaitStrategy::sleep));
    for (Consumer& in : consumers) {
      threads.emplace_back([this, &in, time] {
        Result<Message> message = in.receive(time);
        if (message && message->ack()) ++got;
      });
    }
    while (std::popcount(queue.shared_status().consumer_sleepers.load_acquire()) != static_cast<int>(count))
      std::this_thread::sleep_for(1ms);
  }
  [[nodiscard]] unsigned watching() const {
    unsigned count = 0;
    for (const Consumer& in : consumers)
      count += queue.endpoint(k_first_consumer + in.index()).watches_due.load_relaxed() != 0 ? 1 : 0;
    return count;
  }
  [[nodiscard]] std::uint64_t sleeps() const {
    std::uint64_t sum = 0;
    for (const Consumer& in : consumers) {
      EXPECT_EQ(in.counters().rescued, 0U);
      sum += in.counters().sleeps;
    }
    return sum;
  }
  const QueueMemory& queue;
  std::vector<Consumer> consumers;
  std::atomic<unsigned> got = 0;
  std::vector<std::jthread> threads;
};

TEST(LeaseTimeoutOfAGroup, one_of_many_sleepers_watches_a_hung_holder) {
  TimedGroup group(1000);
  Producer out = group.queue.producer();
  Consumer slow = group.consumer();
  out.publish("job");
  Message held = *slow.receive(1s);
  Sleepers sleepers(group, 4, 3s);
  for (const auto end = Clock::now() + 700ms; Clock::now() < end && sleepers.watching() == 0;)
    std::this_thread::sleep_for(1ms);
  EXPECT_EQ(sleepers.watching(), 1U);
  sleepers.threads.clear();
  EXPECT_EQ(sleepers.got, 1U);
  EXPECT_FALSE(held.ack());
}

TEST(LeaseTimeoutOfAGroup, holder_that_extends_wakes_one_sleeper_a_look) {
  constexpr auto k_timeout = 400ms;
  constexpr auto k_time = 2400ms;
  TimedGroup group(k_timeout.count());
  Producer out = group.queue.producer();
  Consumer slow = group.consumer();
  out.publish("job");
  Message held = *slow.receive(1s);
  Sleepers sleepers(group, 4, k_time);
  const auto end = Clock::now() + k_time;
  while (Clock::now() < end) {
    std::this_thread::sleep_for(5ms);
    EXPECT_TRUE(held.extend());
  }
  sleepers.threads.clear();
  EXPECT_EQ(sleepers.got, 0U);
  EXPECT_TRUE(held.ack());
  // First all of them. Then one looks, and may hand the watch on. All four at each look would be more.
  constexpr auto k_looks = k_looks_a_timeout * static_cast<std::uint64_t>(k_time / k_timeout);
  EXPECT_LE(sleepers.sleeps(), 4 + 4 + 2 * (k_looks + 1));
  EXPECT_GE(sleepers.sleeps(), 4 + k_looks / 2) << "nobody looked";
}

}  // namespace

}  // namespace beltway::test
