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
#include "failing_group.hpp"
#include "recovery/eviction.hpp"
#include "ring/groups.hpp"
#include "ring/live_groups.hpp"
#include "ring/parking.hpp"

namespace beltway::test {

using namespace beltway::ring;

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

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
    LeaseEnd end = this->end(position);
    end.due_us = now_us() - LeaseEnd::k_unit_us;
    time(position).store_release(end.word());
    look();
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

TEST(LeaseTimeout, lease_says_when_it_ends_and_plans_a_look) {
  OneHeld one;
  const LeaseEnd end = one.end(one.position);
  EXPECT_EQ(end.owner, k_first_consumer + one.slow.index());
  EXPECT_EQ(end.tries, 0U);
  const std::uint64_t now = now_us();
  EXPECT_GE(end.due_us, now + 599'000'000);
  EXPECT_LE(end.due_us, now + 601'000'000);
  EXPECT_EQ(one.check().due_us, end.due_us);
  EXPECT_EQ(one.quick.try_receive().status(), Status::empty);
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
  one.out.publish("newer");
  one.over(one.position);
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
    EXPECT_GT(one.check().due_us, now_us() + 500'000'000);
    EXPECT_LE(one.check().due_us, one.end(one.position).due_us) << "the next look comes too late";
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
  EXPECT_EQ(one.end(one.position).owner, k_first_consumer + one.slow.index());
}

TEST(LeaseTimeout, lease_without_a_time_of_its_own_is_kept_and_looked_at_again) {
  OneHeld one;
  for (const LeaseEnd other :
       {LeaseEnd{1, 0, 99, 0}, LeaseEnd{1, 0, k_first_consumer, 1}, LeaseEnd{1, 5, k_first_consumer, 0}}) {
    one.time(one.position).store_relaxed(other.word());
    one.look();
    EXPECT_EQ(one.quick.try_receive().status(), Status::empty);
    EXPECT_TRUE(one.held.still_held());
    EXPECT_GE(one.check().due_us, now_us() + 500'000'000) << "the lease may get a time";
  }
  EXPECT_TRUE(one.held.ack());
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
    if (i == 0) old = LeaseEnd{1, lease_lap(group.queue.memory(), held.position()), k_first_consumer, 0}.word();
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

TEST(LeaseTimeout, batches_and_retries_have_times_too) {
  TimedGroup group;
  Producer out = group.queue.producer();
  Consumer slow = group.consumer();
  for (int i = 0; i < 4; ++i) out.publish("m");
  std::vector<Message> held(4);
  ASSERT_EQ(*slow.try_receive_batch(held), 4U);
  for (const Message& message : held) EXPECT_GT(group.end(message.position()).due_us, now_us());
  EXPECT_TRUE(held[0].nack());
  group.queue.set_redelivery("g", {1, 1, 0, false});
  EXPECT_TRUE(held[1].nack());
  std::this_thread::sleep_for(3ms);
  for (int i = 0; i < 2; ++i) {
    Result<Message> again = slow.receive(1s);
    ASSERT_TRUE(again);
    EXPECT_EQ(group.end(again->position()).tries, 1U);
    EXPECT_GT(group.end(again->position()).due_us, now_us());
    EXPECT_TRUE(again->ack());
  }
  for (std::size_t i = 2; i < 4; ++i) group.over(held[i].position());
  Consumer quick = group.consumer();
  std::vector<Message> again(4);
  EXPECT_EQ(*quick.try_receive_batch(again), 2U);
  EXPECT_EQ(quick.counters().timed_out, 2U);
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

TEST(LeaseTimeout, purge_leaves_held_messages_and_takes_those_given_back) {
  OneHeld one;
  EXPECT_EQ(purge(one.queue.memory(), 0).messages, 0U);
  one.over(one.position);
  EXPECT_TRUE(one.quick.try_receive()->nack());
  EXPECT_EQ(purge(one.queue.memory(), 0).messages, 1U);
  EXPECT_FALSE(one.held.ack());
}

TEST(LeaseTimeout, paused_group_looks_when_it_goes_on) {
  OneHeld one;
  pause(one.queue.memory(), 0);
  one.over(one.position);
  EXPECT_EQ(one.quick.try_receive().status(), Status::empty);
  EXPECT_TRUE(one.held.still_held());
  resume(one.queue.memory(), 0);
  one.expect_it_goes_on();
}

TEST(LeaseTimeout, removal_waits_for_the_holder) {
  OneHeld one;
  EXPECT_FALSE(leave(one.queue.memory(), 0));
  one.over(one.position);
  EXPECT_EQ(one.quick.try_receive().status(), Status::removed);
  EXPECT_TRUE(one.held.ack());
  EXPECT_TRUE(try_drain(one.queue.memory(), 0));
}

TEST(LeaseTimeout, reset_forgets_the_time_of_an_acknowledged_message) {
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

TEST(LeaseTimeout, new_group_forgets_the_times_of_the_one_before) {
  OneHeld one;
  one.over(one.position);
  EXPECT_TRUE(one.held.ack());
  join(one.queue.memory(), 0, GroupKind::named, Start::latest);
  EXPECT_EQ(one.check().due_us, 0U);
  EXPECT_EQ(one.time(one.position).load_relaxed(), 0U);
}

TEST(LeaseTimeout, eviction_and_death_of_a_holder_are_as_without) {
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
    EXPECT_EQ(one.end(one.position).tries, 1U);
    EXPECT_FALSE(one.held.ack());
    EXPECT_TRUE(again->ack());
    EXPECT_EQ(one.quick.counters().timed_out, 0U);
  }
}

TEST(LeaseTimeout, heal_plans_a_look_that_was_lost) {
  OneHeld one;
  one.block().lease_check.store_relaxed(0);
  one.queue.heal();
  EXPECT_EQ(one.check().due_us, one.end(one.position).due_us);
  // A lease without a time yet.
  one.block().lease_check.store_relaxed(0);
  one.time(one.position).store_relaxed(0);
  one.queue.heal();
  EXPECT_GE(one.check().due_us, now_us() + 500'000'000);
}

TEST(LeaseTimeout, end_of_the_stream_waits_for_a_message_that_another_holds) {
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

TEST(LeaseTimeout, wrong_words_cost_a_look_or_a_delivery_at_most) {
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
  one.time(one.position).store_relaxed(LeaseEnd{~std::uint64_t{0} >> 20, 0, k_first_consumer, 0}.word());
  one.look();
  EXPECT_EQ(text_of(one.quick.try_receive()), "job") << "no lease lasts for years";
  one.block().times.store_relaxed(~std::uint64_t{0});
  EXPECT_EQ(lease_timeout_us(one.queue.memory(), 0), static_cast<std::uint64_t>(k_max_lease_timeout_ms) * 1000);
}

TEST(LeaseTimeout, option_that_is_turned_off_ends_no_lease_any_more) {
  OneHeld one;
  one.queue.set_lease_timeout("g", 0);
  post_notice(one.queue.memory(), 0);
  EXPECT_EQ(one.quick.try_receive().status(), Status::empty);  // it reads the option
  one.over(one.position);
  EXPECT_EQ(one.quick.try_receive().status(), Status::empty);
  EXPECT_EQ(count_overdue(one.queue.memory(), 0), 0U);
  EXPECT_TRUE(one.held.ack());
}

TEST(LeaseTimeout, option_that_is_turned_on_holds_for_leases_from_then_on) {
  TimedGroup group(0);
  Producer out = group.queue.producer();
  Consumer slow = group.consumer();
  Consumer quick = group.consumer();
  out.publish("before");
  Message before = *slow.try_receive();
  group.queue.set_lease_timeout("g", 600'000);
  EXPECT_TRUE(before.extend());
  EXPECT_EQ(group.time(before.position()).load_relaxed(), 0U) << "it is ended by a store";
  post_notice(group.queue.memory(), 0);
  EXPECT_EQ(slow.try_receive().status(), Status::empty);
  EXPECT_EQ(quick.try_receive().status(), Status::empty);
  out.publish("after");
  Message after = *slow.try_receive();
  group.over(after.position());
  EXPECT_EQ(text_of(quick.try_receive()), "after");
  EXPECT_FALSE(after.ack());
  EXPECT_TRUE(before.ack());
}

TEST(LeaseTimeout, messages_are_held_and_extended_in_other_threads) {
  OneHeld one;
  std::thread([&] {
    EXPECT_TRUE(one.held.still_held());
    EXPECT_TRUE(one.held.extend());
    EXPECT_TRUE(one.held.ack());
  }).join();
  EXPECT_FALSE(one.held.still_held());
  EXPECT_FALSE(one.held.extend());
}

TEST(LeaseTimeout, private_and_lossy_messages_are_always_held) {
  LocalQueue queue({.slots = 8});
  Consumer in = queue.consumer();
  Consumer lossy = queue.consumer({.lossy = true});
  Producer out = queue.producer();
  out.publish("m");
  for (Consumer* const consumer : {&in, &lossy}) {
    Message message = *consumer->try_receive();
    EXPECT_TRUE(message.extend());
    EXPECT_TRUE(message.still_held());
  }
}

TEST(LeaseTimeout, sleeper_wakes_when_the_time_is_over) {
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

TEST(LeaseTimeout, job_that_extends_its_message_keeps_it) {
  TimedGroup group(50);
  Producer out = group.queue.producer();
  Consumer slow = group.consumer();
  out.publish("job");
  Message held = *slow.try_receive();
  std::jthread other([&] { EXPECT_EQ(group.consumer().receive(250ms).status(), Status::timeout); });
  for (const auto end = Clock::now() + 300ms; Clock::now() < end;) {
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

TEST(LeaseTimeout, one_of_many_sleepers_watches_a_hung_holder) {
  TimedGroup group(300);
  Producer out = group.queue.producer();
  Consumer slow = group.consumer();
  Sleepers sleepers(group, 4, 1s);
  out.publish("job");
  Message held = *slow.receive(1s);
  for (const auto end = Clock::now() + 200ms; Clock::now() < end && sleepers.watching() == 0;)
    std::this_thread::sleep_for(1ms);
  EXPECT_EQ(sleepers.watching(), 1U);
  sleepers.threads.clear();
  EXPECT_EQ(sleepers.got, 1U);
  EXPECT_FALSE(held.ack());
}

TEST(LeaseTimeout, holder_that_extends_wakes_one_sleeper_a_timeout) {
  constexpr auto k_timeout = 100ms;
  constexpr auto k_time = 1200ms;
  TimedGroup group(k_timeout.count());
  Producer out = group.queue.producer();
  Consumer slow = group.consumer();
  Sleepers sleepers(group, 4, k_time);
  out.publish("job");
  Message held = *slow.receive(1s);
  const auto end = Clock::now() + k_time;
  while (Clock::now() < end) {
    std::this_thread::sleep_for(5ms);
    EXPECT_TRUE(held.extend());
  }
  sleepers.threads.clear();
  EXPECT_EQ(sleepers.got, 0U);
  EXPECT_TRUE(held.ack());
  // First all of them, then one for the message and one to watch. The look comes a little before the end of a lease.
  EXPECT_LE(sleepers.sleeps(), 4 + 2 + 2 + k_time / k_timeout * 5 / 4);
  EXPECT_GE(sleepers.sleeps(), 4 + k_time / k_timeout / 2) << "nobody looked";
}

}  // namespace

}  // namespace beltway::test
