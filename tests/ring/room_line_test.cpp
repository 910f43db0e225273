// The line of producers that wait for room: see src/ring/room_line.hpp.
#include "ring/room_line.hpp"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "local_queue.hpp"
#include "ring/floors.hpp"

namespace beltway {

using namespace beltway::detail;
using namespace beltway::endpoint;
using namespace beltway::ring;

namespace {

using namespace std::chrono_literals;

QueueOptions eight_producers() { return {.slots = 64, .lane_bytes = 4096, .max_producers = 8, .groups = {"g"}}; }

class RoomLine : public testing::Test {
 protected:
  RoomTicket ticket_of(unsigned producer) { return {queue_.memory(), producer}; }
  SharedStatus& shared_status() { return queue_.memory().shared_status(); }

  test::LocalQueue queue_{eight_producers()};
};

TEST_F(RoomLine, producer_that_has_waited_longest_goes_first) {
  RoomTicket first = ticket_of(5);
  RoomTicket second = ticket_of(2);
  RoomTicket third = ticket_of(7);
  first.take(true);
  second.take(true);
  third.take(true);
  EXPECT_EQ(first.ahead(), 0U);
  EXPECT_EQ(second.ahead(), 1U);
  EXPECT_EQ(third.ahead(), 2U);
}

TEST_F(RoomLine, producer_without_a_ticket_goes_last) {
  RoomTicket waits = ticket_of(1);
  RoomTicket newcomer = ticket_of(0);
  waits.take(true);
  EXPECT_TRUE(newcomer.others_wait());
  EXPECT_EQ(newcomer.ahead(), 1U);
  EXPECT_FALSE(waits.others_wait());
}

TEST_F(RoomLine, a_second_take_keeps_the_place_in_the_line) {
  RoomTicket first = ticket_of(0);
  RoomTicket second = ticket_of(1);
  first.take(true);
  second.take(true);
  first.take(true);
  EXPECT_EQ(first.ahead(), 0U);
}

TEST_F(RoomLine, ticket_that_is_given_back_counts_no_more) {
  RoomTicket first = ticket_of(0);
  RoomTicket second = ticket_of(1);
  first.take(true);
  second.take(true);
  first.give_back();
  EXPECT_EQ(second.ahead(), 0U);
  EXPECT_EQ(queue_.memory().endpoint(0).ticket.load_relaxed(), 0U);
  first.take(true);
  EXPECT_EQ(first.ahead(), 1U) << "it joins at the end";
}

TEST_F(RoomLine, producer_that_is_about_to_claim_is_not_counted) {
  RoomTicket first = ticket_of(0);
  RoomTicket second = ticket_of(1);
  first.take(true);
  second.take(true);
  first.hide();
  EXPECT_EQ(second.ahead(), 0U);
  first.show();
  EXPECT_EQ(second.ahead(), 1U);
  EXPECT_EQ(first.ahead(), 0U) << "its claim failed, its place is the same";
}

TEST_F(RoomLine, an_event_loop_in_the_line_delays_no_sleeper) {
  RoomTicket loop = ticket_of(0);
  RoomTicket sleeper = ticket_of(1);
  loop.take(false);
  sleeper.take(true);
  EXPECT_EQ(sleeper.ahead(), 1U);
  EXPECT_EQ(sleeper.ahead_in_calls(), 0U);
}

TEST_F(RoomLine, producer_that_lets_its_turn_pass_is_passed_over) {
  RoomTicket stopped = ticket_of(0);
  RoomTicket other = ticket_of(1);
  stopped.take(true);
  other.take(true);
  ASSERT_EQ(other.ahead(), 1U);
  EXPECT_FALSE(other.pass_over_if_overdue(1'000));
  EXPECT_FALSE(other.pass_over_if_overdue(1'000 + k_turn_ns - 1));
  EXPECT_TRUE(other.pass_over_if_overdue(1'000 + k_turn_ns));
  EXPECT_EQ(other.ahead(), 0U);
  stopped.give_back();
  stopped.take(true);
  RoomTicket third = ticket_of(2);
  third.take(true);
  EXPECT_EQ(third.ahead(), 2U) << "with another ticket it counts again";
}

TEST_F(RoomLine, nonsense_in_shared_memory_counts_no_impossible_producer) {
  RoomTicket ours = ticket_of(0);
  shared_status().room_line.store_relaxed(~std::uint64_t{0});
  EXPECT_EQ(ours.ahead(), 0U) << "bits without tickets";
  for (unsigned p = 0; p < 8; ++p) queue_.memory().endpoint(p).ticket.store_relaxed(~std::uint64_t{0});
  EXPECT_EQ(ours.ahead(), 7U);
}

TEST_F(RoomLine, repair_takes_a_dead_producer_out_of_the_line) {
  const Attachment dead = queue_.attach_producer();
  RoomTicket ticket = ticket_of(dead.owner);
  ticket.take(true);
  queue_.detach(dead.owner);
  EXPECT_EQ(shared_status().room_line.load_relaxed(), 0U);
  EXPECT_EQ(queue_.memory().endpoint(dead.owner).ticket.load_relaxed(), 0U);
}

TEST(RoomPace, slow_ring_wakes_a_producer_for_one_slot) {
  RoomPace pace;
  pace.found_full(1'000, 1);
  EXPECT_EQ(pace.chunk(256), 1U) << "nothing is known yet";
  pace.found_full(1'010, 1 + 10'000'000);  // 1000 a second
  EXPECT_EQ(pace.chunk(256), 1U);
}

TEST(RoomPace, fast_ring_wakes_a_producer_for_as_many_slots_as_a_moment_frees) {
  RoomPace pace;
  pace.found_full(1'000, 1);
  pace.found_full(2'000, 1 + 10 * k_room_interval_ns);
  EXPECT_EQ(pace.chunk(256), 100U);
  EXPECT_EQ(pace.chunk(16), 16U);
  EXPECT_EQ(pace.chunk(0), 1U) << "a ring of two slots has no quarter";
}

TEST(RoomPace, a_burst_is_no_pace) {
  RoomPace pace;
  pace.found_full(1'000, 1);
  pace.found_full(1'200, 1'000);  // 200 at once
  EXPECT_EQ(pace.chunk(256), 1U);
  pace.found_full(1'200, 1 + 200 * k_room_interval_ns);  // and nothing for long
  EXPECT_EQ(pace.chunk(256), 1U);
}

TEST(RoomPace, positions_that_wrap_are_a_pace_like_others) {
  RoomPace pace;
  pace.found_full((Position{1} << k_position_bits) - 100, 1);
  pace.found_full(100, 1 + 2 * k_room_interval_ns);
  EXPECT_EQ(pace.chunk(256), 100U);
}

/// Producers that publish as fast as they may, each in a thread, until stopped. A message is its producer's number.
class Crowd {
 public:
  Crowd(test::LocalQueue& queue, unsigned count, WaitStrategy wait) {
    for (unsigned i = 0; i < count; ++i) producers_.push_back(queue.producer({.wait = wait}));
    for (unsigned i = 0; i < count; ++i) {
      threads_.emplace_back([this, i] {
        const auto message = static_cast<std::byte>(i);
        while (producers_[i].publish_until({&message, 1}, stop_.get_token()) == Status::ok) {
        }
      });
    }
  }
  ~Crowd() { stop_.request_stop(); }

 private:
  std::stop_source stop_;
  std::vector<Producer> producers_;
  std::vector<std::jthread> threads_;
};

class FullRing : public testing::TestWithParam<WaitStrategy> {};

TEST_P(FullRing, producers_take_turns) {
  constexpr unsigned k_producers = 8;
  constexpr unsigned k_messages = 800;
  test::LocalQueue queue(eight_producers());
  Consumer in = queue.consumer({.group = "g"});
  std::array<unsigned, k_producers> got{};
  {
    const Crowd crowd(queue, k_producers, GetParam());
    const Word& line = queue.memory().shared_status().room_line;
    for (unsigned i = 0; i < 64 + k_messages; ++i) {
      // One slot comes free for eight that want it.
      while (load_tail(queue.memory()) != i + 64 || std::popcount(line.load_acquire()) != k_producers) {
        std::this_thread::yield();
      }
      Result<Message> message = in.receive();
      ASSERT_TRUE(message);
      if (i >= 64) ++got[static_cast<unsigned>(message->bytes()[0])];  // who filled the ring at first is no matter
      message->ack();
    }
  }
  for (unsigned p = 0; p < k_producers; ++p) {
    EXPECT_GE(got[p], k_messages / k_producers / 2) << "producer " << p;
    EXPECT_LE(got[p], k_messages / k_producers * 2) << "producer " << p;
  }
}

std::string name_of(const testing::TestParamInfo<WaitStrategy>& strategy) {
  switch (strategy.param) {
    case WaitStrategy::sleep: return "sleeping";
    case WaitStrategy::spin: return "spinning";
    case WaitStrategy::adaptive: break;
  }
  return "adaptive";
}

INSTANTIATE_TEST_SUITE_P(ByStrategy, FullRing,
                         testing::Values(WaitStrategy::sleep, WaitStrategy::adaptive, WaitStrategy::spin), name_of);

TEST(PollingProducer, try_publish_leaves_the_room_to_producers_that_wait) {
  test::LocalQueue queue(eight_producers());
  Consumer in = queue.consumer({.group = "g"});
  Producer polls = queue.producer();
  while (polls.try_publish("x") == Status::ok) {
  }
  std::stop_source stop;
  std::optional<Status> ended;
  std::jthread waits([&] {
    Producer producer = queue.producer({.wait = WaitStrategy::sleep});
    ended = producer.publish_until("y", stop.get_token());
  });
  while (queue.memory().shared_status().producer_sleepers.load_acquire() == 0) std::this_thread::yield();
  in.receive()->ack();
  // Either it has claimed already, and the ring is full; or the room is left to it.
  EXPECT_EQ(polls.try_publish("z"), Status::full);
  waits.join();
  EXPECT_EQ(ended, Status::ok);
}

}  // namespace
}  // namespace beltway
