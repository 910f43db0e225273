// A lease gets its time at the first look that finds it: what a look makes of the words that it may find then. Over plain memory.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>

#include "beltway/beltway.hpp"
#include "ring/groups.hpp"
#include "ring/lease_timeout.hpp"
#include "timed_group.hpp"

namespace beltway::test {

using namespace beltway::ring;

namespace {

using namespace std::chrono_literals;

/// A message that consumer `slow` has just leased.
struct OneWithoutTime : OneHeld {
  explicit OneWithoutTime(std::uint32_t slots = 64) : OneHeld(slots) { time(position).store_relaxed(0); }
  [[nodiscard]] unsigned holder() const { return k_first_consumer + slow.index(); }
  [[nodiscard]] Word& ticket() const { return queue.memory().endpoint(holder()).ticket; }
  /// Consumers look, and find no message.
  void look_in_vain() {
    look();
    EXPECT_EQ(quick.try_receive().status(), Status::empty);
  }
};

TEST(LeaseWithoutTime, lease_whose_time_is_that_of_another_lease_gets_one_of_its_own) {
  OneHeld one;
  constexpr std::uint8_t k_owner = k_first_consumer | LeaseEnd::k_ends;
  for (const LeaseEnd other : {LeaseEnd{1, 0, 99 | LeaseEnd::k_ends, 0}, LeaseEnd{1, 0, k_first_consumer, 0},
                               LeaseEnd{1, 0, k_owner, 1}, LeaseEnd{1, 5, k_owner, 0}, LeaseEnd{0, 0, 0, 1}}) {
    one.time(one.position).store_relaxed(other.word());
    one.look();
    EXPECT_EQ(one.quick.try_receive().status(), Status::empty);
    EXPECT_TRUE(one.held.still_held());
    EXPECT_TRUE(one.end(one.position).is_of(k_first_consumer));
    EXPECT_GE(one.end(one.position).due_us, now_us() + 599'000'000);
    one.expect_next_look();
  }
  EXPECT_TRUE(one.held.ack());
}

TEST(LeaseWithoutTime, message_goes_to_another_consumer_when_the_given_time_is_over) {
  for (const bool parks : {false, true}) {
    OneWithoutTime one(4);
    if (parks) one.park();
    one.time(one.position).store_relaxed(0);
    one.look_in_vain();
    EXPECT_EQ(count_overdue(one.queue.memory(), 0), 0U);
    one.over(one.position);
    EXPECT_EQ(count_overdue(one.queue.memory(), 0), 1U);
    one.expect_it_goes_on();
  }
}

TEST(LeaseWithoutTime, holder_that_goes_on_in_time_has_its_whole_time) {
  OneWithoutTime one;
  one.look_in_vain();
  one.over(one.position);
  EXPECT_TRUE(one.held.extend());
  EXPECT_GE(one.end(one.position).due_us, now_us() + 599'000'000);
  EXPECT_EQ(one.quick.try_receive().status(), Status::empty);
  EXPECT_TRUE(one.held.ack());
}

TEST(LeaseWithoutTime, holder_may_not_extend_a_lease_that_is_ended_by_a_given_time) {
  OneWithoutTime one;
  one.look_in_vain();
  LeaseEnd end = one.end(one.position);
  end.due_us = 0;
  one.time(one.position).store_relaxed(end.word());
  EXPECT_FALSE(one.held.extend());
  one.look();
  one.expect_it_goes_on();
}

TEST(LeaseWithoutTime, end_of_the_same_lap_number_long_ago_does_not_count) {
  for (const LeasePhase before : {LeasePhase::done, LeasePhase::retry, LeasePhase::delayed}) {
    TimedGroup group;
    Producer out = group.queue.producer();
    Consumer in = group.consumer();
    Consumer other = group.consumer();
    out.publish("job");
    const auto owner = static_cast<std::uint8_t>(k_first_consumer + in.index());
    const std::uint8_t tries = before == LeasePhase::done ? 0 : 1;
    if (before != LeasePhase::done) group.queue.memory().lease(0, 0).store_relaxed(Lease{0, owner, 1, before}.word());
    if (before == LeasePhase::delayed) bring_forward(group.queue.memory(), 0, k_at_once_us);
    const LeaseEnd old{1, 0, static_cast<std::uint8_t>(owner | LeaseEnd::k_ends), tries};
    group.time(0).store_relaxed(old.word());
    Result<Message> held = in.try_receive();
    ASSERT_TRUE(held);
    group.look();
    EXPECT_EQ(other.try_receive().status(), Status::empty);
    EXPECT_GE(group.end(0).due_us, now_us() + 599'000'000);
    EXPECT_TRUE(held->ack());
  }
}

TEST(LeaseWithoutTime, look_is_planned_for_a_holder_that_has_planned_none) {
  OneWithoutTime one;
  one.block().lease_check.store_relaxed(0);
  EXPECT_EQ(one.quick.try_receive().status(), Status::empty);
  one.expect_next_look();
  one.look_in_vain();
  one.over(one.position);
  one.expect_it_goes_on();
}

TEST(LeaseWithoutTime, lease_of_a_consumer_that_may_end_it_by_a_store_is_kept) {
  OneWithoutTime one;
  for (const std::uint64_t said : {std::uint64_t{0}, swaps_word(2), ~std::uint64_t{0}}) {
    one.ticket().store_relaxed(said);
    one.look_in_vain();
    EXPECT_EQ(one.time(one.position).load_relaxed(), 0U);
    one.expect_next_look();
  }
  EXPECT_TRUE(one.held.ack());
}

TEST(LeaseWithoutTime, consumer_says_that_it_swaps_once_it_holds_no_message) {
  TimedGroup group(0);
  const QueueMemory& memory = group.queue.memory();
  Producer out = group.queue.producer();
  Consumer in = group.consumer();
  const Word& ticket = memory.endpoint(k_first_consumer + in.index()).ticket;
  out.publish("before");
  Message before = *in.try_receive();
  group.queue.set_lease_timeout("g", 600'000);
  post_notice(memory, 0);
  EXPECT_EQ(in.try_receive().status(), Status::empty);
  EXPECT_NE(ticket.load_relaxed(), swaps_word(1)) << "another thread may end the message by a store";
  EXPECT_TRUE(before.ack());
  EXPECT_EQ(in.try_receive().status(), Status::empty);
  EXPECT_EQ(ticket.load_relaxed(), swaps_word(1));
  const Consumer later = group.consumer();
  EXPECT_EQ(memory.endpoint(k_first_consumer + later.index()).ticket.load_relaxed(), swaps_word(1));
}

TEST(LeaseWithoutTime, delayed_message_with_a_given_time_is_due_when_that_ends) {
  OneWithoutTime one;
  Lease lease = one.lease(one.position);
  lease.phase = LeasePhase::delayed;
  lease.tries = 1;
  const auto owner = static_cast<std::uint8_t>(lease.owner | LeaseEnd::k_ends);
  one.time(one.position).store_relaxed(LeaseEnd{now_us() + 600'000'000, 0, owner, 0}.word());
  one.queue.memory().lease(0, one.position).store_relaxed(lease.word());
  bring_forward(one.queue.memory(), 0, k_at_once_us);
  EXPECT_EQ(one.quick.try_receive().status(), Status::empty);
  // The consumer that delays it goes on.
  const LeaseTime right{1, lease.owner, lease.tries};
  keep_due_time(one.queue.memory(), 0, one.position, right);
  EXPECT_EQ(one.time(one.position).load_relaxed(), right.word());
  bring_forward(one.queue.memory(), 0, right.due_us);
  EXPECT_EQ(text_of(one.quick.try_receive()), "job");
}

TEST(LeaseWithoutTime, due_time_is_stored_over_no_time_of_another_lease) {
  OneHeld one;
  const QueueMemory& memory = one.queue.memory();
  Lease lease = one.lease(one.position);
  const LeaseTime due{1000, lease.owner, 1};
  EXPECT_TRUE(store_due_time(memory, 0, lease, one.position, due));
  EXPECT_EQ(one.time(one.position).load_relaxed(), due.word());
  const std::uint64_t before = one.time(one.position).load_relaxed();
  ++lease.tries;
  EXPECT_FALSE(store_due_time(memory, 0, lease, one.position, LeaseTime{2000, lease.owner, 2}));
  EXPECT_EQ(one.time(one.position).load_relaxed(), before);
  EXPECT_TRUE(one.held.ack());
}

}  // namespace

}  // namespace beltway::test
