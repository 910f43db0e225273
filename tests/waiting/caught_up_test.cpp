// Which consumers back off so that their producer gets ahead (waiting/stream_backoff.hpp): those that read the clock of their
// SpinPolicy before they look for what is next. And how they poll.
#include <gtest/gtest.h>

#include <array>

#include "beltway/beltway.hpp"
#include "endpoint/attachment.hpp"
#include "local_queue.hpp"

namespace beltway::test {

using namespace beltway::detail;
using namespace beltway::endpoint;
using namespace beltway::waiting;

namespace {

constexpr int k_rounds = 50;

int clock_reads = 0;
std::uint64_t counting_clock() noexcept {
  ++clock_reads;
  return os::now_ns();
}
int spins = 0;
bool counting_spin(const Word& state, std::uint64_t mask, std::uint64_t wanted, unsigned polls) noexcept {
  ++spins;
  return plain_spin(state, mask, wanted, polls);
}

SpinPolicy counting(const ConsumerOptions& options) {
  SpinPolicy policy = SpinPolicy::of(options);
  policy.now_ns = &counting_clock;
  return policy;
}

/// Of a consumer that receives two messages, `most` at most at once, again and again; they are there before it looks.
int count_backoffs(const ConsumerOptions& options, std::size_t most, std::size_t bytes = 200) {
  QueueOptions queue_options{.slots = 64, .slot_bytes = 256, .max_producers = 1};
  if (!options.group.empty()) queue_options.groups = {options.group};
  LocalQueue queue(queue_options);
  Producer out = queue.producer();
  Consumer in = make_consumer(queue.attach_consumer(options), options, counting(options));
  const std::vector<std::byte> message(bytes);
  std::array<Message, 8> batch;
  const int before = clock_reads;
  for (int i = 0; i < k_rounds; ++i) {
    out.publish(message);
    out.publish(message);
    EXPECT_EQ(in.receive_batch(std::span(batch).first(most)).value_or(0), 2U);
    ack_batch(batch);
  }
  return clock_reads - before;
}

constexpr auto k_spin = WaitStrategy::spin;

TEST(CaughtUp, a_private_consumer_has_caught_up_after_a_partial_batch) {
  EXPECT_GE(count_backoffs({.wait = k_spin}, 3), k_rounds - 1);
}
TEST(CaughtUp, a_consumer_of_a_group_has_caught_up_after_a_partial_batch) {
  EXPECT_GE(count_backoffs({.group = "g", .wait = k_spin}, 3), k_rounds - 1);
}
TEST(CaughtUp, a_consumer_has_not_caught_up_after_a_full_batch) {
  EXPECT_EQ(count_backoffs({.wait = k_spin}, 2), 0);
  EXPECT_EQ(count_backoffs({.group = "g", .wait = k_spin}, 2), 0);
}
TEST(CaughtUp, a_consumer_at_its_prefetch_limit_has_not_caught_up) {
  EXPECT_EQ(count_backoffs({.group = "g", .prefetch = 2, .wait = k_spin}, 3), 0);
}
TEST(CaughtUp, sleeping_and_lossy_consumers_do_not_back_off) {
  EXPECT_EQ(count_backoffs({.wait = WaitStrategy::sleep}, 3), 0);
  EXPECT_EQ(count_backoffs({.lossy = true, .wait = k_spin}, 3), 0);
}
TEST(CaughtUp, a_consumer_without_the_option_does_not_back_off) {
  EXPECT_EQ(count_backoffs({.wait = k_spin, .spin_backoff = false}, 3), 0);
  EXPECT_EQ(count_backoffs({.group = "g", .wait = k_spin, .spin_backoff = false}, 3), 0);
}
TEST(CaughtUp, consumers_of_small_messages_do_not_back_off) { EXPECT_EQ(count_backoffs({.wait = k_spin}, 3, 8), 0); }

TEST(SpinPolicy, a_spin_policy_decides_how_a_private_consumer_polls_for_one_message) {
  LocalQueue queue;
  SpinPolicy policy = SpinPolicy::of(ConsumerOptions{.wait = k_spin});
  policy.spin = &counting_spin;
  const int before = spins;
  Consumer in = make_consumer(queue.attach_consumer(), {}, policy);
  EXPECT_EQ(in.receive(std::chrono::milliseconds(1)).status(), Status::timeout);
  EXPECT_EQ(spins - before, 1) << "once, before the paced spin";
  std::array<Message, 2> batch;
  EXPECT_EQ(in.receive_batch(batch, std::chrono::milliseconds(1)).status(), Status::timeout);
  EXPECT_EQ(spins - before, 1) << "not for batches";
}
TEST(SpinPolicy, a_spin_policy_polls_plainly_if_the_options_say_so) {
  EXPECT_EQ(SpinPolicy::of(ConsumerOptions{}).spin, &speculative_spin);
  EXPECT_EQ(SpinPolicy::of(ConsumerOptions{.speculative_spin = false}).spin, &plain_spin);
}

}  // namespace
}  // namespace beltway::test
