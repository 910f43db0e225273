// A consumer that is thrown out at any instruction, and maybe goes on later. A hook allocates, so
// operations that allocate are left to access/.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "interruptions.hpp"

namespace beltway::crash {
namespace {

class Evict : public testing::TestWithParam<Operation> {};

TEST_P(Evict, a_consumer_evicted_at_any_instruction_leaves_its_messages_to_others) {
  report(GetParam().name, evict(GetParam(), beginnings(100)));
}

TEST_P(Evict, an_evicted_consumer_that_goes_on_harms_no_other_and_gets_evicted) {
  Counts all;
  for (const Interruption& each : interruptions()) {
    if (!each.evictable) continue;
    const Counts counts = interrupt(GetParam(), each, beginnings(250), 401);
    all.runs += counts.runs;
    all.pairs += counts.pairs;
  }
  report(GetParam().name, all);
}

TEST_P(Evict, an_evicted_consumer_stopped_again_at_any_later_step_harms_no_other) {
  report(GetParam().name, evict_twice(GetParam(), beginnings(300), 97));
}

TEST_P(Evict, a_daemon_killed_at_any_instruction_of_an_eviction_repeats_it) {
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
