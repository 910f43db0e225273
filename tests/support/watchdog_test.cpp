// The watchdog ends a test that hangs, names it, and shows where its threads stand.
#include "watchdog.hpp"

#include <unistd.h>

#include <csignal>
#include <thread>

#include "child.hpp"

namespace beltway::test {

// Not in the unnamed namespace, and not inlined: their names must be found in the stacks.
[[gnu::noinline]] void hang_in_the_main_thread() {
  for (;;) ::pause();
}
[[gnu::noinline]] void hang_in_another_thread() {
  for (;;) ::pause();
}

namespace {

TEST(Hanging, DISABLED_with_two_threads) {
  const std::jthread other(hang_in_another_thread);
  hang_in_the_main_thread();
}

TEST(Watchdog, the_watchdog_names_the_test_that_hangs_and_the_place_of_each_thread) {
  const auto result = run({"/proc/self/exe", "--gtest_also_run_disabled_tests", "--gtest_filter=Hanging.*"},
                          {.environment = {{"BELTWAY_TEST_TIMEOUT_S", "1"}}});
  EXPECT_EQ(result.exit.signal, SIGABRT) << result.err;
  EXPECT_NE(result.err.find("Hanging.DISABLED_with_two_threads hangs"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("hang_in_the_main_thread"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("hang_in_another_thread"), std::string::npos) << result.err;
}

}  // namespace
}  // namespace beltway::test
