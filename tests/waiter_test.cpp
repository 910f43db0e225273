// What the wait strategies learn: adaptive gives spinning up when waits are long, and takes it up again when they are short.
#include "waiter.hpp"

#include <gtest/gtest.h>

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
  Waiter waiter(at_.map, at_.owner, WaitStrategy::adaptive, false);
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
  Waiter spinning(at_.map, at_.owner, WaitStrategy::spin, false);
  Waiter sleeping(at_.map, at_.owner, WaitStrategy::sleep, false);
  for (int i = 0; i < 8; ++i) {
    wait(spinning, false);
    wait(sleeping, false);
    EXPECT_TRUE(spinning.spins());
    EXPECT_FALSE(sleeping.spins());
  }
  EXPECT_EQ(spinning.sleeps(), 0U);
  EXPECT_GE(sleeping.sleeps(), 8U);
}

}  // namespace
}  // namespace beltway::test
