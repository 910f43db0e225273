// A consumer that is thrown out at any instruction, and maybe goes on later. A hook allocates, so
// operations that allocate are left to access/.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "interruptions.hpp"

namespace beltway::crash {
namespace {

class Evict : public testing::TestWithParam<Operation> {};

TEST_P(Evict, at_any_of_them_its_messages_go_to_others_and_nobody_waits_for_it) {
  report(GetParam().name, evict(GetParam(), beginnings(100)));
}

TEST_P(Evict, goes_on_harms_nobody_and_is_told) {
  Counts all;
  for (const Interruption& each : interruptions()) {
    if (!each.evictable) continue;
    const Counts counts = interrupt(GetParam(), each, beginnings(250), 401);
    all.runs += counts.runs;
    all.pairs += counts.pairs;
  }
  report(GetParam().name, all);
}

TEST_P(Evict, stopped_again_at_any_later_step_harms_nobody) {
  report(GetParam().name, evict_twice(GetParam(), beginnings(300), 97));
}

TEST_P(Evict, by_a_daemon_that_is_killed_at_any_of_its_own) {
  report(GetParam().name, evict_by_half(GetParam(), beginnings(300), 797));
}

std::vector<Operation> consumers() {
  std::vector<Operation> some(operations().begin(), operations().end());
  std::erase_if(some, [](const Operation& each) { return each.steps != Steps::any || !can_be_evicted(each); });
  return some;
}

INSTANTIATE_TEST_SUITE_P(Crash, Evict, testing::ValuesIn(consumers()),
                         [](const auto& of) { return std::string(of.param.name); });

}  // namespace
}  // namespace beltway::crash
