// When a consumer that spins stays away from the next slot for a moment, by times that the test makes up.
#include "head_start.hpp"

#include <gtest/gtest.h>

namespace beltway {
namespace {

constexpr std::uint32_t k_slots = 64;
constexpr std::uint32_t k_slot_bytes = 1088;  // of 1 KiB messages

/// A consumer that waits now and then.
class Consumer {
 public:
  explicit Consumer(std::uint32_t slot_bytes, Position start = 0) : head_start_(k_slots, slot_bytes), read_(start) {
    takes(0, 0);
  }
  /// Takes `messages` in `ns`, then has to wait; for how long it should stay away.
  std::uint64_t takes(std::uint64_t messages, std::uint64_t ns) {
    read_ = wrap(read_ + messages);
    now_ns_ += ns;
    return head_start_.wait_ns(read_, now_ns_);
  }
  /// How many of so many waits were long ones.
  unsigned long_waits(unsigned waits, std::uint64_t messages, std::uint64_t ns) {
    unsigned count = 0;
    for (unsigned i = 0; i < waits; ++i) count += takes(messages, ns) != 0 ? 1 : 0;
    return count;
  }

 private:
  HeadStart head_start_;
  Position read_;
  std::uint64_t now_ns_ = 1'000'000;
};

TEST(HeadStart, a_stream_gets_one_once_it_is_known) {
  Consumer consumer(k_slot_bytes);
  EXPECT_EQ(consumer.long_waits(15, 2, 400), 0U);
  EXPECT_EQ(consumer.long_waits(100, 2, 400), 100U);
}

TEST(HeadStart, a_stream_goes_on_with_it) {
  Consumer consumer(k_slot_bytes);
  consumer.long_waits(16, 2, 400);
  EXPECT_EQ(consumer.long_waits(100, 10, 2500), 100U);
}

TEST(HeadStart, messages_that_come_one_by_one_get_none_however_fast) {
  Consumer consumer(k_slot_bytes);
  EXPECT_EQ(consumer.long_waits(1000, 1, 50), 0U);
}

TEST(HeadStart, what_is_slower_than_a_stream_gets_none) {
  Consumer consumer(k_slot_bytes);
  EXPECT_EQ(consumer.long_waits(1000, 2, 1000), 0U);
}

TEST(HeadStart, a_pause_ends_it) {
  Consumer consumer(k_slot_bytes);
  EXPECT_EQ(consumer.long_waits(17, 2, 400), 2U);
  EXPECT_EQ(consumer.takes(2, 10'000), 0U);
  EXPECT_EQ(consumer.long_waits(15, 2, 400), 0U);
  EXPECT_EQ(consumer.long_waits(1, 2, 400), 1U);
}

TEST(HeadStart, who_finds_nothing_twice_has_no_stream) {
  Consumer consumer(k_slot_bytes);
  consumer.long_waits(16, 2, 400);
  EXPECT_EQ(consumer.takes(0, 10), 0U);
}

TEST(HeadStart, small_messages_need_none) {
  EXPECT_FALSE(HeadStart(k_slots, 64).ever());
  EXPECT_FALSE(HeadStart(k_slots, 192).ever());
  EXPECT_TRUE(HeadStart(k_slots, 256).ever());
  Consumer consumer(64);
  EXPECT_EQ(consumer.long_waits(1000, 2, 10), 0U);
}

TEST(HeadStart, a_small_ring_would_be_full_meanwhile) {
  EXPECT_FALSE(HeadStart(32, k_slot_bytes).ever());
  EXPECT_TRUE(HeadStart(64, k_slot_bytes).ever());
}

TEST(HeadStart, larger_messages_may_take_longer) {
  Consumer consumer(4160);
  EXPECT_EQ(consumer.long_waits(17, 2, 2000), 2U);
}

TEST(HeadStart, positions_wrap) {
  Consumer consumer(k_slot_bytes, wrap(~std::uint64_t{19}));
  consumer.long_waits(16, 2, 400);
  EXPECT_EQ(consumer.long_waits(10, 2, 400), 10U);
}

}  // namespace
}  // namespace beltway
