// A consumer that is thrown out at any access, and maybe goes on later. How it goes on where it was stopped
// is among the interruptions.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "interruptions.hpp"

namespace beltway::crash {
namespace {

class EvictAccesses : public testing::TestWithParam<Operation> {};

TEST_P(EvictAccesses, a_consumer_evicted_at_any_access_leaves_its_messages_to_others) {
  report(GetParam().name, evict(GetParam(), beginnings(2)));
}

TEST_P(EvictAccesses, an_evicted_consumer_stopped_again_at_any_later_access_harms_no_other) {
  report(GetParam().name, evict_twice(GetParam(), beginnings(6), 1));
}

TEST_P(EvictAccesses, a_daemon_killed_at_any_access_of_an_eviction_repeats_it) {
  report(GetParam().name, evict_by_half(GetParam(), beginnings(6), 1));
}

std::vector<Operation> consumers() {
  std::vector<Operation> some(operations().begin(), operations().end());
  std::erase_if(some, [](const Operation& each) { return !can_be_evicted(each); });
  return some;
}

INSTANTIATE_TEST_SUITE_P(Crash, EvictAccesses, testing::ValuesIn(consumers()),
                         [](const auto& of) { return std::string(of.param.name); });

}  // namespace
}  // namespace beltway::crash
