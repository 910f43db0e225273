// Groups that are paused and reset while their consumers stay attached.
#include "ring/live_groups.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "beltway/beltway.hpp"
#include "local_queue.hpp"
#include "ring/floors.hpp"
#include "ring/groups.hpp"
#include "ring/parking.hpp"

namespace beltway::test {

using namespace beltway::endpoint;
using namespace beltway::ring;

namespace {

using namespace std::chrono_literals;

struct OneGroup {
  explicit OneGroup(std::uint32_t producers = 2, std::uint32_t slots = 8, Position first = 0)
      : queue({.slots = slots, .lane_bytes = 4096, .max_producers = producers}, first) {
    queue.add_group("g");
  }
  /// All that the group gets now, acknowledged.
  std::string drain(Consumer& in) {
    std::string all;
    while (Result<Message> message = in.try_receive()) {
      all += message->text();
      message->ack();
    }
    return all;
  }
  [[nodiscard]] Position floor() const { return wrap(queue.memory().group(queue.group("g")).floor.load_acquire()); }
  Reset reset_to(Position to) { return reset(queue.memory(), queue.group("g"), to); }

  LocalQueue queue;
};

void publish(Producer& out, const std::string& each) {
  for (const char c : each) out.publish(std::string(1, c));
}

TEST(PausedGroup, consumers_of_a_paused_group_get_nothing_until_it_is_resumed) {
  OneGroup one;
  Producer out = one.queue.producer();
  Consumer in = one.queue.consumer({.group = "g"});
  publish(out, "abc");
  Message held = *in.try_receive();
  pause(one.queue.memory(), one.queue.group("g"));
  pause(one.queue.memory(), one.queue.group("g"));
  EXPECT_EQ(in.try_receive().status(), Status::empty);
  EXPECT_EQ(in.receive(1ms).status(), Status::timeout);
  std::vector<Message> batch(4);
  EXPECT_EQ(in.try_receive_batch(batch).status(), Status::empty);
  EXPECT_TRUE(held.ack()) << "what was held may end";
  EXPECT_EQ(one.floor(), 1U);
  resume(one.queue.memory(), one.queue.group("g"));
  EXPECT_EQ(one.drain(in), "bc");
}

TEST(PausedGroup, a_message_that_is_given_back_to_a_paused_group_comes_after_the_pause) {
  OneGroup one;
  Producer out = one.queue.producer();
  Consumer in = one.queue.consumer({.group = "g"});
  publish(out, "ab");
  Message held = *in.try_receive();
  pause(one.queue.memory(), one.queue.group("g"));
  EXPECT_TRUE(held.nack());
  EXPECT_EQ(in.try_receive().status(), Status::empty);
  resume(one.queue.memory(), one.queue.group("g"));
  EXPECT_EQ(one.drain(in), "ab");
}

TEST(PausedGroup, producers_wait_for_a_paused_group_when_the_ring_is_full) {
  OneGroup one(1, 4);
  Producer out = one.queue.producer();
  Consumer in = one.queue.consumer({.group = "g"});
  pause(one.queue.memory(), one.queue.group("g"));
  publish(out, "abcd");
  EXPECT_EQ(out.try_publish("e"), Status::full);
  resume(one.queue.memory(), one.queue.group("g"));
  EXPECT_EQ(one.drain(in), "abcd");
  EXPECT_EQ(out.try_publish("e"), Status::ok);
}

TEST(PausedGroup, messages_for_a_paused_group_wake_no_consumer_and_the_end_of_the_pause_wakes_it) {
  OneGroup one;
  Producer out = one.queue.producer();
  Consumer in = one.queue.consumer({.group = "g", .wait = WaitStrategy::sleep});
  pause(one.queue.memory(), one.queue.group("g"));
  std::thread consumer([&] { EXPECT_EQ(in.receive(20s)->text(), "a"); });
  const Word& wait = one.queue.memory().endpoint(k_first_consumer).wait;
  while (Wait::of(wait.load_acquire()).phase != WaitPhase::asleep) std::this_thread::yield();
  publish(out, "ab");
  EXPECT_EQ(Wait::of(wait.load_acquire()).phase, WaitPhase::asleep);
  resume(one.queue.memory(), one.queue.group("g"));
  consumer.join();
  EXPECT_EQ(in.counters().rescued, 0U);
}

TEST(PausedGroup, a_stream_does_not_end_while_a_paused_group_has_messages) {
  OneGroup one;
  Consumer in = one.queue.consumer({.group = "g", .end_of_stream = EndOfStream::drained});
  {
    Producer out = one.queue.producer();
    publish(out, "a");
  }
  pause(one.queue.memory(), one.queue.group("g"));
  EXPECT_EQ(in.try_receive().status(), Status::empty);
  resume(one.queue.memory(), one.queue.group("g"));
  EXPECT_EQ(one.drain(in), "a");
  EXPECT_EQ(in.try_receive().status(), Status::end_of_stream);
}

TEST(PausedGroup, consumers_of_a_paused_group_that_is_removed_are_told) {
  OneGroup one;
  Consumer in = one.queue.consumer({.group = "g"});
  pause(one.queue.memory(), one.queue.group("g"));
  EXPECT_TRUE(leave(one.queue.memory(), one.queue.group("g")));
  EXPECT_EQ(in.try_receive().status(), Status::removed);
}

TEST(ResetGroup, a_reset_to_the_latest_message_acknowledges_all_that_no_consumer_holds) {
  OneGroup one;
  Producer out = one.queue.producer();
  Consumer in = one.queue.consumer({.group = "g"});
  publish(out, "abcd");
  Message held = *in.try_receive();
  const Reset done = skip(one.queue.memory(), one.queue.group("g"), 4);
  EXPECT_EQ(done.acknowledged, 3U);
  EXPECT_EQ(done.held, 1U);
  publish(out, "e");
  EXPECT_EQ(one.drain(in), "e");
  EXPECT_TRUE(held.nack());
  EXPECT_EQ(one.drain(in), "a") << "what was held comes again if it is given back";
  EXPECT_EQ(one.floor(), 5U);
}

TEST(ResetGroup, a_reset_to_an_earlier_position_delivers_acknowledged_messages_again) {
  for (const std::uint32_t producers : {1U, 2U}) {
    OneGroup one(producers);
    Producer out = one.queue.producer();
    Consumer in = one.queue.consumer({.group = "g"});
    publish(out, "abcde");
    EXPECT_EQ(one.drain(in), "abcde");
    const Reset done = one.reset_to(2);
    EXPECT_EQ(done.acknowledged, 0U);
    EXPECT_EQ(done.restored, 3U);
    EXPECT_EQ(one.floor(), 2U);
    Result<Message> first = in.try_receive();
    EXPECT_EQ(first->text(), "c");
    EXPECT_EQ(first->deliveries(), 1U) << "deliveries begin anew";
    first->ack();
    EXPECT_EQ(one.drain(in), "de");
    EXPECT_EQ(one.floor(), 5U);
  }
}

TEST(ResetGroup, a_reset_to_a_later_position_delivers_what_was_acknowledged_behind_it) {
  OneGroup one;
  Producer out = one.queue.producer();
  Consumer in = one.queue.consumer({.group = "g"});
  publish(out, "abcde");
  Message a = *in.try_receive();
  for (int i = 0; i < 3; ++i) in.try_receive()->ack();  // b, c, d
  EXPECT_TRUE(a.nack());
  const Reset done = one.reset_to(3);
  EXPECT_EQ(done.acknowledged, 1U) << "a";
  EXPECT_EQ(done.restored, 1U) << "d";
  EXPECT_EQ(one.drain(in), "de");
}

TEST(ResetGroup, messages_that_consumers_hold_stay_with_them) {
  OneGroup one;
  Producer out = one.queue.producer();
  Consumer in = one.queue.consumer({.group = "g"});
  Consumer other = one.queue.consumer({.group = "g"});
  publish(out, "abcd");
  in.try_receive()->ack();
  Message b = *in.try_receive();
  Message c = *in.try_receive();
  const Reset done = one.reset_to(0);
  EXPECT_EQ(done.restored, 1U);
  EXPECT_EQ(done.held, 2U);
  EXPECT_EQ(one.drain(other), "ad");
  EXPECT_TRUE(b.ack());
  EXPECT_TRUE(c.nack());
  EXPECT_EQ(one.drain(other), "c");
  EXPECT_EQ(one.floor(), 4U);
}

TEST(ResetGroup, a_message_that_was_given_back_before_goes_on_counting_its_deliveries) {
  OneGroup one;
  Producer out = one.queue.producer();
  Consumer in = one.queue.consumer({.group = "g"});
  publish(out, "a");
  in.try_receive()->nack();
  Message again = *in.try_receive();
  EXPECT_EQ(again.deliveries(), 2U);
  again.ack();
  EXPECT_EQ(one.reset_to(0).restored, 1U);
  EXPECT_EQ(in.try_receive()->deliveries(), 3U);
}

TEST(ResetGroup, producers_with_room_by_an_old_floor_do_not_overwrite_what_a_reset_restores) {
  for (const std::uint32_t producers : {1U, 2U}) {
    // Just below the wrap of all positions, too.
    for (const Position first : {Position{0}, wrap(Position{0} - 6)}) {
      OneGroup one(producers, 4, first);
      Producer out = one.queue.producer();
      Consumer in = one.queue.consumer({.group = "g"});
      publish(out, "abcd");
      EXPECT_EQ(one.drain(in), "abcd");
      publish(out, "e");  // the producer knows now that it may fill the ring again
      EXPECT_EQ(one.drain(in), "e");
      const Position tail = load_tail(one.queue.memory());
      EXPECT_EQ(one.reset_to(wrap(tail - 4)).restored, producers == 1 ? 3U : 4U);
      const unsigned room = producers == 1 ? 1 : 0;  // a single producer might have had a claim open
      for (unsigned i = 0; i < room; ++i) EXPECT_EQ(out.try_publish("f"), Status::ok);
      EXPECT_EQ(out.try_publish("g"), Status::full);
      EXPECT_EQ(one.drain(in), producers == 1 ? "cdef" : "bcde");
      publish(out, "h");
      EXPECT_EQ(one.drain(in), "h");
      EXPECT_EQ(one.floor(), load_tail(one.queue.memory()));
    }
  }
}

TEST(ResetGroup, a_reset_of_a_full_ring_keeps_what_the_group_has_not_had_yet) {
  for (const std::uint32_t producers : {1U, 2U}) {
    OneGroup one(producers, 4);
    Producer out = one.queue.producer();
    Consumer in = one.queue.consumer({.group = "g"});
    publish(out, "abcd");
    EXPECT_EQ(one.reset_to(0).restored, 0U);
    EXPECT_EQ(out.try_publish("e"), Status::full);
    EXPECT_EQ(one.drain(in), "abcd");
  }
}

TEST(ResetGroup, a_reset_passes_void_positions_at_the_end_of_the_lap) {
  for (const std::uint32_t producers : {1U, 2U}) {
    OneGroup one(producers, 4);
    Producer out = one.queue.producer();
    Consumer in = one.queue.consumer({.group = "g"});
    const auto fail = [](std::span<std::byte> /*place*/) { throw std::runtime_error("no"); };
    EXPECT_THROW((void)out.try_publish(1, fail), std::runtime_error);
    publish(out, "bcd");
    EXPECT_EQ(one.drain(in), "bcd");
    EXPECT_EQ(one.reset_to(0).restored, 3U);
    for (int lap = 0; lap < 3; ++lap) {
      EXPECT_EQ(one.drain(in).empty(), lap != 0);
      publish(out, "efg");
      EXPECT_EQ(one.drain(in), "efg");
    }
  }
}

TEST(ResetGroup, lane_bytes_that_were_used_again_are_not_restored) {
  OneGroup one(1, 64);
  Producer out = one.queue.producer();
  Consumer in = one.queue.consumer({.group = "g"});
  const std::string large(1024, 'x');
  std::size_t received = 0;
  for (int i = 0; i < 12; ++i) {
    out.publish(large + std::to_string(i));
    in.try_receive()->ack();
  }
  const Reset done = one.reset_to(0);
  EXPECT_GT(done.restored, 0U);
  EXPECT_LE(done.restored, 4U) << "the lane has no more";
  while (Result<Message> message = in.try_receive()) {
    EXPECT_TRUE(message->text().starts_with(large));
    message->ack();
    ++received;
  }
  EXPECT_EQ(received, done.restored);
  EXPECT_EQ(out.try_publish(large), Status::ok);
}

TEST(ResetGroup, the_leases_of_a_reset_are_not_parked) {
  OneGroup one;
  Producer out = one.queue.producer();
  Consumer in = one.queue.consumer({.group = "g"});
  publish(out, "ab");
  EXPECT_EQ(one.drain(in), "ab");
  // As in the middle of a reset.
  Word& lease = one.queue.memory().lease(one.queue.group("g"), 0);
  lease.store_relaxed(Lease{0, k_no_owner, 0, LeasePhase::leased}.word());
  one.queue.memory().group(one.queue.group("g")).floor.store_relaxed(Floor{7, 0}.word());
  EXPECT_FALSE(park_at_floors(one.queue.memory(), false));
  EXPECT_EQ(Lease::of(lease.load_relaxed()).phase, LeasePhase::leased);
  lease.store_relaxed(Lease{0, k_first_consumer, 0, LeasePhase::leased}.word());
  EXPECT_TRUE(park_at_floors(one.queue.memory(), false)) << "a consumer's lease is";
}

TEST(ResetGroup, a_parked_message_that_waits_for_its_retry_is_acknowledged_by_a_reset_behind_it_alone) {
  for (const Position to : {Position{0}, Position{1}}) {
    OneGroup one(2, 4);
    Producer out = one.queue.producer();
    Consumer in = one.queue.consumer({.group = "g"});
    publish(out, "abcd");
    EXPECT_TRUE(in.try_receive()->nack(1h));
    EXPECT_EQ(one.drain(in), "bcd");
    EXPECT_TRUE(park_at_floors(one.queue.memory(), false));
    EXPECT_EQ(one.floor(), 4U);
    const Word& lease = one.queue.memory().lease(one.queue.group("g"), 0);
    ASSERT_EQ(Lease::of(lease.load_relaxed()).phase, LeasePhase::parked_delayed);
    EXPECT_EQ(one.reset_to(to).acknowledged, to);
    EXPECT_EQ(Lease::of(lease.load_relaxed()).phase, to == 0 ? LeasePhase::parked_delayed : LeasePhase::done);
    EXPECT_EQ(one.drain(in), "bcd");
    EXPECT_EQ(out.try_publish("e"), Status::ok);
    EXPECT_EQ(one.drain(in), "e");
  }
}

TEST(ResetGroup, a_reset_of_a_paused_group_leaves_it_paused) {
  OneGroup one;
  Producer out = one.queue.producer();
  Consumer in = one.queue.consumer({.group = "g"});
  publish(out, "ab");
  EXPECT_EQ(one.drain(in), "ab");
  pause(one.queue.memory(), one.queue.group("g"));
  EXPECT_EQ(one.reset_to(0).restored, 2U);
  EXPECT_EQ(in.try_receive().status(), Status::empty);
  resume(one.queue.memory(), one.queue.group("g"));
  EXPECT_EQ(one.drain(in), "ab");
}

TEST(ResetGroup, a_reset_again_and_again_restores_the_same_messages) {
  OneGroup one;
  Producer out = one.queue.producer();
  Consumer in = one.queue.consumer({.group = "g"});
  publish(out, "abc");
  for (int i = 0; i < 2000; ++i) {
    ASSERT_EQ(one.drain(in), "abc");
    ASSERT_EQ(one.reset_to(0).restored, 3U);
  }
}

}  // namespace
}  // namespace beltway::test
