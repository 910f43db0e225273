// Two actors at once: both die, or one is repaired while the other stands at any of its instructions and goes on.
#include <gtest/gtest.h>

#include <array>

#include "scenarios.hpp"

namespace beltway::crash {
namespace {

constexpr std::array k_actors{"publish", "publish_lane", "read", "ack", "nack", "lease_batch", "events_lease"};

class Pair : public testing::TestWithParam<const char*> {};

/// `first` with each of the actors; the beginnings take turns, so that each is tried with some pair.
template <class Scenario>
void with_each(const char* first, unsigned thin, Scenario scenario) {
  Counts all;
  const std::vector<Beginning> some = beginnings(thin);
  for (const char* second : k_actors) {
    const Counts counts = scenario(operation(first), operation(second), some);
    all.runs += counts.runs;
    all.images += counts.images;
    all.pairs += counts.pairs;
  }
  report(first, all);
}

TEST_P(Pair, both_may_die_at_any_two_instructions) { with_each(GetParam(), 83, kill_both); }

TEST_P(Pair, one_is_repaired_while_the_other_goes_on) { with_each(GetParam(), 523, repair_inside); }

INSTANTIATE_TEST_SUITE_P(Crash, Pair, testing::ValuesIn(k_actors),
                         [](const auto& of) { return std::string(of.param); });

}  // namespace
}  // namespace beltway::crash
