// Two actors at once: both die, or one is repaired while the other stands at any of its steps and goes on. Each operation
// with each.
#include <gtest/gtest.h>

#include "scenarios.hpp"

namespace beltway::crash {
namespace {

class Pair : public testing::TestWithParam<Operation> {};

template <class Scenario>
void with_each(unsigned thin, Scenario scenario) {
  Counts all;
  const std::vector<Beginning> some = beginnings(thin);
  for (const Operation& second : operations()) {
    const Counts counts = scenario(Pair::GetParam(), second, some);
    all.runs += counts.runs;
    all.images += counts.images;
    all.pairs += counts.pairs;
  }
  report(Pair::GetParam().name, all);
}

TEST_P(Pair, a_producer_and_a_consumer_may_die_at_any_two_steps) { with_each(60, kill_both); }

TEST_P(Pair, one_endpoint_is_repaired_while_another_goes_on) { with_each(100, repair_inside); }

INSTANTIATE_TEST_SUITE_P(Crash, Pair, testing::ValuesIn(operations().begin(), operations().end()),
                         [](const auto& of) { return std::string(of.param.name); });

}  // namespace
}  // namespace beltway::crash
