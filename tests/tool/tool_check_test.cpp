// `beltway check`: limits, the line that monitors read, exit codes, and what happens if a figure is not known.
#include <gtest/gtest.h>
#include <unistd.h>

#include "beltway/beltway.hpp"
#include "support/golden.hpp"
#include "support/raw_client.hpp"
#include "support/tool_test.hpp"
#include "tool/text/nagios.hpp"
#include "tool/text/units.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;
using tool::CheckState;
using tool::Reading;

Reading lag(double value) {
  return {.label = "lag",
          .value = value,
          .text = "lag " + std::to_string(static_cast<int>(value)),
          .warning = 10,
          .critical = 20};
}
Reading consumers(double value) {
  return {.label = "consumers",
          .value = value,
          .text = std::to_string(static_cast<int>(value)) + " consumers",
          .bound = Reading::Bound::at_least,
          .warning = 2,
          .critical = 1};
}

TEST(NagiosLine, value_at_its_limit_is_still_good) {
  EXPECT_EQ(lag(10).state(), CheckState::ok);
  EXPECT_EQ(lag(11).state(), CheckState::warning);
  EXPECT_EQ(lag(20).state(), CheckState::warning);
  EXPECT_EQ(lag(21).state(), CheckState::critical);
  EXPECT_EQ(consumers(2).state(), CheckState::ok);
  EXPECT_EQ(consumers(1).state(), CheckState::warning);
  EXPECT_EQ(consumers(0).state(), CheckState::critical);
}

TEST(NagiosLine, state_of_several_figures_is_the_gravest) {
  EXPECT_EQ(tool::state_of({lag(0), consumers(1)}), CheckState::warning);
  EXPECT_EQ(tool::state_of({lag(30), consumers(1)}), CheckState::critical);
  EXPECT_EQ(tool::worse(CheckState::unknown, CheckState::warning), CheckState::unknown);
  EXPECT_EQ(tool::worse(CheckState::unknown, CheckState::critical), CheckState::critical);
  EXPECT_EQ(tool::state_of({}), CheckState::ok);
}

TEST(NagiosLine, lines_of_all_states_are_the_golden_text) {
  Reading age{.label = "age", .value = 0.25, .unit = "s", .text = "oldest message 250 ms", .critical = 60};
  expect_golden("check.txt", tool::nagios_line("orders", {lag(7), age, consumers(2)}) +
                                 tool::nagios_line("orders", {lag(15), consumers(2)}) +
                                 tool::nagios_line("orders", {lag(25), consumers(0)}) +
                                 tool::nagios_line(CheckState::unknown, "orders: a | b\nc"));
}

TEST(NagiosLine, limit_is_one_value_or_two) {
  const auto parse = [](const std::string& text) { return tool::parse_limit<std::uint64_t>(text, &tool::parse_count); };
  EXPECT_EQ(parse("5k")->critical, 5000U);
  EXPECT_FALSE(parse("5k")->warning);
  EXPECT_EQ(parse("1:2")->warning, 1U);
  EXPECT_EQ(parse("1:2")->critical, 2U);
  for (const char* wrong : {"", ":", "1:", ":2", "1:2:3", "x", "-1"}) EXPECT_FALSE(parse(wrong)) << wrong;
}

class ToolCheck : public ToolTest {
 protected:
  void expect_check(std::vector<std::string> arguments, int code, const std::string& line_has) const {
    arguments.insert(arguments.begin(), "check");
    const Outcome outcome = tool(arguments);
    EXPECT_EQ(outcome.exit.code, code) << outcome.out << outcome.err;
    EXPECT_TRUE(outcome.out.starts_with("BELTWAY ")) << outcome.out;
    EXPECT_EQ(outcome.out.find('\n'), outcome.out.size() - 1) << "one line: " << outcome.out;
    EXPECT_NE(outcome.out.find(line_has), std::string::npos) << line_has << " is not in " << outcome.out;
  }
};

TEST_F(ToolCheck, lag_and_consumers_are_checked_against_their_limits) {
  const Queue queue = connect(daemon_).declare("orders", {.slots = 16, .groups = {"billing", "audit"}});
  auto out = queue.producer();
  for (int i = 0; i < 5; ++i) out.publish("x");
  auto in = queue.consumer({.group = "billing"});
  expect_check({"orders", "--max-lag", "5"}, 0,
               "BELTWAY OK - orders: lag 5, 0 consumers in group audit | lag=5;;5;0 consumers=0;;;0");
  expect_check({"orders", "--max-lag", "4:9"}, 1, "BELTWAY WARNING - orders: lag 5 (warning above 4)");
  expect_check({"orders", "--max-lag", "1:4"}, 2, "BELTWAY CRITICAL - orders: lag 5 (critical above 4)");
  expect_check({"orders", "--min-consumers", "1"}, 2, "0 consumers in group audit (critical below 1)");
  expect_check({"orders", "--group", "billing", "--min-consumers", "1"}, 0, "1 consumer in group billing");
  in.receive(20s)->ack();
  expect_check({"orders", "--group", "billing", "--max-lag", "4"}, 0, "lag 4");
}

