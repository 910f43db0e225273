// Who parks a message, goes around it, or ends it is killed at every access; or the holder is thrown out.
#include <gtest/gtest.h>

#include <string>

#include "parking.hpp"
#include "scenarios.hpp"

namespace beltway::crash {
namespace {

class Parked : public testing::TestWithParam<Operation> {};

TEST_P(Parked, a_kill_at_any_access_loses_no_parked_message_and_frees_its_slot) {
  report(GetParam().name, kill(GetParam(), with_parking(beginnings(4)), Depth::usable));
  report(GetParam().name, kill(GetParam(), with_parking(single_producer_beginnings(8)), Depth::usable));
}

TEST_P(Parked, a_kill_at_any_access_and_one_of_its_repair_lose_no_parked_message) {
  report(GetParam().name, kill_repair(GetParam(), with_parking(beginnings(40))));
}

TEST_P(Parked, eviction_at_any_access_loses_no_parked_message) {
  if (GetParam().holder == k_nobody) report(GetParam().name, evict(GetParam(), with_parking(beginnings(10))));
}

TEST(ParkedEarly, a_kill_at_any_access_loses_no_message_that_a_consumer_parks) {
  const Operation& operation = early_parking_operation();
  report(operation.name, kill(operation, with_early_parking(beginnings(20)), Depth::usable));
  report(operation.name, kill(operation, with_early_parking(single_producer_beginnings(20)), Depth::usable));
}

INSTANTIATE_TEST_SUITE_P(Crash, Parked, testing::ValuesIn(parking_operations().begin(), parking_operations().end()),
                         [](const auto& of) { return std::string(of.param.name); });

}  // namespace
}  // namespace beltway::crash
