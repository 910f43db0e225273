// Rates, history and budgets from made readings.
#include "watch/past.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "watch/look_budget.hpp"
#include "watch/process_info.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;
using watch::Past;
using watch::RateWindow;
using watch::Reading;

Reading reading_of(std::uint64_t messages_in, std::uint64_t group_out = 0) {
  Reading reading;
  reading.sums.messages_in = messages_in;
  reading.groups.push_back({.messages_out = group_out});
  return reading;
}

TEST(RateWindow, rates_are_0_until_there_are_two_readings) {
  RateWindow window;
  EXPECT_EQ(window.rates().in, 0);
  window.add(1s, reading_of(5));
  EXPECT_EQ(window.rates().in, 0);
}

TEST(RateWindow, a_rate_is_the_difference_to_a_reading_of_a_second_ago) {
  RateWindow window;
  for (int tenth = 0; tenth <= 20; ++tenth) window.add(tenth * 100ms, reading_of(tenth < 10 ? 0 : 10));
  EXPECT_EQ(window.rates().in, 0) << "all came more than a second ago";
  window.add(2100ms, reading_of(30));
  EXPECT_NEAR(window.rates().in, 20, 0.01);
}

TEST(RateWindow, counts_that_go_back_for_a_moment_make_no_rate) {
  RateWindow window;
  window.add(0s, reading_of(1000));
  window.add(100ms, reading_of(200));  // an endpoint ends: its counters are not in the sum yet
  EXPECT_EQ(window.rates().in, 0);
  window.add(200ms, reading_of(1000));
  EXPECT_EQ(window.rates().in, 0);
  window.add(300ms, reading_of(1003));
  EXPECT_NEAR(window.rates().in, 10, 0.01);
}

TEST(RateWindow, groups_that_changed_begin_with_the_rate_0) {
  RateWindow window;
  window.add(0s, reading_of(0, 100));
  window.add(1s, reading_of(0, 150));
  EXPECT_NEAR(window.group_out_per_s(0), 50, 0.01);
  window.forget_groups();
  window.add(2s, reading_of(0, 900));
  EXPECT_EQ(window.group_out_per_s(0), 0);
  EXPECT_EQ(window.group_out_per_s(7), 0) << "there is no such group";
}

TEST(Past, the_past_has_a_point_a_second_and_forgets_the_oldest) {
  Past past(3);
  watch::QueueView view;
  for (int half = 0; half < 10; ++half) {
    view.lag = static_cast<std::uint64_t>(half);
    past.add(10s + half * 500ms, 100 + half / 2, view);
    EXPECT_EQ(past.is_fresh(), half % 2 == 0);
  }
  ASSERT_EQ(past.points().size(), 3U);
  EXPECT_EQ(past.points()[0].at_s, 102);
  EXPECT_EQ(past.points()[2].at_s, 104);
  EXPECT_EQ(past.points()[2].lag, 8);
}

TEST(LookBudget, a_budget_that_is_overdrawn_comes_back_with_time) {
  watch::LookBudget budget(0.01, 10ms);
  EXPECT_TRUE(budget.has_left());
  budget.spend(30ms);
  EXPECT_FALSE(budget.has_left());
  budget.refill(1s);
  EXPECT_FALSE(budget.has_left());
  budget.refill(2s);
  EXPECT_TRUE(budget.has_left());
  budget.refill(1h);
  budget.spend(10ms);
  EXPECT_FALSE(budget.has_left()) << "no more than that is saved up";
}

TEST(ProcessMemory, a_process_is_read_once_while_the_memory_lives) {
  const watch::ProcessMemory memory;
  const auto before = watch::process_info(::getpid());
  ASSERT_TRUE(before);
  {
    const watch::ProcessMemory inner;
    EXPECT_EQ(watch::process_info(::getpid())->name, before->name);
  }
  EXPECT_EQ(watch::process_info(::getpid())->name, before->name);
  EXPECT_FALSE(watch::process_info(0));
}

}  // namespace
}  // namespace beltway::test
