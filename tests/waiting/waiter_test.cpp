// What the wait strategies learn: adaptive gives spinning up when waits are long, and takes it up again when they are short;
// and who spins notices that others need his processor.
#include "waiting/waiter.hpp"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <thread>

#include "beltway/beltway.hpp"
#include "local_queue.hpp"

namespace {
thread_local int yields = 0;
}  // namespace
/// In the place of the C library's.
extern "C" int sched_yield() noexcept {
  ++yields;
  return static_cast<int>(syscall(SYS_sched_yield));
}

namespace beltway::test {

using namespace beltway::endpoint;
using namespace beltway::ring;
using namespace beltway::waiting;

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
  Waiter waiter(at_.memory, at_.owner, WaitStrategy::adaptive);
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
  Waiter spinning(at_.memory, at_.owner, WaitStrategy::spin);
  Waiter sleeping(at_.memory, at_.owner, WaitStrategy::sleep);
  for (int i = 0; i < 8; ++i) {
    wait(spinning, false);
    wait(sleeping, false);
    EXPECT_TRUE(spinning.spins());
    EXPECT_FALSE(sleeping.spins());
  }
  EXPECT_EQ(spinning.sleeps(), 0U);
  // On a loaded machine a wake may come before the sleep.
  for (int i = 0; i < 1000 && sleeping.sleeps() < 8; ++i) wait(sleeping, false);
  EXPECT_GE(sleeping.sleeps(), 8U);
  EXPECT_FALSE(sleeping.spins());
}

TEST(WaiterGivesWay, a_preempted_waiter_yields_at_each_read_of_the_clock) {
  constexpr int k_before = 1'000;
  constexpr int k_after = 20'000;
  LocalQueue queue;
  const Attachment at = queue.attach_consumer();
  Waiter waiter(at.memory, at.owner, WaitStrategy::spin);
  int polls = 0;
  int yields_before = 0;
  const auto poll = [&] {
    if (++polls == k_before) {  // as if others had it: a long time passes between two looks
      std::this_thread::sleep_for(1ms);
      yields_before = yields;
    }
    return polls == k_before + k_after;
  };
  EXPECT_EQ(waiter.wait({}, poll, [] {}, [] {}), Waiter::Ended::found);
  EXPECT_TRUE(waiter.is_yielding());
  // 64 looks and fewer lie between two looks at the clock. Whoever is interrupted meanwhile gives way all the more.
  EXPECT_GE(yields - yields_before, k_after / 64 - 2);
}

/// Sleeps whose patience is over at once, since the clock that they are given lies a whole patience back.
class WaiterCountsRescues : public testing::Test {
 protected:
  LocalQueue queue_{{.max_producers = 2, .groups = {"g", "h"}}};

  static std::uint64_t late_clock() noexcept { return os::now_ns() - k_last_resort_ns; }

  /// Sleeps as `at`. The first try after the patience finds something; `meanwhile` runs before that try looks. Returns rescues.
  template <class Meanwhile>
  static std::uint64_t rescues(const Attachment& at, Meanwhile meanwhile) {
    Waiter waiter(at.memory, at.owner, SpinPolicy{.strategy = WaitStrategy::sleep, .now_ns = late_clock});
    int tries = 0;
    const auto look = [&] {
      if (++tries == 2) meanwhile();
      return tries == 2;
    };
    EXPECT_EQ(waiter.wait({}, look, [&] { waiter.line().arm(false); }, [] {}), Waiter::Ended::found);
    return waiter.rescued();
  }
};

TEST_F(WaiterCountsRescues, sleeper_without_any_wake_was_rescued) {
  const Attachment alone = queue_.attach_consumer({.group = "g"});
  EXPECT_EQ(rescues(alone, [] {}), 1U);
  const Attachment reader = queue_.attach_consumer();
  EXPECT_EQ(rescues(reader, [] {}), 1U);
  const Attachment producer = queue_.attach_producer();
  EXPECT_EQ(rescues(producer, [] {}), 1U);
}

TEST_F(WaiterCountsRescues, sleeper_that_outruns_a_woken_consumer_of_its_group_was_not_rescued) {
  const Attachment first = queue_.attach_consumer({.group = "g"});
  const Attachment second = queue_.attach_consumer({.group = "g"});
  SleepWord asleep(first.memory, first.owner);
  asleep.arm(false);
  EXPECT_EQ(rescues(second, [] {}), 1U) << "the other one sleeps, too";
  EXPECT_EQ(rescues(second, [&] { EXPECT_TRUE(wake(first.memory, first.owner)); }), 0U);
  EXPECT_EQ(rescues(second, [] {}), 0U) << "the other one is woken, and did not try yet";
  EXPECT_TRUE(asleep.disarm());
  EXPECT_EQ(rescues(second, [] {}), 0U) << "the other one is awake";
}

TEST_F(WaiterCountsRescues, sleeper_that_outruns_a_consumer_that_sleeps_again_was_not_rescued) {
  const Attachment first = queue_.attach_consumer({.group = "g"});
  const Attachment second = queue_.attach_consumer({.group = "g"});
  SleepWord asleep(first.memory, first.owner);
  asleep.arm(false);
  const std::uint64_t count = rescues(second, [&] {
    wake(first.memory, first.owner);
    asleep.disarm();
    asleep.arm(false);
  });
  EXPECT_EQ(count, 0U);
}

TEST_F(WaiterCountsRescues, consumer_of_another_group_explains_no_rescue) {
  const Attachment first = queue_.attach_consumer({.group = "h"});
  const Attachment reader = queue_.attach_consumer();
  const Attachment second = queue_.attach_consumer({.group = "g"});
  SleepWord asleep(first.memory, first.owner);
  asleep.arm(false);
  EXPECT_EQ(rescues(second, [&] { wake(first.memory, first.owner); }), 1U);
  EXPECT_EQ(rescues(reader, [&] { wake(first.memory, first.owner); }), 1U);
}

TEST_F(WaiterCountsRescues, producer_that_outruns_a_woken_producer_was_not_rescued) {
  const Attachment first = queue_.attach_producer();
  const Attachment second = queue_.attach_producer();
  SleepWord asleep(first.memory, first.owner);
  asleep.arm(false);
  EXPECT_EQ(rescues(second, [] {}), 1U);
  EXPECT_EQ(rescues(second, [&] { wake(first.memory, first.owner); }), 0U);
}

}  // namespace
}  // namespace beltway::test
