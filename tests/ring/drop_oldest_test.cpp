// Groups that keep only their newest messages: each cell of the table in ring/DROP_OLDEST.md.
#include "ring/drop_oldest.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "beltway/beltway.hpp"
#include "failing_group.hpp"
#include "local_queue.hpp"
#include "ring/groups.hpp"
#include "ring/live_groups.hpp"
#include "ring/parking.hpp"
#include "ring/readers/named_reader.hpp"

namespace beltway::test {

using namespace beltway::endpoint;
using namespace beltway::ring;
using namespace std::chrono_literals;

namespace {

/// Rings of one and of several producers, whose positions pass the wrap. Group "g" keeps the newest three messages.
class DropOldest : public testing::TestWithParam<std::uint32_t> {
 protected:
  explicit DropOldest() { queue.set_keeps("g", 3); }

  [[nodiscard]] Consumer consumer(std::uint32_t prefetch = 0) {
    return queue.consumer({.group = "g", .prefetch = prefetch});
  }
  void publish(Producer& out, int from, int to, std::size_t size = 8) {
    for (int i = from; i < to; ++i) {
      std::string text = std::to_string(i);
      text.resize(std::max(size, text.size()), ' ');
      ASSERT_EQ(out.try_publish(text), Status::ok) << i;
    }
  }
  /// The numbers of all messages that are there, which it acknowledges.
  [[nodiscard]] static std::vector<int> take_all(Consumer& in) {
    std::vector<int> numbers;
    while (Result<Message> message = in.try_receive()) {
      numbers.push_back(std::stoi(std::string(message->text())));
      EXPECT_TRUE(message->ack());
    }
    return numbers;
  }
  [[nodiscard]] Lease lease(Position position) const {
    return Lease::of(queue.memory().lease(0, position).load_acquire());
  }
  [[nodiscard]] std::uint64_t dropped() const { return queue.memory().group(0).dropped.load_relaxed(); }

