// Ends a test that hangs, and says which test it was and where each of its threads stood.
//
// A timer's signal and not a thread of its own: tests fork, and count on a process with a single thread. After
// $BELTWAY_TEST_TIMEOUT_S seconds (default 100; three times as many under sanitizers) the process prints the stacks and
// aborts. ThreadSanitizer holds signals back while a thread spins: there ctest's time limit is the last resort.
#pragma once

#include <gtest/gtest.h>

#include <ctime>

namespace beltway::test {

class Watchdog : public testing::EmptyTestEventListener {
 public:
  Watchdog();
  ~Watchdog() override;
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  void OnTestStart(const testing::TestInfo& info) override;
  void OnTestEnd(const testing::TestInfo& info) override;

 private:
  timer_t timer_{};
};

}  // namespace beltway::test