TEST_F(ToolCheck, age_is_checked_in_a_queue_with_stamps_and_unknown_without) {
  const Queue queue = connect(daemon_).declare("stamped", {.slots = 16, .groups = {"g"}, .stamps = Stamps::coarse});
  static_cast<void>(connect(daemon_).declare("plain", {.slots = 16, .groups = {"g"}}));
  expect_check({"stamped", "--max-age", "1h"}, 0, "oldest message none");
  queue.producer().publish("old");
  ASSERT_TRUE(eventually([&] { return queue.snapshot().groups.at(0).ages.oldest > 2ms; }));
  expect_check({"stamped", "--max-age", "1ms"}, 2, "(critical above 0.001s)");
  expect_check({"stamped", "--max-age", "1ms:1h"}, 1, "BELTWAY WARNING");
  expect_check({"plain", "--max-age", "1s"}, 3, "BELTWAY UNKNOWN - plain: the queue has no stamps");
}

TEST_F(ToolCheck, missing_queue_group_or_daemon_is_critical_and_said_on_standard_output) {
  static_cast<void>(connect(daemon_).declare("orders", {.groups = {"billing"}}));
  expect_check({"missing", "--max-lag", "1"}, 2, "missing");
  expect_check({"orders", "--group", "nobody", "--max-lag", "1"}, 2, "no group \"nobody\"");
  expect_check({"orders", "--group", "nobody"}, 2, "no group \"nobody\"; its groups are \"billing\"");
  const TempDir empty;
  const Outcome outcome = run({program("beltway"), "--socket", empty.socket(), "check", "orders", "--max-lag", "1"});
  EXPECT_EQ(outcome.exit.code, 2);
  EXPECT_TRUE(outcome.out.starts_with("BELTWAY CRITICAL - ")) << outcome.out;
}

TEST_F(ToolCheck, verdicts_of_the_queue_decide_if_there_are_no_limits) {
  const Queue queue = connect(daemon_).declare("orders", {.slots = 16, .groups = {"billing", "audit"}});
  expect_check({"orders"}, 0, "BELTWAY OK - orders: nothing is wrong");
  auto out = queue.producer();
  for (int i = 0; i < 10; ++i) out.publish("x");
  static_cast<void>(queue.purge("audit"));
  expect_check({"orders"}, 1, "BELTWAY WARNING - orders: group \"billing\" has no consumer");
  expect_check({"orders", "--group", "billing"}, 1, "group \"billing\" has no consumer");
  expect_check({"orders", "--group", "audit"}, 0, "BELTWAY OK - orders: nothing is wrong");
}

TEST_F(ToolCheck, limits_in_the_wrong_order_are_refused) {
  expect_failure({"check", "orders", "--max-lag", "5:1"}, 2, "WARN must not be above CRIT");
  expect_failure({"check", "orders", "--min-consumers", "1:5"}, 2, "WARN must not be below CRIT");
  expect_failure({"check", "orders", "--max-lag", "many"}, 2, "--max-lag");
}

TEST_F(ToolCheck, user_without_the_right_to_read_gets_unknown) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  static_cast<void>(connect(daemon_).declare("private", {.mode = 0600}));
  std::filesystem::permissions(daemon_.dir().path(), std::filesystem::perms{0755});
  const std::string command =
      program("beltway").string() + " --socket " + daemon_.socket().string() + " check private --max-lag 1";
  const TempDir dir;
  std::filesystem::permissions(dir.path(), std::filesystem::perms{0777});
  const std::string file = (dir.path() / "out").string();
  Child other = Child::fork([&] {
    if (::freopen(file.c_str(), "w", stdout) == nullptr || ::setgid(65534) != 0 || ::setuid(65534) != 0) return 90;
    ::execl("/bin/sh", "sh", "-c", ("exec " + command).c_str(), nullptr);
    return 91;
  });
  const Exit exit = other.wait();
  if (exit.code == 126 || exit.code == 127) GTEST_SKIP() << "another user may not run programs of this build";
  EXPECT_EQ(exit.code, 3);
  EXPECT_TRUE(read_file(file).starts_with("BELTWAY UNKNOWN - ")) << read_file(file);
}

}  // namespace
}  // namespace beltway::test
