// Every operation of a producer and a consumer, killed at every instruction: what is left is repaired, drained and used.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "scenarios.hpp"

namespace beltway::crash {
namespace {

class Kill : public testing::TestWithParam<Operation> {};

TEST_P(Kill, a_kill_at_any_instruction_loses_no_message_and_blocks_no_process) {
  report(GetParam().name, kill(GetParam(), beginnings(80), Depth::usable));
}

TEST_P(Kill, a_kill_in_a_single_producer_ring_loses_no_message) {
  report(GetParam().name, kill(GetParam(), single_producer_beginnings(120), Depth::usable));
}

TEST_P(Kill, a_kill_at_any_instruction_and_one_of_its_repair_lose_no_message) {
  report(GetParam().name, kill_repair(GetParam(), beginnings(150)));
}

/// A hook allocates, and must not do so inside of an allocation.
std::vector<Operation> that_allocate_nothing() {
  std::vector<Operation> some(operations().begin(), operations().end());
  std::erase_if(some, [](const Operation& each) { return each.steps != Steps::any; });
  return some;
}

INSTANTIATE_TEST_SUITE_P(Crash, Kill, testing::ValuesIn(that_allocate_nothing()),
                         [](const auto& of) { return std::string(of.param.name); });

}  // namespace
}  // namespace beltway::crash
