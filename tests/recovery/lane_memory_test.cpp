// The memory of lanes: given back when their producers are gone, kept where a message needs it, and promised to producers that
// attach at once.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "beltway/beltway.hpp"
#include "queues/promises.hpp"
#include "support/child.hpp"
#include "support/daemon.hpp"
#include "support/lane_bytes.hpp"
#include "support/raw_client.hpp"
#include "support/temp_dir.hpp"

namespace beltway {
namespace {

using namespace std::chrono_literals;

using test::bytes_of_lanes;
using test::Child;
using test::connect;
using test::error_of;
using test::eventually;
using test::TestDaemon;

constexpr std::uint64_t k_mib = 1U << 20;
constexpr std::uint64_t k_lane = 4 * k_mib;
const QueueOptions k_lanes{.slots = 16, .lane_bytes = k_lane, .max_producers = 4, .max_consumers = 4};

void publish_and_die(const TestDaemon& daemon, unsigned messages) {
  Child victim = Child::fork([&] {
    auto out = connect(daemon).open_queue("frames").producer();
    const std::vector<std::byte> large(100'000, std::byte{42});
    for (unsigned i = 0; i < messages; ++i) out.publish(large);
    ::kill(::getpid(), SIGKILL);
    return 0;
  });
  EXPECT_EQ(victim.wait().signal, SIGKILL);
}

TEST(LaneMemory, lane_memory_of_a_killed_producer_is_given_back) {
  TestDaemon daemon;
  const Queue queue = connect(daemon).declare("frames", k_lanes);
  publish_and_die(daemon, 3);
  EXPECT_TRUE(eventually([&] { return bytes_of_lanes(daemon, "frames") == 0; })) << bytes_of_lanes(daemon, "frames");
}

TEST(LaneMemory, lane_memory_of_a_producer_that_detaches_is_given_back) {
  TestDaemon daemon;
  const Queue queue = connect(daemon).declare("frames", k_lanes);
  {
    auto out = queue.producer();
    out.publish(std::vector<std::byte>(100'000, std::byte{42}));
    EXPECT_GE(bytes_of_lanes(daemon, "frames"), k_lane);
  }
  EXPECT_TRUE(eventually([&] { return bytes_of_lanes(daemon, "frames") == 0; })) << bytes_of_lanes(daemon, "frames");
}

TEST(LaneMemory, pages_of_lane_messages_that_a_consumer_still_needs_are_kept) {
  TestDaemon daemon;
  const Queue queue = connect(daemon).declare("frames", k_lanes);
  auto in = queue.consumer();
  publish_and_die(daemon, 3);
  ASSERT_TRUE(eventually([&] { return bytes_of_lanes(daemon, "frames") < k_mib; })) << bytes_of_lanes(daemon, "frames");
  for (int i = 0; i < 3; ++i) {
    auto message = in.receive(20s);
    ASSERT_TRUE(message);
    ASSERT_EQ(message->size(), 100'000U);
    for (const std::byte byte : message->bytes()) ASSERT_EQ(byte, std::byte{42});
  }
}

TEST(LaneMemory, lane_memory_that_messages_needed_is_given_back_at_an_attach_after_their_end) {
  TestDaemon daemon;
  const Queue queue = connect(daemon).declare("frames", k_lanes);
  auto in = queue.consumer();
  publish_and_die(daemon, 3);
  ASSERT_TRUE(eventually([&] { return bytes_of_lanes(daemon, "frames") < k_mib; }));
  EXPECT_GT(bytes_of_lanes(daemon, "frames"), 0U);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(in.receive(20s));
  (void)in.try_receive();
  auto other = queue.consumer();
  EXPECT_TRUE(eventually([&] { return bytes_of_lanes(daemon, "frames") == 0; })) << bytes_of_lanes(daemon, "frames");
}

TEST(LaneMemory, lane_memory_of_a_place_that_a_new_producer_takes_stays_whole) {
  TestDaemon daemon;
  const Queue queue = connect(daemon).declare("frames", k_lanes);
  for (int i = 0; i < 20; ++i) {
    auto out = queue.producer();
    out.publish(std::vector<std::byte>(k_lane / 2, std::byte{42}));
    std::this_thread::sleep_for(std::chrono::milliseconds(i % 4));
    EXPECT_GE(bytes_of_lanes(daemon, "frames"), k_lane);
  }
}

TEST(LaneMemory, lossy_consumer_never_reads_zeros_of_a_producer_that_died) {
  TestDaemon daemon;
  const Queue queue = connect(daemon).declare("frames", k_lanes);
  auto in = queue.consumer({.lossy = true});
  for (int round = 0; round < 20; ++round) {
    publish_and_die(daemon, 8);
    while (auto message = in.try_receive()) {
      for (const std::byte byte : message->bytes()) ASSERT_EQ(byte, std::byte{42});
    }
  }
}

TEST(Promises, promises_are_shown_to_other_producers_until_the_memory_is_filled) {
  daemon::Promises promises;
  const daemon::Promises::Clock::time_point now{};
  const auto all = [](const wire::EndpointName&) { return true; };
  const wire::EndpointName first{1, 0, 1};
  const wire::EndpointName second{1, 1, 1};
  EXPECT_EQ(promises.add(first, 100, now, all), 0U);
  EXPECT_EQ(promises.add(second, 50, now, all), 100U);
  promises.settle(first);
  EXPECT_EQ(promises.add({2, 0, 1}, 1, now, all), 50U);
  EXPECT_EQ(promises.add({2, 1, 1}, 1, now, [&](const auto& name) { return !(name == second); }), 1U);
}

TEST(Promises, promises_end_after_a_time) {
  daemon::Promises promises;
  const daemon::Promises::Clock::time_point now{};
  const auto all = [](const wire::EndpointName&) { return true; };
  EXPECT_EQ(promises.add({1, 0, 1}, 100, now, all), 0U);
  EXPECT_EQ(promises.add({1, 1, 1}, 10, now + daemon::k_lane_promise_ms - std::chrono::milliseconds(1), all), 100U);
  EXPECT_EQ(promises.add({1, 2, 1}, 1, now + daemon::k_lane_promise_ms, all), 10U);
}

}  // namespace
}  // namespace beltway
