// The main of every test program: GoogleTest with the watchdog and the leak check.
#include <gtest/gtest.h>

#include <cstdlib>

#include "leak_check.hpp"
#include "watchdog.hpp"

namespace {

/// A program that a test starts runs all its tests, whichever share of its own this process has been given.
class WholeChildren : public testing::EmptyTestEventListener {
 public:
  void OnTestProgramStart(const testing::UnitTest& /*program*/) override {
    ::unsetenv("GTEST_TOTAL_SHARDS");
    ::unsetenv("GTEST_SHARD_INDEX");
  }
};

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  auto& listeners = testing::UnitTest::GetInstance()->listeners();
  listeners.Append(new WholeChildren);  // GoogleTest owns them
  listeners.Append(new beltway::test::LeakCheck);
  listeners.Append(new beltway::test::Watchdog);
  return RUN_ALL_TESTS();
}
