// What the wait strategies learn: adaptive gives spinning up when waits are long, and takes it up again when they are short; and
// who spins notices that others need his processor.
#include "waiter.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include <ctime>
#include <thread>

#include "beltway/beltway.hpp"
#include "local_queue.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;

class WaiterLearns : public testing::Test {
 protected:
  LocalQueue queue_;
  const Attachment at_ = queue_.attach_consumer();

  /// Finds nothing for a millisecond, or at once.
  void wait(Waiter& waiter, bool found) {
    waiter.wait(found ? 10'000ms : 1ms, [&] { return found; }, [&] { waiter.line().arm(false); }, [] {});
  }
};

TEST_F(WaiterLearns, adaptive_stops_spinning_where_every_wait_is_long_and_starts_again_where_one_is_short) {
  Waiter waiter(at_.map, at_.owner, WaitStrategy::adaptive);
  EXPECT_TRUE(waiter.spins());
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 8; ++i) wait(waiter, false);
    EXPECT_FALSE(waiter.spins()) << "no wait was shorter than a wake";
    // Found behind the barrier; on a loaded machine a single one of these may take long.
    for (int i = 0; i < 1000 && !waiter.spins(); ++i) wait(waiter, true);
    EXPECT_TRUE(waiter.spins());
  }
}

TEST_F(WaiterLearns, spin_always_spins_and_sleep_never_does) {
  Waiter spinning(at_.map, at_.owner, WaitStrategy::spin);
  Waiter sleeping(at_.map, at_.owner, WaitStrategy::sleep);
  for (int i = 0; i < 8; ++i) {
    wait(spinning, false);
    wait(sleeping, false);
    EXPECT_TRUE(spinning.spins());
    EXPECT_FALSE(sleeping.spins());
  }
  EXPECT_EQ(spinning.sleeps(), 0U);
  EXPECT_GE(sleeping.sleeps(), 8U);
}

/// Processor time of this process, so far.
double processor_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

void stay_on(int processor) {
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(processor, &only);
  ASSERT_EQ(sched_setaffinity(0, sizeof only, &only), 0);
}

TEST(WaiterGivesWay, to_the_one_for_whom_it_waits_on_the_same_processor) {
  constexpr int k_rounds = 1000;
  LocalQueue requests({.slots = 4});
  LocalQueue replies({.slots = 4});
  Producer ask = requests.producer();
  Consumer asked = requests.consumer({.wait = WaitStrategy::spin});
  Producer reply = replies.producer();
  Consumer replied = replies.consumer({.wait = WaitStrategy::spin});
  const int processor = sched_getcpu();
  const double before = processor_seconds();
  std::thread answering([&] {
    stay_on(processor);
    for (int i = 0; i < k_rounds; ++i) {
      EXPECT_TRUE(asked.receive());
      reply.publish("reply");
    }
  });
  std::thread asking([&] {
    stay_on(processor);
    for (int i = 0; i < k_rounds; ++i) {
      ask.publish("request");
      EXPECT_TRUE(replied.receive());
    }
  });
  asking.join();
  answering.join();
  // Who never gives way spins until the scheduler ends its turn, milliseconds later, twice a round.
  EXPECT_LT((processor_seconds() - before) / k_rounds, 1e-3);
}

}  // namespace
}  // namespace beltway::test
