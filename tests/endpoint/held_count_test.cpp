// Counting the ends of a consumer's messages: in its thread, in others, at its end, and when it is handed over with messages out.
#include "endpoint/held_count.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <thread>

#include "os/kernel.hpp"

namespace beltway {

using namespace beltway::endpoint;

namespace {

constexpr auto k_no_bell = [] { FAIL() << "nobody waits for credit"; };
constexpr auto k_tell_nobody = [](std::uint64_t) {};

void take(HeldCount& ends, std::uint64_t count) {
  ends.own();
  ends.took(count);
}

/// With barriers, where the kernel has them, and without: then every end is counted by a locked operation.
class HeldCountTest : public testing::TestWithParam<bool> {
 protected:
  HeldCountTest() : ends_(GetParam() && os::register_for_barriers()) {}
  HeldCount ends_;
};
INSTANTIATE_TEST_SUITE_P(Barriers, HeldCountTest, testing::Bool(),
                         [](const auto& barriers) { return barriers.param ? "with" : "without"; });

TEST_P(HeldCountTest, ended_messages_are_counted_and_no_longer_held) {
  take(ends_, 3);
  EXPECT_EQ(ends_.held(), 3U);
  std::uint64_t told = 0;
  const auto tell = [&](std::uint64_t ended) { told = ended; };
  EXPECT_FALSE(ends_.count(1, k_no_bell, tell));
  EXPECT_EQ(told, 1U);
  std::thread([&] { EXPECT_FALSE(ends_.count(1, k_no_bell, tell)); }).join();
  EXPECT_EQ(told, 2U);
  EXPECT_EQ(ends_.ended(), 2U);
  EXPECT_EQ(ends_.held(), 1U);
  EXPECT_FALSE(ends_.count(1, k_no_bell, tell));
  EXPECT_TRUE(ends_.close());
}

TEST_P(HeldCountTest, the_thread_that_ends_last_is_told_so) {
  take(ends_, 3);
  EXPECT_FALSE(ends_.count(1, k_no_bell, k_tell_nobody));
  EXPECT_FALSE(ends_.close());
  std::uint64_t told = 0;
  std::thread([&] { EXPECT_FALSE(ends_.count(1, k_no_bell, [&](std::uint64_t ended) { told = ended; })); }).join();
  EXPECT_EQ(told, 2U) << "one before the Consumer went, one after";
  EXPECT_TRUE(ends_.count(1, k_no_bell, [&](std::uint64_t ended) { told = ended; }));
  EXPECT_EQ(told, 3U);
}

TEST_P(HeldCountTest, a_held_count_may_be_closed_in_another_thread) {
  take(ends_, 2);
  EXPECT_FALSE(ends_.count(1, k_no_bell, k_tell_nobody));
  std::thread([&] { EXPECT_FALSE(ends_.close()); }).join();
  EXPECT_TRUE(ends_.count(1, k_no_bell, k_tell_nobody));
}

TEST_P(HeldCountTest, a_thread_that_ends_a_message_rings_the_consumer_that_wants_credit) {
  take(ends_, 2);
  for (const bool in_another_thread : {false, true}) {
    ends_.want_credit();
    unsigned rung = 0;
    const auto end = [&] { EXPECT_FALSE(ends_.count(1, [&] { ++rung; }, k_tell_nobody)); };
    if (in_another_thread) {
      std::thread(end).join();
    } else {
      end();
    }
    EXPECT_EQ(rung, 1U);
    EXPECT_FALSE(ends_.want_credit_no_more()) << "said already";
  }
  EXPECT_EQ(ends_.held(), 0U);
}

TEST_P(HeldCountTest, another_thread_may_take_while_messages_are_held) {
  take(ends_, 2);
  EXPECT_FALSE(ends_.count(1, k_no_bell, k_tell_nobody));
  std::thread([&] {
    take(ends_, 2);
    EXPECT_EQ(ends_.held(), 3U);
    EXPECT_FALSE(ends_.count(1, k_no_bell, k_tell_nobody));
  }).join();
  EXPECT_FALSE(ends_.count(1, k_no_bell, k_tell_nobody));
  EXPECT_FALSE(ends_.count(1, k_no_bell, k_tell_nobody));
  EXPECT_EQ(ends_.held(), 0U);
  take(ends_, 1);
  EXPECT_FALSE(ends_.close());
  EXPECT_TRUE(ends_.count(1, k_no_bell, k_tell_nobody));
}

/// Three threads, one of which took them, end messages while a fourth takes more, and the Consumer goes in the fourth.
TEST_P(HeldCountTest, no_end_is_lost_where_threads_meet) {
  constexpr unsigned k_rounds = 300;
  constexpr std::uint64_t k_each = 40;
  for (unsigned round = 0; round < k_rounds; ++round) {
    HeldCount ends(GetParam() && os::register_for_barriers());
    std::atomic<unsigned> last = 0;
    std::atomic<unsigned> ready = 0;
    const auto end_some = [&](std::uint64_t count) {
      ready.fetch_add(1);
      while (ready.load() != 4) std::this_thread::yield();
      for (std::uint64_t i = 0; i < count; ++i) {
        if (ends.count(1, k_no_bell, k_tell_nobody)) last.fetch_add(1);
      }
    };
    std::array<std::thread, 4> threads;
    std::atomic<bool> taken = false;
    threads[0] = std::thread([&] {
      take(ends, 3 * k_each);
      taken.store(true);
      end_some(k_each);
    });
    while (!taken.load()) std::this_thread::yield();
    threads[1] = std::thread(end_some, k_each);
    threads[2] = std::thread(end_some, k_each);
    threads[3] = std::thread([&] {
      end_some(0);
      for (unsigned i = 0; i < round % 40; ++i) std::this_thread::yield();
      if (round % 2 == 0) take(ends, 1);
      if (ends.close()) last.fetch_add(1);
      if (round % 2 == 0 && ends.count(1, k_no_bell, k_tell_nobody)) last.fetch_add(1);
    });
    for (std::thread& thread : threads) thread.join();
    ASSERT_EQ(last.load(), 1U) << "round " << round;
  }
}

std::atomic<bool> stands = false;
std::atomic<bool> may_go_on = false;

/// The owner is stopped at any instruction, one time in a few in the middle of its count, while the Consumer goes.
TEST_P(HeldCountTest, an_owner_that_is_stopped_while_it_counts_is_waited_for) {
  constexpr std::uint64_t k_messages = 100'000;
  struct sigaction stop{};
  stop.sa_handler = [](int) {
    stands.store(true);
    while (!may_go_on.load()) {
    }
  };
  struct sigaction before{};
  ASSERT_EQ(sigaction(SIGUSR1, &stop, &before), 0);
  for (unsigned round = 0; round < 60; ++round) {
    stands.store(false);
    may_go_on.store(false);
    HeldCount ends(GetParam() && os::register_for_barriers());
    std::atomic<unsigned> last = 0;
    std::atomic<std::uint64_t> ended = 0;
    std::thread owner([&] {
      take(ends, k_messages);
      for (std::uint64_t i = 0; i < k_messages; ++i) {
        if (ends.count(1, k_no_bell, k_tell_nobody)) last.fetch_add(1);
        ended.store(i + 1, std::memory_order_relaxed);
      }
    });
    while (ended.load() < 100 + 50 * round) std::this_thread::yield();
    pthread_kill(owner.native_handle(), SIGUSR1);
    while (!stands.load() && ended.load() != k_messages) std::this_thread::yield();
    std::thread closer([&] {
      if (ends.close()) last.fetch_add(1);
    });
    std::this_thread::sleep_for(std::chrono::microseconds(300));
    may_go_on.store(true);
    closer.join();
    owner.join();
    ASSERT_EQ(last.load(), 1U) << "round " << round;
  }
  sigaction(SIGUSR1, &before, nullptr);
}

}  // namespace
}  // namespace beltway
