// When a consumer that spins stays away from the next slot for a moment, by times that the test makes up.
#include "waiting/stream_backoff.hpp"

#include <gtest/gtest.h>

namespace beltway {

using namespace beltway::ring;
using namespace beltway::waiting;

namespace {

constexpr std::uint64_t k_kib = 1024;

Geometry geometry(std::uint32_t slots, std::uint64_t lane_bytes = 0) {
  return {.slots = slots, .slot_bytes = 2048, .lane_bytes = lane_bytes};
}

/// A consumer that waits now and then.
class PacedConsumer {
 public:
  explicit PacedConsumer(std::uint64_t message_bytes, const Geometry& geometry = beltway::geometry(1024),
                         const BackoffLimit& lead = k_backoff_one_by_one)
      : stream_backoff_(geometry), lead_(lead), message_bytes_(message_bytes) {
    takes(0, 0);
  }
  /// Takes `messages` in `ns`, then has to wait; for how long it should stay away.
  std::uint64_t takes(std::uint64_t messages, std::uint64_t ns) {
    read_ = wrap(read_ + messages);
    bytes_ += messages * message_bytes_;
    now_ns_ += ns;
    return stream_backoff_.may_wait(read_, bytes_) ? stream_backoff_.wait_ns(read_, bytes_, now_ns_, lead_) : 0;
  }
  void now_has(std::uint64_t message_bytes) { message_bytes_ = message_bytes; }
  /// How many of so many waits were long ones.
  unsigned long_waits(unsigned waits, std::uint64_t messages, std::uint64_t ns) {
    unsigned count = 0;
    for (unsigned i = 0; i < waits; ++i) count += takes(messages, ns) != 0 ? 1 : 0;
    return count;
  }