  LocalQueue queue{{.slots = 16, .lane_bytes = 4096, .max_producers = GetParam(), .groups = {"g"}},
                   wrap(Position{0} - 20)};
};
INSTANTIATE_TEST_SUITE_P(Rings, DropOldest, testing::Values(1U, 3U));

using Numbers = std::vector<int>;

TEST_P(DropOldest, consumer_gets_the_newest_messages_and_is_told_how_many_it_lost) {
  Producer out = queue.producer();
  Consumer in = consumer();
  publish(out, 0, 10);
  Result<Message> message = in.try_receive();
  ASSERT_TRUE(message);
  EXPECT_EQ(std::stoi(std::string(message->text())), 7);
  EXPECT_EQ(message->lost(), 7U);
  EXPECT_TRUE(message->ack());
  message = in.try_receive();
  ASSERT_TRUE(message);
  EXPECT_EQ(message->lost(), 0U);
  EXPECT_TRUE(message->ack());
  EXPECT_EQ(take_all(in), Numbers{9});
  EXPECT_EQ(dropped(), 7U);
  EXPECT_EQ(in.counters().lost, 7U);
}

TEST_P(DropOldest, producer_is_held_by_no_group_that_nobody_reads) {
  Producer out = queue.producer();
  publish(out, 0, 1000);
  Consumer in = consumer();
  EXPECT_EQ(take_all(in), (Numbers{997, 998, 999}));
  EXPECT_EQ(dropped(), 997U);
}

TEST_P(DropOldest, group_that_keeps_more_than_the_ring_drops_only_for_room) {
  queue.set_keeps("g", 1'000'000);
  Producer out = queue.producer();
  publish(out, 0, 16);
  EXPECT_EQ(dropped(), 0U);
  publish(out, 16, 1000);
  Consumer in = consumer();
  const Numbers numbers = take_all(in);
  EXPECT_GE(numbers.size(), 13U);
  ASSERT_FALSE(numbers.empty());
  EXPECT_EQ(numbers.back(), 999);
  EXPECT_EQ(numbers.back() - numbers.front(), static_cast<int>(numbers.size()) - 1);
  EXPECT_EQ(dropped() + numbers.size(), 1000U);
}

TEST_P(DropOldest, message_that_a_consumer_holds_is_neither_dropped_nor_overwritten) {
  for (const std::size_t size : {std::size_t{8}, std::size_t{500}}) {
    Producer out = queue.producer();
    Consumer in = consumer();
    publish(out, 0, 1, size);
    Result<Message> held = in.try_receive();
    ASSERT_TRUE(held);
    const std::string text(held->text());
    publish(out, 1, 200, size);
    EXPECT_EQ(held->text(), text);
    EXPECT_EQ(lease(held->position()).phase, LeasePhase::parked);
    EXPECT_EQ(take_all(in), (Numbers{197, 198, 199}));
    EXPECT_TRUE(held->ack());
    EXPECT_TRUE(take_all(in).empty());
  }
  EXPECT_EQ(dropped(), 2 * 196U);
}

TEST_P(DropOldest, many_held_messages_hold_no_producer) {
  queue.set_keeps("g", 1000);
  Producer out = queue.producer();
  Consumer in = consumer();
  publish(out, 0, 16);
  std::vector<Message> held;
  for (int i = 0; i < 7; ++i) held.push_back(std::move(in.try_receive()).value());
  publish(out, 16, 200);
  for (Message& message : held) EXPECT_TRUE(message.ack());
  EXPECT_EQ(take_all(in).back(), 199);
}

TEST_P(DropOldest, message_that_was_given_back_is_dropped_once_it_is_old) {
  Producer out = queue.producer();
  Consumer in = consumer();
  publish(out, 0, 2);
  Result<Message> first = in.try_receive();
  ASSERT_TRUE(first);
  EXPECT_TRUE(first->nack());
  publish(out, 2, 3);
  EXPECT_EQ(take_all(in), (Numbers{0, 1, 2})) << "among the newest three";
  publish(out, 3, 4);
  Result<Message> old = in.try_receive();
  ASSERT_TRUE(old);
  publish(out, 4, 7);
  EXPECT_TRUE(old->nack());
  EXPECT_EQ(take_all(in), (Numbers{4, 5, 6}));
  EXPECT_EQ(dropped(), 1U);
}

TEST_P(DropOldest, delayed_message_is_dropped_when_it_is_due_and_old) {
  for (const int newer : {5, 100}) {  // 100: it is parked meanwhile
    Producer out = queue.producer();
    Consumer in = consumer();
    const std::uint64_t before = dropped();
    publish(out, 0, 1);
    Result<Message> failed = in.try_receive();
    ASSERT_TRUE(failed);
    const Position position = failed->position();
    EXPECT_TRUE(failed->nack(20ms));
    publish(out, 1, 1 + newer);
    std::this_thread::sleep_for(25ms);
    EXPECT_EQ(take_all(in), (Numbers{newer - 2, newer - 1, newer}));
    EXPECT_EQ(dropped() - before, static_cast<std::uint64_t>(newer - 2));
    EXPECT_NE(lease(position).phase, LeasePhase::delayed);
    EXPECT_EQ(count_parked(queue.memory()), 0U);
  }
}

TEST_P(DropOldest, message_that_waits_for_the_dead_letter_queue_is_not_lost) {
  Producer out = queue.producer();
  Consumer in = consumer();
  publish(out, 0, 1);
  Result<Message> failed = in.try_receive();
  ASSERT_TRUE(failed);
  const Position position = failed->position();
  EXPECT_TRUE(failed->nack(10min));
  Word& word = queue.memory().lease_time(0, position);
  LeaseTime time = LeaseTime::of(word.load_relaxed());
  time.reason = FailReason::rejected;
  word.store_relaxed(time.word());
  publish(out, 1, 100);
  EXPECT_EQ(lease(position).phase, LeasePhase::parked_delayed);
  EXPECT_EQ(take_all(in), (Numbers{97, 98, 99}));
  EXPECT_EQ(dropped(), 96U);
}

TEST_P(DropOldest, room_that_another_group_holds_costs_no_message) {
  LocalQueue ring({.slots = 16, .max_producers = GetParam(), .groups = {"g", "slow"}});
  ring.set_keeps("g", 1000);
  Producer out = ring.producer();
  publish(out, 0, 16);
  EXPECT_EQ(out.try_publish("too much"), Status::full);
  EXPECT_EQ(ring.memory().group(0).dropped.load_relaxed(), 0U);
  Consumer slow = ring.consumer({.group = "slow"});
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(slow.try_receive()->ack());
  publish(out, 16, 20);
  EXPECT_LE(ring.memory().group(0).dropped.load_relaxed(), 4U);
  EXPECT_EQ(out.try_publish("too much"), Status::full);
}

TEST_P(DropOldest, paused_group_holds_no_producer_either) {
  Consumer in = consumer();
  Producer out = queue.producer();
  pause(queue.memory(), 0);
  publish(out, 0, 100);
  EXPECT_EQ(in.try_receive().status(), Status::empty);
  resume(queue.memory(), 0);
  EXPECT_EQ(take_all(in), (Numbers{97, 98, 99}));
}

TEST_P(DropOldest, held_messages_beyond_max_parked_hold_the_ring_until_they_are_given_back) {
  LocalQueue ring({.slots = 16, .max_producers = GetParam(), .groups = {"g"}, .max_parked = 0});
  ring.set_keeps("g", 3);
  Producer out = ring.producer();
  Consumer in = ring.consumer({.group = "g"});
  publish(out, 0, 1);
  Result<Message> held = in.try_receive();
  ASSERT_TRUE(held);
  publish(out, 1, 16);
  ASSERT_EQ(out.try_publish("no room"), Status::full);
  EXPECT_EQ(Lease::of(ring.memory().lease(0, held->position()).load_acquire()).phase, LeasePhase::leased);
  Status status = Status::full;
  std::jthread producer([&] { status = out.publish_until("later", 10s); });
  while (ring.memory().shared_status().producer_sleepers.load_relaxed() == 0) std::this_thread::yield();
  EXPECT_TRUE(held->nack());  // nobody takes it again: the nack itself must make the room
  producer.join();
  EXPECT_EQ(status, Status::ok);
}

TEST_P(DropOldest, consumer_that_leases_makes_room_for_a_sleeping_producer) {
  LocalQueue ring({.slots = 16, .max_producers = GetParam(), .groups = {"g", "other"}, .max_parked = 0});
  ring.set_keeps("g", 3);
  Producer out = ring.producer();
  Consumer other = ring.consumer({.group = "other"});
  publish(out, 0, 16);
  Status status = Status::full;
  std::jthread producer([&] { status = out.publish_until("16", 10s); });
  while (ring.memory().shared_status().producer_sleepers.load_relaxed() == 0) std::this_thread::yield();
  const std::size_t taken = take_all(other).size();
  producer.join();
  EXPECT_EQ(taken + take_all(other).size(), 17U);
  EXPECT_EQ(status, Status::ok);
}

TEST_P(DropOldest, full_lane_makes_room_without_a_reader) {
  Producer out = queue.producer();
  publish(out, 0, 100, 1500);
  Consumer in = consumer();
  const Numbers numbers = take_all(in);
  ASSERT_FALSE(numbers.empty());
  EXPECT_EQ(numbers.back(), 99);
  EXPECT_EQ(dropped() + numbers.size(), 100U);
}

TEST_P(DropOldest, each_consumer_is_told_of_all_losses_and_they_count_once) {
  Producer out = queue.producer();
  Consumer one = consumer(1);
  Consumer two = consumer(1);
  publish(out, 0, 10);
  Result<Message> first = one.try_receive();
  Result<Message> second = two.try_receive();
  ASSERT_TRUE(first);
  ASSERT_TRUE(second);
  EXPECT_EQ(first->lost(), 7U);
  EXPECT_EQ(second->lost(), 7U);
  EXPECT_EQ(one.counters().lost + two.counters().lost, dropped());
}

TEST_P(DropOldest, option_that_changes_on_a_living_queue_counts_after_the_next_wait) {
  queue.set_keeps("g", 0);
  Producer out = queue.producer();
  Consumer in = consumer();
  publish(out, 0, 8);
  Result<Message> first = in.try_receive();
  ASSERT_TRUE(first);
  EXPECT_TRUE(first->ack());
  EXPECT_EQ(dropped(), 0U);
  queue.set_keeps("g", 2);
  EXPECT_EQ(take_all(in).size(), 7U) << "it was busy, and has not asked yet";
  publish(out, 8, 12);
  EXPECT_EQ(take_all(in), (Numbers{10, 11}));
  queue.set_keeps("g", 0);
  EXPECT_EQ(in.try_receive().status(), Status::empty);
  publish(out, 12, 20);
  EXPECT_EQ(take_all(in).size(), 8U);
}

TEST_P(DropOldest, producer_that_waits_goes_on_when_the_option_is_set) {
  queue.set_keeps("g", 0);
  Producer out = queue.producer();
  publish(out, 0, 16);
  Status status = Status::full;
  std::jthread producer([&] { status = out.publish_until("later", 10s); });
  while (queue.memory().shared_status().producer_sleepers.load_relaxed() == 0) std::this_thread::yield();
  queue.set_keeps("g", 4);
  producer.join();
  EXPECT_EQ(status, Status::ok);
  EXPECT_GE(dropped(), 12U);
}

TEST_P(DropOldest, claim_that_is_not_finished_pushes_out_no_message) {
  queue.set_keeps("g", 1);
  Producer out = queue.producer();
  Consumer in = consumer();
  publish(out, 0, 1);
  std::vector<int> seen;
  static_cast<void>(out.try_publish(8, [&](std::span<std::byte>) { seen = take_all(in); }));
  EXPECT_EQ(seen, Numbers{0});
  EXPECT_EQ(dropped(), 0U);
}

TEST_P(DropOldest, end_of_the_stream_comes_after_the_newest_messages) {
  Consumer in = queue.consumer({.group = "g", .end_of_stream = EndOfStream::drained});
  {
    Producer out = queue.producer();
    publish(out, 0, 10);
  }
  EXPECT_EQ(take_all(in), (Numbers{7, 8, 9}));
  EXPECT_EQ(in.try_receive().status(), Status::end_of_stream);
}

TEST_P(DropOldest, purge_is_no_loss_and_a_reset_brings_what_the_group_keeps) {
  Producer out = queue.producer();
  Consumer in = consumer();
  publish(out, 0, 10);
  purge(queue.memory(), 0);
  EXPECT_EQ(dropped(), 0U);
  publish(out, 10, 12);
  EXPECT_EQ(take_all(in), (Numbers{10, 11}));
  reset(queue.memory(), 0, wrap(load_tail(queue.memory()) - 12));
  EXPECT_EQ(take_all(in), (Numbers{9, 10, 11}));
}

TEST_P(DropOldest, repair_gives_back_what_a_dead_consumer_held_and_old_messages_go) {
  Producer out = queue.producer();
  Attachment attachment = queue.attach_consumer({.group = "g"});
  NamedReader dead(attachment.memory, 0, attachment.group_incarnation, attachment.owner, false);
  publish(out, 0, 1);
  SlotView view;
  std::uint64_t corrupt = 0;
  ASSERT_TRUE(dead.try_lease_next(view, corrupt));
  publish(out, 1, 10);
  queue.detach(attachment.owner);
  Consumer in = consumer();
  EXPECT_EQ(take_all(in), (Numbers{7, 8, 9}));
  EXPECT_EQ(dropped(), 7U);
}

TEST_P(DropOldest, hostile_counts_tell_wrong_losses_and_do_no_other_harm) {
  Producer out = queue.producer();
  Consumer in = consumer();
  GroupBlock& group = queue.memory().group(0);
  constexpr std::uint64_t k_most = std::numeric_limits<std::uint64_t>::max();
  for (const std::uint64_t keeps : {k_most, std::uint64_t{1} << 63, std::uint64_t{1} << 32, std::uint64_t{1}}) {
    for (const std::uint64_t count : {k_most, std::uint64_t{0}}) {
      group.keeps.store_relaxed(keeps);
      group.dropped.store_relaxed(count);
      post_notice(queue.memory(), 0);
      publish(out, 0, 12);
      Result<Message> message = in.try_receive();
      ASSERT_TRUE(message);
      EXPECT_TRUE(message->ack());
      for (const int number : take_all(in)) EXPECT_LT(number, 12);
      EXPECT_EQ(in.try_receive().status(), Status::empty);
    }
  }
}

}  // namespace

}  // namespace beltway::test
