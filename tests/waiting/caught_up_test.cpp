// Which consumers think of letting their producer get ahead (src/waiting/stream_backoff.hpp): those that look at the clock before
// they look for what is next.
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <ctime>

#include "beltway/beltway.hpp"
#include "local_queue.hpp"

namespace {
thread_local int looks_at_the_clock = 0;
}  // namespace
/// In the place of the C library's.
extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  if (clock == CLOCK_MONOTONIC) ++looks_at_the_clock;
  return static_cast<int>(syscall(SYS_clock_gettime, clock, time));
}

namespace beltway::test {
namespace {

constexpr int k_rounds = 50;

/// Of a consumer that receives two messages, `most` at most at once, again and again; they are there before it looks.
int looks(const ConsumerOptions& options, std::size_t most, std::size_t bytes = 200) {
  QueueOptions queue_options{.slots = 64, .slot_bytes = 256, .max_producers = 1};
  if (!options.group.empty()) queue_options.groups = {options.group};
  LocalQueue queue(queue_options);
  Producer out = queue.producer();
  Consumer in = queue.consumer(options);
  const std::vector<std::byte> message(bytes);
  std::array<Message, 8> batch;
  const int before = looks_at_the_clock;
  for (int i = 0; i < k_rounds; ++i) {
    out.publish(message);
    out.publish(message);
    EXPECT_EQ(in.receive_batch(std::span(batch).first(most)).value_or(0), 2U);
    ack_batch(batch);
  }
  return looks_at_the_clock - before;
}

constexpr auto k_spin = WaitStrategy::spin;

TEST(CaughtUp, is_a_private_consumer_whose_last_batch_was_cut_short) {
  EXPECT_GE(looks({.wait = k_spin}, 3), k_rounds - 1);
}
TEST(CaughtUp, is_a_group_s_consumer_whose_last_batch_was_cut_short) {
  EXPECT_GE(looks({.group = "g", .wait = k_spin}, 3), k_rounds - 1);
}
TEST(CaughtUp, is_not_who_got_as_many_as_it_wanted) {
  EXPECT_EQ(looks({.wait = k_spin}, 2), 0);
  EXPECT_EQ(looks({.group = "g", .wait = k_spin}, 2), 0);
}
TEST(CaughtUp, is_not_who_may_have_no_more) { EXPECT_EQ(looks({.group = "g", .prefetch = 2, .wait = k_spin}, 3), 0); }
TEST(CaughtUp, does_not_matter_to_who_sleeps_nor_to_who_may_lose_some) {
  EXPECT_EQ(looks({.wait = WaitStrategy::sleep}, 3), 0);
  EXPECT_EQ(looks({.lossy = true, .wait = k_spin}, 3), 0);
}
TEST(CaughtUp, does_not_matter_with_small_messages) { EXPECT_EQ(looks({.wait = k_spin}, 3, 8), 0); }

}  // namespace
}  // namespace beltway::test
