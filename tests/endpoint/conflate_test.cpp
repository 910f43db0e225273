// Lossy consumers that conflate: the newest message only, never an older one, never a torn one.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "beltway/beltway.hpp"
#include "local_queue.hpp"
#include "ring/claim.hpp"
#include "wire/options_schema.hpp"

namespace beltway::test {

using namespace beltway::endpoint;
using namespace beltway::ring;

namespace {

using namespace std::chrono_literals;

constexpr ConsumerOptions newest() { return {.lossy = true, .conflate = true}; }

TEST(Conflate, a_conflating_consumer_gets_the_newest_message_and_counts_the_skipped_ones_as_lost) {
  for (const std::uint32_t producers : {1U, 4U}) {
    LocalQueue queue({.slots = 4, .max_producers = producers});
    Producer out = queue.producer();
    Consumer in = queue.consumer(newest());
    EXPECT_EQ(in.try_receive().status(), Status::empty);
    for (int i = 0; i < 11; ++i) out.publish(std::to_string(i));
    {
      const Result<Message> message = in.try_receive();
      ASSERT_TRUE(message);
      EXPECT_EQ(message->text(), "10");
      EXPECT_EQ(message->position(), 10U);
      EXPECT_EQ(message->lost(), 10U);
    }
    EXPECT_EQ(in.try_receive().status(), Status::empty);
    for (int i = 11; i < 14; ++i) out.publish(std::to_string(i));
    const Result<Message> message = in.receive(20s);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->text(), "13");
    EXPECT_EQ(message->lost(), 2U);
    EXPECT_EQ(in.counters().lost, 12U);
    EXPECT_EQ(in.counters().messages, 2U);
  }
}

TEST(Conflate, a_batch_of_a_conflating_consumer_has_one_message) {
  LocalQueue queue({.slots = 16});
  Producer out = queue.producer();
  Consumer in = queue.consumer(newest());
  std::array<Message, 8> got;
  EXPECT_EQ(in.try_receive_batch(got).status(), Status::empty);
  for (int i = 0; i < 5; ++i) out.publish(std::to_string(i));
  ASSERT_EQ(in.receive_batch(got, 20s).value_or(0), 1U);
  EXPECT_EQ(got[0].text(), "4");
  out.publish("5");
  ASSERT_EQ(in.try_receive_batch(got).value_or(0), 1U);
  EXPECT_EQ(got[0].text(), "5");
}

TEST(Conflate, a_conflating_consumer_that_starts_at_the_oldest_message_begins_with_the_newest) {
  LocalQueue queue({.slots = 16});
  Producer out = queue.producer();
  for (int i = 0; i < 5; ++i) out.publish(std::to_string(i));
  Consumer in = queue.consumer({.lossy = true, .conflate = true, .start = Start::oldest});
  EXPECT_EQ(in.try_receive()->text(), "4");
}

TEST(Conflate, a_claim_that_is_not_finished_hides_no_older_message) {
  LocalQueue queue({.slots = 8, .max_producers = 2});
  Producer out = queue.producer();
  const Attachment at = queue.attach_producer();
  Claimer claimer(at.memory, at.owner);
  claimer.accept_notice();
  Consumer in = queue.consumer(newest());
  out.publish("0");
  EXPECT_EQ(detail::try_put(claimer, 1, 0,
                            [&](std::byte* place) noexcept {
                              EXPECT_EQ(in.try_receive()->text(), "0") << "position 1 is claimed";
                              EXPECT_EQ(in.try_receive().status(), Status::empty);
                              *place = std::byte{'1'};
                            }),
            Claim::ok);
  EXPECT_EQ(in.try_receive()->text(), "1");
}

TEST(Conflate, a_message_that_is_finished_after_a_newer_one_was_received_is_skipped) {
  LocalQueue queue({.slots = 8, .max_producers = 2});
  Producer out = queue.producer();
  const Attachment at = queue.attach_producer();
  Claimer claimer(at.memory, at.owner);
  claimer.accept_notice();
  Consumer in = queue.consumer(newest());
  EXPECT_EQ(detail::try_put(claimer, 1, 0,
                            [&](std::byte* place) noexcept {
                              out.publish("1");
                              EXPECT_EQ(in.try_receive()->position(), 1U);
                              *place = std::byte{'0'};
                            }),
            Claim::ok);
  EXPECT_EQ(in.try_receive().status(), Status::empty) << "position 0 is older than what the consumer has";
  EXPECT_EQ(in.counters().lost, 1U);
}

TEST(Conflate, a_conflating_consumer_passes_void_positions_and_does_not_count_them_as_lost) {
  LocalQueue queue({.slots = 8, .max_producers = 2});
  Producer out = queue.producer();
  Consumer in = queue.consumer(newest());
  const auto fail = [](std::span<std::byte> /*place*/) { throw std::runtime_error("no"); };
  for (int i = 0; i < 3; ++i) EXPECT_THROW((void)out.try_publish(1, fail), std::runtime_error);
  EXPECT_EQ(in.try_receive().status(), Status::empty);
  out.publish("3");
  const Result<Message> message = in.try_receive();
  ASSERT_TRUE(message);
  EXPECT_EQ(message->lost(), 0U);
}

TEST(Conflate, a_conflating_consumer_gets_the_last_message_before_the_end_of_the_stream) {
  LocalQueue queue({.slots = 8});
  Consumer in = queue.consumer(newest());
  {
    Producer out = queue.producer();
    out.publish("0");
    out.publish("1");
  }
  EXPECT_EQ(in.receive(20s)->text(), "1");
  EXPECT_EQ(in.receive(20s).status(), Status::end_of_stream);
}

TEST(Conflate, a_sleeping_conflating_consumer_is_woken_by_a_message) {
  LocalQueue queue({.slots = 8});
  Producer out = queue.producer();
  Consumer in = queue.consumer({.lossy = true, .conflate = true, .wait = WaitStrategy::sleep});
  EXPECT_EQ(in.receive(1ms).status(), Status::timeout);
  std::thread producer([&] {
    std::this_thread::sleep_for(20ms);
    out.publish("0");
  });
  EXPECT_EQ(in.receive(20s)->text(), "0");
  producer.join();
  EXPECT_EQ(in.counters().rescued, 0U);
}

/// A message is `words` times the number of the publish. Returns the first word, and fails if another differs.
std::uint64_t number_of(const Message& message, std::size_t words) {
  std::vector<std::uint64_t> values(words);
  EXPECT_EQ(message.size(), words * 8);
  std::memcpy(values.data(), message.bytes().data(), std::min(message.size(), words * 8));
  EXPECT_TRUE(std::ranges::all_of(values, [&](std::uint64_t each) { return each == values[0]; })) << "a torn message";
  return values[0];
}

TEST(Conflate, a_conflating_consumer_of_a_fast_producer_gets_no_torn_and_no_stale_message) {
  // In a ring of 8 the producer overtakes most copies; so few messages come.
  struct Ring {
    std::uint32_t slots;
    std::uint32_t producers;
    unsigned messages;
  };
  for (const Ring ring : {Ring{8, 1, 50}, Ring{8, 2, 50}, Ring{256, 1, 1000}, Ring{256, 2, 1000}}) {
    for (const std::size_t words : {std::size_t{6}, std::size_t{60}}) {
      LocalQueue queue({.slots = ring.slots, .slot_bytes = 64, .lane_bytes = 1 << 16, .max_producers = ring.producers});
      Producer out = queue.producer();
      Consumer in = queue.consumer(newest());
      std::atomic<bool> stop = false;
      std::atomic<std::uint64_t> published = 0;  // those whose publish has returned
      std::thread producer([&] {
        std::vector<std::uint64_t> message(words);
        for (std::uint64_t number = 1; !stop; ++number) {
          std::ranges::fill(message, number);
          out.publish(message);
          published.store(number);
          if (number % 64 == 0) std::this_thread::yield();
        }
      });
      std::uint64_t before = 0;
      std::uint64_t covered = 0;  // received or lost
      for (unsigned received = 0; received < ring.messages && !testing::Test::HasFailure();) {
        const std::uint64_t least = published.load();
        const Result<Message> message = in.try_receive();
        if (!message) continue;
        const std::uint64_t number = number_of(*message, words);
        EXPECT_GE(number, least) << "an older message than the newest one before the call";
        EXPECT_GT(number, before) << "back to an older message";
        before = number;
        covered += 1 + message->lost();
        EXPECT_EQ(covered, number) << "the loss was miscounted";
        ++received;
      }
      stop = true;
      producer.join();
    }
  }
}

TEST(Conflate, options_that_conflate_needs_are_named) {
  const auto complaint = [](const ConsumerOptions& options) -> std::string {
    try {
      wire::check_options("attach \"q\"", options);
    } catch (const Error& error) {
      EXPECT_EQ(error.reason(), Errc::invalid_option);
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(complaint(newest()), "");
  EXPECT_NE(complaint({.conflate = true}).find("conflate is set; it must be unset for a consumer that is not lossy"),
            std::string::npos);
  EXPECT_NE(complaint({.group = "g", .conflate = true}).find("unset for a named group"), std::string::npos);
}

}  // namespace
}  // namespace beltway::test
