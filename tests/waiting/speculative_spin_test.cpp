// Spins on one word, speculative and plain: they find what is there and what comes, poll no further than they were asked to,
// and leave the caller's registers and stack alone.
#include "waiting/speculative_spin.hpp"

#include <gtest/gtest.h>

#include <sys/time.h>
#include <chrono>
#include <csignal>
#include <thread>

namespace beltway {

using namespace beltway::detail;
using namespace beltway::waiting;

namespace {

using SpinPointer = bool (*)(const Word&, std::uint64_t, std::uint64_t, unsigned) noexcept;
constexpr std::uint64_t k_all = ~std::uint64_t{0};

class Spin : public testing::TestWithParam<SpinPointer> {
 protected:
  Word word_{};
  SpinPointer spin_ = GetParam();
};

TEST_P(Spin, a_spin_finds_a_present_value_with_its_only_poll) {
  word_.store_relaxed(5);
  EXPECT_TRUE(spin_(word_, k_all, 5, 1));
  EXPECT_FALSE(spin_(word_, k_all, 6, 1));
}

TEST_P(Spin, a_spin_compares_only_the_bits_of_the_mask) {
  word_.store_relaxed(0xff00'0000'0000'03fd);
  EXPECT_TRUE(spin_(word_, ~std::uint64_t{0xff << 2}, 0xff00'0000'0000'0001, 3));
  EXPECT_FALSE(spin_(word_, k_all, 0xff00'0000'0000'0001, 3));
  EXPECT_FALSE(spin_(word_, ~std::uint64_t{0xff << 2}, 0x0000'0000'0000'0001, 3)) << "all 64 bits count";
}

TEST_P(Spin, a_spin_ends_when_nothing_comes) {
  for (const unsigned polls : {1U, 2U, 192U, 100'000U}) EXPECT_FALSE(spin_(word_, k_all, 1, polls)) << polls;
}

TEST_P(Spin, a_spin_finds_a_value_that_another_thread_stores) {
  for (std::uint64_t turn = 1; turn <= 200; ++turn) {
    std::jthread other([&] { word_.store_release(turn); });
    while (!spin_(word_, k_all, turn, 1000)) std::this_thread::yield();
    EXPECT_EQ(word_.load_acquire(), turn);
  }
}

volatile std::sig_atomic_t g_signals = 0;
void count(int /*signal*/) { g_signals = g_signals + 1; }

TEST_P(Spin, a_spin_interrupted_by_signals_anywhere_goes_on) {
  struct sigaction action{};
  struct sigaction before{};
  action.sa_handler = count;
  ASSERT_EQ(::sigaction(SIGALRM, &action, &before), 0);
  const itimerval often{.it_interval = {0, 50}, .it_value = {0, 50}};
  ASSERT_EQ(::setitimer(ITIMER_REAL, &often, nullptr), 0);
  std::uint64_t sum = 0;  // lies in a register or on the stack over all calls
  std::uint64_t turns = 0;
  g_signals = 0;
  while (g_signals < 500) {
    word_.store_relaxed(turns % 2);
    sum += spin_(word_, k_all, 1, 3) ? 1 : 0;
    ++turns;
  }
  const itimerval never{};
  ::setitimer(ITIMER_REAL, &never, nullptr);
  ::sigaction(SIGALRM, &before, nullptr);
  EXPECT_EQ(sum, turns / 2);
}

INSTANTIATE_TEST_SUITE_P(All, Spin, testing::Values(&speculative_spin, &plain_spin),
                         [](const auto& param) { return param.index == 0 ? "speculative" : "plain"; });

}  // namespace
}  // namespace beltway
