// One test for each scenario of a list: it must hold under every schedule tried.
#pragma once

#include <gtest/gtest.h>

#include <cctype>
#include <ostream>
#include <string>

#include "scenarios.hpp"

namespace beltway::explore {

inline std::string bounds_in_words(const Bounds& bounds) {
  return std::to_string(bounds.preemptions) + " preemptions, " + std::to_string(bounds.delays) + " late stores" +
         (bounds.weak ? " in any order" : "") + (bounds.kills != 0 ? ", 1 kill" : "") +
         (bounds.timeouts != 0 ? ", 1 timeout" : "");
}

/// GoogleTest shows a failed test's parameter: the name will do.
inline void PrintTo(const Scenario& scenario, std::ostream* out) { *out << scenario.name; }

class Interleavings : public testing::TestWithParam<Scenario> {};

TEST_P(Interleavings, all_interleavings_keep_the_invariants) {
  const Scenario& scenario = GetParam();
  const Outcome outcome = explore(scenario);
  std::printf("%s: %llu executions, %llu of them at random; within %s, exhaustive up to %d preemptions\n",
              scenario.name.c_str(), static_cast<unsigned long long>(outcome.executions),
              static_cast<unsigned long long>(scenario.bounds.random), bounds_in_words(scenario.bounds).c_str(),
              outcome.exhaustive ? static_cast<int>(*outcome.exhaustive) : -1);
  EXPECT_TRUE(outcome.failure.empty()) << scenario.name << ": " << outcome.failure << ", under this schedule:\n"
                                       << outcome.schedule;
}

/// A scenario's name as GoogleTest wants it.
inline std::string test_name(const testing::TestParamInfo<Scenario>& info) {
  std::string name = info.param.name;
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name + "_" + std::to_string(info.index);
}

}  // namespace beltway::explore
