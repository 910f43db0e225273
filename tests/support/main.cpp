// The main of every test program: GoogleTest with the watchdog and the leak check.
#include <gtest/gtest.h>

#include "leak_check.hpp"
#include "watchdog.hpp"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  auto& listeners = testing::UnitTest::GetInstance()->listeners();
  listeners.Append(new beltway::test::LeakCheck);  // GoogleTest owns them
  listeners.Append(new beltway::test::Watchdog);
  return RUN_ALL_TESTS();
}
