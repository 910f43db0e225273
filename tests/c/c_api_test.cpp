// The C API's test programs, each with a daemon of its own. The programs say what they check.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "daemon.hpp"

namespace beltway::test {
namespace {

void expect_all_cases(const std::string& name, std::size_t least) {
  const TestDaemon daemon;
  std::filesystem::permissions(daemon.dir().path(), std::filesystem::perms{0755});  // a second user connects
  const Outcome result = run({program(name)}, daemon.client_options());
  EXPECT_TRUE(result.exit.ok()) << result.out << result.err;
  std::size_t cases = 0;
  for (auto at = result.out.find("ok "); at != std::string::npos; at = result.out.find("\nok ", at + 1)) ++cases;
  EXPECT_GE(cases, least) << result.out;
}

TEST(CApi, c_program_manages_queues_and_groups_and_reads_errors) { expect_all_cases("c_queues", 9); }
TEST(CApi, c_program_reads_events_and_acts_on_single_messages) { expect_all_cases("c_operator", 7); }
TEST(CApi, c_program_publishes_and_receives_in_each_way) { expect_all_cases("c_messages", 10); }
TEST(CApi, c_program_compiled_as_cpp_publishes_and_receives_in_each_way) { expect_all_cases("c_messages_as_cpp", 10); }
TEST(CApi, c_program_passes_properties_and_dead_letters) { expect_all_cases("c_properties", 5); }
TEST(CApi, c_program_waits_until_stops_interrupts_descriptors_and_loops) { expect_all_cases("c_waiting", 9); }

}  // namespace
}  // namespace beltway::test