 private:
  StreamBackoff stream_backoff_;
  const BackoffLimit lead_;
  std::uint64_t message_bytes_;
  Position read_ = wrap(~std::uint64_t{19});  // positions and bytes wrap
  std::uint64_t bytes_ = ~std::uint64_t{900};
  std::uint64_t now_ns_ = 1'000'000;
};

/// Waits of a stream until it gets the next one: 16 to be known, and 32 that are skipped.
constexpr unsigned k_after_one_in_vain = 48;

TEST(StreamBackoff, a_known_stream_gets_a_backoff) {
  PacedConsumer consumer(k_kib);
  EXPECT_EQ(consumer.long_waits(15, 2, 400), 0U);
  EXPECT_EQ(consumer.long_waits(100, 2, 400), 100U);
}

TEST(StreamBackoff, a_stream_goes_on_with_backoffs) {
  PacedConsumer consumer(k_kib);
  consumer.long_waits(16, 2, 400);
  EXPECT_EQ(consumer.long_waits(100, 10, 2500), 100U);
}

TEST(StreamBackoff, messages_that_come_one_by_one_get_no_backoff_however_fast_they_are) {
  PacedConsumer consumer(k_kib);
  EXPECT_EQ(consumer.long_waits(1000, 1, 50), 0U);
}

TEST(StreamBackoff, requests_and_replies_are_not_delayed_if_some_come_together) {
  PacedConsumer consumer(64);
  for (int i = 0; i < 10'000; ++i) EXPECT_EQ(consumer.takes(i % 8 == 0 ? 2 : 1, 130), 0U) << i;
}

TEST(StreamBackoff, several_requests_under_way_get_fewer_and_fewer_backoffs) {
  PacedConsumer consumer(64);
  const auto given = [&](unsigned waits) {
    unsigned count = 0;
    std::uint64_t head_start_ns = 0;  // nothing comes while the consumer is away: it owes the replies
    for (unsigned i = 0; i < waits; ++i) {
      head_start_ns = consumer.takes(2, 260 + head_start_ns);
      count += head_start_ns != 0 ? 1 : 0;
    }
    return count;
  };
  EXPECT_GT(given(1'000), 2U);
  given(200'000);
  EXPECT_LE(given(1'000'000), 16U);
  // A stream again: what helps is given at once.
  EXPECT_GT(consumer.long_waits(70'000, 40, 4000), 1'000U);
  EXPECT_EQ(consumer.long_waits(100, 40, 4000), 100U);
}

TEST(StreamBackoff, two_messages_that_came_together_long_ago_are_forgotten) {
  PacedConsumer consumer(k_kib);
  consumer.takes(2, 50);
  consumer.long_waits(100, 1, 50);
  EXPECT_EQ(consumer.long_waits(1000, 1, 50), 0U);
}

TEST(StreamBackoff, a_backoff_is_short_whatever_the_counters_say) {
  PacedConsumer absurd(std::uint64_t{1} << 50);
  EXPECT_EQ(absurd.long_waits(1000, 2, 400), 0U);
  PacedConsumer slow(std::uint64_t{1} << 50, geometry(1024, std::uint64_t{1} << 52));
  slow.long_waits(16, 2, 1'000'000'000);
  EXPECT_EQ(slow.takes(2, 1'000'000'000), 10'000U);
}

TEST(StreamBackoff, messages_slower_than_a_stream_get_no_backoff) {
  PacedConsumer consumer(k_kib);
  EXPECT_EQ(consumer.long_waits(1000, 2, 1000), 0U);
}

/// 500 ns a message, where a stream of 1 KiB takes less than 384.
constexpr std::uint64_t k_slow_ns = 1000;

TEST(StreamBackoff, trial_pauses_for_a_possible_stream_are_short_and_become_rarer) {
  PacedConsumer consumer(k_kib);
  for (const unsigned pause : {1U << 10, 1U << 11, 1U << 12, 1U << 13, 1U << 14, 1U << 15, 1U << 16, 1U << 16}) {
    EXPECT_EQ(consumer.long_waits(pause + 15, 2, k_slow_ns), 0U) << pause;
    EXPECT_EQ(consumer.long_waits(17, 2, k_slow_ns), 17U) << pause;
    EXPECT_EQ(consumer.takes(2, k_slow_ns), 0U) << pause;
  }
}

TEST(StreamBackoff, a_stream_that_its_consumer_slowed_down_goes_on_with_backoffs) {
  PacedConsumer consumer(k_kib);
  EXPECT_EQ(consumer.long_waits((1U << 10) + 17, 2, k_slow_ns), 2U);
  EXPECT_EQ(consumer.long_waits(1000, 40, 10'000), 1000U);
  EXPECT_EQ(consumer.takes(2, 10'000), 0U) << "a pause";
  EXPECT_EQ(consumer.long_waits(k_after_one_in_vain + 1, 2, k_slow_ns), 2U) << "it helped before";
}

/// 430 ns apart, some a little less and some more, often two at once: it is no faster for its pauses.
TEST(StreamBackoff, messages_at_a_slow_steady_pace_are_hardly_ever_delayed) {
  PacedConsumer consumer(k_kib);
  constexpr std::uint64_t k_apart_ns = 430;
  std::uint64_t messages = 0;
  std::uint64_t late = 0;
  for (unsigned wait = 0; wait < 1U << 20; ++wait) {
    const std::uint64_t together = wait % 3 == 0 ? 2 : 1;
    std::uint64_t head_start_ns =
        consumer.takes(together, together * (wait % 2 == 0 ? k_apart_ns - 60 : k_apart_ns + 60));
    messages += together;
    while (head_start_ns != 0) {
      const std::uint64_t gathered = head_start_ns / k_apart_ns;
      messages += gathered;
      late += gathered;
      head_start_ns = consumer.takes(gathered, gathered * k_apart_ns);
    }
  }
  EXPECT_LT(late, messages / 100);
  EXPECT_GT(late, 0U) << "it was tried";
}

TEST(StreamBackoff, half_the_pace_of_a_stream_is_no_stream) {
  PacedConsumer consumer(k_kib);
  EXPECT_EQ(consumer.long_waits(1 << 17, 2, 1600), 0U);
}

TEST(StreamBackoff, a_pause_ends_a_stream) {
  PacedConsumer consumer(k_kib);
  EXPECT_EQ(consumer.long_waits(17, 2, 400), 2U);
  EXPECT_EQ(consumer.takes(2, 10'000), 0U);
  EXPECT_EQ(consumer.long_waits(k_after_one_in_vain - 1, 2, 400), 0U);
  EXPECT_EQ(consumer.long_waits(1, 2, 400), 1U);
}

TEST(StreamBackoff, a_consumer_that_finds_no_message_twice_has_no_stream) {
  PacedConsumer consumer(k_kib);
  consumer.long_waits(16, 2, 400);
  EXPECT_EQ(consumer.takes(0, 10), 0U);
}

TEST(StreamBackoff, small_messages_get_no_backoff) {
  EXPECT_EQ(PacedConsumer(8).long_waits(1000, 2, 10), 0U);
  EXPECT_EQ(PacedConsumer(47).long_waits(1000, 2, 10), 0U);
  EXPECT_EQ(PacedConsumer(48).long_waits(17, 2, 10), 2U);
  PacedConsumer mixed(32);
  mixed.long_waits(1000, 2, 400);
  mixed.now_has(k_kib);
  EXPECT_EQ(mixed.long_waits(20, 2, 400), 4U) << "small ones do not count for ever";
}

TEST(StreamBackoff, a_backoff_lasts_for_a_quarter_of_the_ring_at_the_pace_of_the_stream) {
  PacedConsumer large(k_kib, geometry(1024));
  large.long_waits(16, 2, 400);
  EXPECT_EQ(large.takes(2, 400), 10'000U);
  EXPECT_EQ(large.takes(2, 40), 256U * 20);
  PacedConsumer small(k_kib, geometry(64));
  small.long_waits(16, 2, 400);
  EXPECT_EQ(small.takes(2, 400), 16U * 200);
  EXPECT_EQ(PacedConsumer(k_kib, geometry(2)).long_waits(1000, 2, 400), 0U);
}

TEST(StreamBackoff, a_backoff_lasts_for_half_of_the_ring_for_a_consumer_that_takes_batches) {
  PacedConsumer large(k_kib, geometry(1024), k_backoff_in_batches);
  large.long_waits(16, 2, 400);
  EXPECT_EQ(large.takes(2, 400), 30'000U);
  EXPECT_EQ(large.takes(2, 40), 512U * 20);
  EXPECT_EQ(PacedConsumer(k_kib, geometry(1), k_backoff_in_batches).long_waits(1000, 2, 400), 0U);
}

TEST(StreamBackoff, a_backoff_lasts_for_a_quarter_of_the_lane_if_messages_lie_in_one) {
  PacedConsumer consumer(4 * k_kib, geometry(1024, 64 * k_kib));
  consumer.long_waits(16, 2, 2000);
  EXPECT_EQ(consumer.takes(2, 2000), 4U * 1000);
  EXPECT_EQ(PacedConsumer(32 * k_kib, geometry(1024, 64 * k_kib)).long_waits(1000, 2, 2000), 0U);
}

TEST(StreamBackoff, larger_messages_may_take_longer) {
  EXPECT_EQ(PacedConsumer(4 * k_kib, geometry(1024, k_kib * k_kib)).long_waits(17, 2, 2000), 2U);
  EXPECT_EQ(PacedConsumer(64 * k_kib, geometry(1024, k_kib * k_kib)).long_waits(17, 2, 20'000), 2U);
}

}  // namespace
}  // namespace beltway
