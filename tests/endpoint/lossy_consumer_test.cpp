// Lossy consumers: overtaken, never torn, and told exactly what they lost.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <string>
#include <thread>

#include "beltway/beltway.hpp"
#include "local_queue.hpp"

namespace beltway::test {
namespace {

TEST(Lossy, producers_are_not_held_back_and_the_loss_is_exact) {
  for (const std::uint32_t producers : {1U, 4U}) {
    LocalQueue queue({.slots = 4, .max_producers = producers});
    Producer out = queue.producer();
    Consumer in = queue.consumer({.lossy = true});
    for (int i = 0; i < 11; ++i) EXPECT_EQ(out.try_publish(std::to_string(i)), Status::ok);
    Result<Message> message = in.try_receive();
    ASSERT_TRUE(message);
    // A single producer tells nobody its claim: it may be writing over the oldest of four.
    const int oldest = producers == 1 ? 8 : 7;
    EXPECT_EQ(message->text(), std::to_string(oldest)) << "the oldest that is still there";
    EXPECT_EQ(message->lost(), static_cast<std::uint64_t>(oldest));
    EXPECT_EQ(in.counters().lost, static_cast<std::uint64_t>(oldest));
    for (int i = oldest + 1; i < 11; ++i) {
      Result<Message> next = in.try_receive();
      ASSERT_TRUE(next);
      EXPECT_EQ(next->text(), std::to_string(i));
      EXPECT_EQ(next->lost(), 0U);
    }
    EXPECT_EQ(in.try_receive().status(), Status::empty);
  }
}

TEST(Lossy, lane_bytes_that_were_used_again_count_as_lost) {
  LocalQueue queue({.slots = 64, .lane_bytes = 4096});
  Producer out = queue.producer();
  Consumer in = queue.consumer({.lossy = true});
  const std::string large(1024, 'x');
  for (int i = 0; i < 10; ++i) EXPECT_EQ(out.try_publish(large + std::to_string(i)), Status::ok);
  std::uint64_t lost = 0;
  std::uint64_t received = 0;
  std::string last;
  while (Result<Message> message = in.try_receive()) {
    lost += message->lost();
    ++received;
    last = std::string(message->text());
  }
  EXPECT_EQ(lost + received, 10U);
  EXPECT_GT(lost, 0U) << "ten of these do not fit the lane";
  EXPECT_EQ(last, large + "9");
}

TEST(Lossy, batches_are_copies_that_do_not_disturb_each_other) {
  LocalQueue queue({.slots = 64, .lane_bytes = 1 << 20});
  Producer out = queue.producer();
  Consumer in = queue.consumer({.lossy = true});
  std::array<Message, 40> got;
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < 40; ++i) out.publish(std::string(i * 37, static_cast<char>('a' + i % 26)));
    ASSERT_EQ(in.try_receive_batch(got).value_or(0), 40U);
    for (std::size_t i = 0; i < 40; ++i) {
      EXPECT_TRUE(got[i].text() == std::string(i * 37, static_cast<char>('a' + i % 26))) << i;
    }
  }
}

TEST(Lossy, a_lossy_consumer_of_a_fast_producer_gets_no_torn_message) {
  // The producer fills each message with one number; a torn copy would show two.
  for (const std::size_t words : {std::size_t{6}, std::size_t{60}}) {
    LocalQueue queue({.slots = 8, .slot_bytes = 64, .lane_bytes = 4096, .max_producers = 1});
    Producer out = queue.producer();
    Consumer in = queue.consumer({.lossy = true});
    std::atomic<bool> stop = false;
    std::uint64_t published = 0;
    std::thread producer([&] {
      std::vector<std::uint64_t> message(words);
      while (!stop || published < 20000) {
        std::fill(message.begin(), message.end(), published);
        out.publish(message);
        ++published;
        if (published % 64 == 0) std::this_thread::yield();
      }
    });
    std::uint64_t received = 0;
    std::uint64_t lost = 0;
    std::uint64_t expected = 0;
    const auto check = [&](const Message& message) {
      ASSERT_EQ(message.size(), words * 8);
      std::vector<std::uint64_t> values(words);
      std::memcpy(values.data(), message.bytes().data(), message.size());
      lost += message.lost();
      expected += message.lost();
      for (const std::uint64_t value : values) ASSERT_EQ(value, expected) << "torn, or the loss was miscounted";
      ++expected;
      ++received;
    };
    while (received < 2000) {
      Result<Message> message = in.try_receive();
      if (message) check(*message);
      if (::testing::Test::HasFatalFailure()) break;
    }
    stop = true;
    producer.join();
    while (Result<Message> message = in.try_receive()) check(*message);
    EXPECT_EQ(received + lost, published);
  }
}

}  // namespace
}  // namespace beltway::test
