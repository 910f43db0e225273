// Who drops messages of a group that keeps only its newest is killed at every access, or thrown out.
#include <gtest/gtest.h>

#include <string>

#include "dropping.hpp"
#include "parking.hpp"
#include "scenarios.hpp"

namespace beltway::crash {
namespace {

class Dropping : public testing::TestWithParam<Operation> {};

TEST_P(Dropping, a_kill_at_any_access_loses_no_message_that_is_not_counted) {
  report(GetParam().name, kill(GetParam(), with_parking(beginnings(4)), Depth::drained));
  report(GetParam().name, kill(GetParam(), with_parking(single_producer_beginnings(8)), Depth::drained));
}

TEST_P(Dropping, a_kill_at_any_access_and_one_of_its_repair_lose_no_message_that_is_not_counted) {
  report(GetParam().name, kill_repair(GetParam(), with_parking(beginnings(40))));
}

TEST(DroppingConsumer, eviction_at_any_access_loses_no_message_that_is_not_counted) {
  for (const Operation& each : dropping_operations()) {
    if (can_be_evicted(each)) report(each.name, evict(each, with_parking(beginnings(10))));
  }
}

INSTANTIATE_TEST_SUITE_P(Crash, Dropping, testing::ValuesIn(dropping_operations().begin(), dropping_operations().end()),
                         [](const auto& of) { return std::string(of.param.name); });

}  // namespace
}  // namespace beltway::crash
