// Who gives a message up, or moves it later, is killed at every access. The message is in its queue, or in the dead letter queue,
// or in both. The living move it once.
#include <gtest/gtest.h>

#include <string>

#include "dead_letters.hpp"
#include "scenarios.hpp"

namespace beltway::crash {
namespace {

class DeadLetters : public testing::TestWithParam<Operation> {};

TEST_P(DeadLetters, a_kill_at_any_access_loses_no_message_that_is_given_up) {
  report(GetParam().name, kill(GetParam(), with_dead_letters(beginnings(4)), Depth::usable));
  report(GetParam().name, kill(GetParam(), with_dead_letters(single_producer_beginnings(8)), Depth::usable));
}

TEST_P(DeadLetters, a_kill_at_any_access_and_one_of_its_repair_lose_no_message_that_is_given_up) {
  report(GetParam().name, kill_repair(GetParam(), with_dead_letters(beginnings(40))));
}

TEST_P(DeadLetters, eviction_at_any_access_loses_no_message_that_is_given_up) {
  report(GetParam().name, evict(GetParam(), with_dead_letters(beginnings(10))));
}

INSTANTIATE_TEST_SUITE_P(Crash, DeadLetters,
                         testing::ValuesIn(dead_letter_operations().begin(), dead_letter_operations().end()),
                         [](const auto& of) { return std::string(of.param.name); });

}  // namespace
}  // namespace beltway::crash
