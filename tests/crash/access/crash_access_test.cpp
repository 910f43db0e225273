// What an endpoint itself does when it attaches and detaches, killed at every access: it allocates, so instructions are too
// fine (see Steps). And every other operation once more, over many more beginnings than the trap flag has time for.
#include <gtest/gtest.h>

#include "scenarios.hpp"

namespace beltway::crash {
namespace {

class Accesses : public testing::TestWithParam<Operation> {};

TEST_P(Accesses, a_kill_at_any_access_loses_no_message_and_blocks_no_process) {
  report(GetParam().name, kill(GetParam(), beginnings(3), Depth::usable));
  report(GetParam().name, kill(GetParam(), single_producer_beginnings(5), Depth::usable));
}

TEST_P(Accesses, a_kill_at_any_access_and_one_of_its_repair_lose_no_message) {
  report(GetParam().name, kill_repair(GetParam(), beginnings(20)));
}

INSTANTIATE_TEST_SUITE_P(Crash, Accesses, testing::ValuesIn(operations().begin(), operations().end()),
                         [](const auto& of) { return std::string(of.param.name); });

}  // namespace
}  // namespace beltway::crash
