// The daemon, killed at every instruction of what it does to a queue at work.
#include <gtest/gtest.h>

#include "daemon_jobs.hpp"

namespace beltway::crash {
namespace {

class Daemon : public testing::TestWithParam<DaemonJob> {};

TEST_P(Daemon, a_daemon_killed_at_any_instruction_repeats_its_repair) {
  report(GetParam().name, kill_daemon(GetParam(), beginnings(30)));
}

TEST_P(Daemon, a_daemon_may_be_killed_at_any_instruction_in_a_single_producer_ring) {
  report(GetParam().name, kill_daemon(GetParam(), single_producer_beginnings(60)));
}

INSTANTIATE_TEST_SUITE_P(Crash, Daemon, testing::ValuesIn(daemon_jobs().begin(), daemon_jobs().end()),
                         [](const auto& of) { return std::string(of.param.name); });

}  // namespace
}  // namespace beltway::crash
