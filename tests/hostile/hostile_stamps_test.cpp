// A peer writes over stamps, counts of ages and the difference of the clocks: each message still comes, and each age is sane.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <random>
#include <string>
#include <thread>

#include "beltway/beltway.hpp"
#include "client/inspect.hpp"
#include "ring/groups.hpp"
#include "support/local_queue.hpp"

namespace beltway {
namespace {

using test::LocalQueue;
using namespace beltway::ring;
using namespace std::chrono_literals;

constexpr std::uint64_t k_messages = 20'000;

TEST(HostileStamps, a_stamp_in_the_future_is_age_zero_and_expires_nothing) {
  LocalQueue queue({.slots = 16, .max_producers = 1, .ttl = 10ms, .stamps = Stamps::fine});
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  const std::uint64_t position = out.publish("x");
  queue.memory().stamp(position).store_relaxed(Stamp{(1ULL << 48) - 1, 0}.word());
  std::this_thread::sleep_for(30ms);
  const Result<Message> message = in.try_receive();
  ASSERT_TRUE(message);
  EXPECT_EQ(message->age(), 0us);
  EXPECT_TRUE(message->published_at());
}

TEST(HostileStamps, words_that_a_peer_writes_lose_no_message_of_a_queue_without_ttl) {
  LocalQueue queue({.slots = 16, .max_producers = 1, .groups = {"g"}, .stamps = Stamps::fine});
  const QueueMemory& memory = queue.memory();
  Producer out = queue.producer();
  std::array consumers{queue.consumer(), queue.consumer({.group = "g"})};
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> writes = 0;
  std::thread peer([&] {
    std::mt19937_64 random(7);
    while (!stop) {
      memory.stamp(random()).store_relaxed(random());
      memory.shared_status().clock_offset_us.store_relaxed(random());
      memory.age_histogram(static_cast<unsigned>(random() % 2))
          .buckets[random() % k_age_buckets]
          .store_relaxed(random());
      ++writes;
    }
  });
  for (std::uint64_t i = 0; i < k_messages; ++i) {
    out.publish(std::to_string(i));
    for (Consumer& in : consumers) {
      Result<Message> message = in.try_receive();
      ASSERT_TRUE(message) << i;
      EXPECT_EQ(message->text(), std::to_string(i));
      EXPECT_GE(message->age().value_or(0us), 0us);
      static_cast<void>(message->published_at());
      EXPECT_TRUE(message->ack());
    }
  }
  while (writes < 1000) std::this_thread::yield();
  stop = true;
  peer.join();
  for (Consumer& in : consumers) EXPECT_EQ(in.counters().expired, 0U);
}

TEST(HostileStamps, any_value_of_the_stamping_word_is_a_mode) {
  LocalQueue queue({.slots = 16, .max_producers = 1});
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  for (const std::uint64_t word : {0xffULL, 3ULL, 0xffffff00ULL, 0x7fffffff'00000001ULL, 0ULL}) {
    queue.memory().shared_status().stamping.store_relaxed(word);
    post_notice(queue.memory(), 0);
    out.publish("x");
    const Result<Message> message = in.try_receive();
    ASSERT_TRUE(message) << word;
    EXPECT_EQ(message->age().has_value(), (word & 0xff) != 0) << word;
  }
}

TEST(HostileStamps, a_message_whose_due_time_a_peer_writes_is_delivered_or_expires) {
  LocalQueue queue({.slots = 16, .max_producers = 1, .groups = {"g"}});
  Producer out = queue.producer();
  std::array consumers{queue.consumer(), queue.consumer({.group = "g"}), queue.consumer({.lossy = true})};
  std::mt19937_64 random(7);
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const std::uint64_t position = out.publish("x", {.ttl = 1h});
    auto* const block = reinterpret_cast<Word*>(queue.memory().slot(position).payload());
    if (i % 3 == 0) block[1].store_relaxed(random());
    if (i % 3 == 1) block[0].store_relaxed(PropertiesHead{16, static_cast<std::uint16_t>(random()), 0}.word());
    for (Consumer& in : consumers) {
      Result<Message> message = in.try_receive();
      if (message) message->ack();
      const ConsumerCounters counters = in.counters();
      EXPECT_EQ(counters.messages + counters.expired, i + 1);
    }
  }
}

}  // namespace
}  // namespace beltway
