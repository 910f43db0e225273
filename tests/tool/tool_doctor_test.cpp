// `beltway doctor`: its words and its JSON as golden files, exit codes, and what it says of the machine and of daemons.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "beltway/beltway.hpp"
#include "support/golden.hpp"
#include "support/made_fleet.hpp"
#include "support/raw_client.hpp"
#include "support/tool_test.hpp"
#include "tool/commands/doctor_text.hpp"
#include "watch/machine.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;
using watch::Verdict;

tool::Examination made_examination() {
  tool::Examination examination{.fleet = made_fleet(), .looked_for = 2s};
  examination.verdicts = {examination.fleet.queues[0].verdicts[0], examination.fleet.verdicts[0]};
  return examination;
}

TEST(DoctorText, words_are_the_golden_text) {
  expect_golden("doctor.txt", tool::doctor_text(made_examination()));
  tool::Examination healthy{.fleet = made_fleet(), .looked_for = 2s};
  expect_golden("doctor_healthy.txt", tool::doctor_text(healthy));
}

TEST(DoctorText, json_is_the_golden_text) {
  expect_golden("doctor.json", tool::doctor_json(made_examination()).dump(1) + "\n");
}

std::vector<std::string> kinds(const std::vector<Verdict>& verdicts) {
  std::vector<std::string> names;
  for (const Verdict& verdict : verdicts) names.push_back(verdict.kind);
  return names;
}

TEST(Machine, calls_that_are_refused_are_told) {
  watch::MachineSources sources;
  EXPECT_TRUE(watch::machine_verdicts(sources).empty()) << "this machine has memory";
  sources.membarrier_error = EPERM;
  sources.memfd_error = ENOSYS;
  sources.futex_error = EPERM;
  const std::vector<Verdict> verdicts = watch::machine_verdicts(sources);
  EXPECT_EQ(kinds(verdicts), (std::vector<std::string>{"memfd_refused", "futex_refused", "membarrier_refused"}));
  EXPECT_EQ(verdicts[2].severity, watch::Severity::note) << "it costs time only";
  for (const Verdict& verdict : verdicts) {
    EXPECT_NE(verdict.forecast.find("SystemCallFilter="), std::string::npos) << verdict.forecast;
  }
}

TEST(Machine, full_descriptor_table_is_no_call_that_is_refused) {
  const auto with_full_table = [] {
    const rlimit none{.rlim_cur = 0, .rlim_max = 0};
    if (::setrlimit(RLIMIT_NOFILE, &none) != 0) return 90;
    return watch::this_machine().memfd_error;
  };
  EXPECT_EQ(Child::fork(with_full_table).wait().code, 0);
}

TEST(Machine, little_memory_is_told) {
  const TempDir dir;
  static_cast<void>(dir.write("meminfo", "MemTotal: 1000000 kB\nMemAvailable: 20480 kB\n"));
  watch::MachineSources sources;
  sources.memory.proc = dir.path();
  sources.memory.cgroups = dir.path();
  const std::vector<Verdict> verdicts = watch::machine_verdicts(sources);
  ASSERT_EQ(kinds(verdicts), std::vector<std::string>{"memory_low"});
  EXPECT_EQ(verdicts[0].evidence, "20 MiB are available");
  EXPECT_NE(verdicts[0].forecast.find("end programs or remove queues"), std::string::npos) << verdicts[0].forecast;
}

TEST(Machine, socket_directory_that_others_may_write_to_is_told_and_the_remedy_closes_it) {
  const TempDir dir;
  std::filesystem::permissions(dir.path(), std::filesystem::perms{0777});
  watch::MachineSources sources;
  sources.socket_directories = {dir.path(), dir.path() / "missing"};
  const std::vector<Verdict> verdicts = watch::machine_verdicts(sources);
  ASSERT_EQ(kinds(verdicts), std::vector<std::string>{"socket_directory_open"});
  EXPECT_TRUE(run({"sh", "-c", verdicts[0].remedies.at(0).command}).exit.ok());
  EXPECT_TRUE(watch::machine_verdicts(sources).empty());
}

TEST(Machine, process_near_its_limit_of_descriptors_is_told) {
  const TempDir proc;
  std::filesystem::create_directories(proc.path() / "77/fd");
  for (int i = 0; i < 95; ++i) static_cast<void>(proc.write("77/fd/" + std::to_string(i), ""));
  static_cast<void>(proc.write("77/limits",
                               "Limit                     Soft Limit           Hard Limit           Units     \n"
                               "Max open files            100                  4096                 files     \n"));
  watch::Fleet fleet;
  fleet.daemon.pid = 77;
  const std::vector<Verdict> verdicts = watch::descriptor_verdicts(fleet, proc.path());
  ASSERT_EQ(kinds(verdicts), std::vector<std::string>{"descriptors_low"});
  EXPECT_EQ(verdicts[0].remedies.at(0).command, "prlimit --pid 77 --nofile=200:4096");
  std::filesystem::remove(proc.path() / "77/fd/0");
  for (int i = 1; i < 10; ++i) std::filesystem::remove(proc.path() / ("77/fd/" + std::to_string(i)));
  EXPECT_TRUE(watch::descriptor_verdicts(fleet, proc.path()).empty()) << "85 of 100";
}

TEST(Daemons, second_daemon_held_queue_passed_over_program_and_quotas_are_told) {
  watch::Fleet fleet;
  fleet.daemon.pid = 5;
  EXPECT_TRUE(watch::daemon_verdicts(fleet).empty());
  fleet.daemon.others = {{.pid = 6, .socket = "/run/b"}};
  fleet.daemon.held = {{.name = "old", .layout = "1.1", .why = "its layout is older"}};
  fleet.daemon.passed_over = "beltwayd 0.3 failed to start";
  fleet.quota = {.queues = 9, .max_queues = 10, .bytes = 5, .max_bytes = 100};
  const std::vector<Verdict> verdicts = watch::daemon_verdicts(fleet);
  EXPECT_EQ(kinds(verdicts),
            (std::vector<std::string>{"two_daemons", "queue_of_other_version", "program_passed_over", "quota_low"}));
  for (const Verdict& verdict : verdicts) EXPECT_EQ(verdict.severity, watch::Severity::warning) << verdict.kind;
  EXPECT_EQ(verdicts[0].remedies.at(0).command, "kill 6") << "what mends it is first";
  EXPECT_NE(verdicts[0].remedies[0].effect.find("with their messages"), std::string::npos);
  EXPECT_EQ(verdicts[0].remedies.at(1).command, "beltway --socket /run/b list");
  EXPECT_NE(verdicts[3].forecast.find("remove one that is not needed"), std::string::npos) << "no queue is unused";
  fleet.daemon = {};
  fleet.quota = {.queues = 1, .max_queues = 10, .bytes = 95, .max_bytes = 100};
  EXPECT_EQ(kinds(watch::daemon_verdicts(fleet)), std::vector<std::string>{"quota_low"});
}

TEST(Daemons, the_largest_queue_that_is_empty_and_unused_is_offered_for_removal) {
  watch::Fleet fleet;
  for (const auto& [name, bytes] : {std::pair("small", 1U), std::pair("large", 9U), std::pair("used", 99U)}) {
    watch::QueueView view;
    view.info.name = name;
    view.info.shared_bytes = bytes;
    view.readable = true;
    fleet.queues.push_back(view);
  }
  fleet.queues.back().used = 1;
  ASSERT_EQ(watch::remedies_by_removal(fleet).size(), 1U);
  EXPECT_EQ(watch::remedies_by_removal(fleet)[0].command, "beltway remove large");
  fleet.queues.erase(fleet.queues.begin(), fleet.queues.begin() + 2);
  EXPECT_TRUE(watch::remedies_by_removal(fleet).empty());
}

TEST(Daemons, lines_that_the_log_has_lost_are_told_with_what_ends_it) {
  watch::Fleet fleet;
  fleet.daemon.log_lost = 3;
  fleet.daemon.log = "/run/b.log";
  const std::vector<Verdict> verdicts = watch::daemon_verdicts(fleet);
  ASSERT_EQ(kinds(verdicts), std::vector<std::string>{"log_lines_lost"});
  EXPECT_EQ(verdicts[0].severity, watch::Severity::note);
  EXPECT_NE(verdicts[0].cause.find("3 lines"), std::string::npos) << verdicts[0].cause;
  EXPECT_NE(verdicts[0].forecast.find("free the disk of the log"), std::string::npos) << verdicts[0].forecast;
}

class ToolDoctor : public ToolTest {};

TEST_F(ToolDoctor, healthy_daemon_ends_with_0) {
  static_cast<void>(connect(daemon_).declare("orders", {.groups = {"billing"}}));
  const Outcome outcome = tool({"doctor", "--for", "0.2"});
  EXPECT_EQ(outcome.exit.code, 0) << outcome.out << outcome.err;
  EXPECT_NE(outcome.out.find("looked at 1 queue for"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("\nnothing is wrong\n"), std::string::npos) << outcome.out;
}

TEST_F(ToolDoctor, trouble_ends_with_1_and_is_told_with_its_remedy) {
  const Queue queue = connect(daemon_).declare("orders", {.slots = 16, .groups = {"billing"}});
  auto out = queue.producer();
  for (int i = 0; i < 10; ++i) out.publish("x");
  const Outcome outcome = tool({"doctor", "--for", "0.2"});
  EXPECT_EQ(outcome.exit.code, 1) << outcome.out;
  for (const char* part : {"warning  orders\n", "group \"billing\" has no consumer",
                           "$ beltway sub orders --group billing", "0 troubles, 1 warning, 0 notes"}) {
    EXPECT_NE(outcome.out.find(part), std::string::npos) << part << " is not in\n" << outcome.out;
  }
}

TEST_F(ToolDoctor, missing_daemon_ends_with_4_and_says_what_to_do) {
  const TempDir empty;
  const Outcome outcome = run({program("beltway"), "--socket", empty.socket(), "doctor"});
  EXPECT_EQ(outcome.exit.code, 4);
  EXPECT_NE(outcome.err.find("start one with: beltwayd --socket"), std::string::npos) << outcome.err;
}

TEST_F(ToolDoctor, quota_that_is_nearly_used_up_is_told) {
  const TestDaemon small({"--max-queues-per-user", "10"});
  const Connection link = connect(small);
  for (int i = 0; i < 9; ++i) static_cast<void>(link.declare("q" + std::to_string(i), k_small));
  const Outcome outcome = small.tool({"doctor", "--for", "0.1", "--format", "json"});
  EXPECT_EQ(outcome.exit.code, 1) << outcome.out;
  const auto verdicts = nlohmann::json::parse(outcome.out)["verdicts"];
  ASSERT_EQ(verdicts.size(), 1U) << outcome.out;
  EXPECT_EQ(verdicts[0]["kind"], "quota_low");
  Child::Options options = small.client_options();
  options.environment.emplace_back("PATH", program("beltway").parent_path().string() + ":" + ::getenv("PATH"));
  EXPECT_TRUE(run({"sh", "-c", verdicts[0]["remedies"][0]["command"]}, options).exit.ok());
  EXPECT_EQ(small.tool({"doctor", "--for", "0.1"}).exit.code, 0);
}

TEST(Daemons, user_near_its_quota_of_connections_is_told_with_the_process_that_has_the_most) {
  watch::Fleet fleet;
  fleet.quota = {.max_queues = 10, .max_bytes = 10, .connections = 8, .max_connections = 10};
  EXPECT_TRUE(watch::daemon_verdicts(fleet).empty());
  fleet.quota->connections = 9;
  const std::vector<Verdict> none = watch::daemon_verdicts(fleet);
  ASSERT_EQ(kinds(none), std::vector<std::string>{"connections_low"});
  EXPECT_EQ(none[0].evidence, "9 of 10 connections");
  EXPECT_FALSE(none[0].pid);
  fleet.quota->most_pid = ::getpid();
  fleet.quota->most_connections = 7;
  const std::vector<Verdict> verdicts = watch::daemon_verdicts(fleet);
  ASSERT_EQ(kinds(verdicts), std::vector<std::string>{"connections_low"});
  EXPECT_EQ(verdicts[0].severity, watch::Severity::warning);
  EXPECT_EQ(verdicts[0].pid, ::getpid());
  EXPECT_NE(verdicts[0].evidence.find("9 of 10 connections, 7 of them by process " + std::to_string(::getpid())),
            std::string::npos)
      << verdicts[0].evidence;
  EXPECT_NE(verdicts[0].forecast.find("--max-connections-per-user"), std::string::npos);
  EXPECT_EQ(verdicts[0].remedies.at(0).command, "kill " + std::to_string(::getpid()));
  fleet.quota->connections = fleet.quota->max_connections = 1000;
  EXPECT_TRUE(watch::daemon_verdicts(fleet).at(0).remedies.empty()) << "its end alone would not mend it";
}

TEST_F(ToolDoctor, quota_of_connections_that_is_nearly_used_up_is_told_until_they_are_closed) {
  const TestDaemon small({"--max-connections-per-user", "10"});
  std::vector<Connection> held;
  for (int i = 0; i < 8; ++i) held.push_back(connect(small));
  const Outcome outcome = small.tool({"doctor", "--for", "0.1", "--format", "json"});  // it is the ninth
  EXPECT_EQ(outcome.exit.code, 1) << outcome.out;
  const auto verdicts = nlohmann::json::parse(outcome.out)["verdicts"];
  ASSERT_EQ(verdicts.size(), 1U) << outcome.out;
  EXPECT_EQ(verdicts[0]["kind"], "connections_low");
  EXPECT_EQ(verdicts[0]["pid"], ::getpid());
  EXPECT_NE(verdicts[0]["evidence"].get<std::string>().find("9 of 10 connections, 8 of them by"), std::string::npos)
      << verdicts[0];
  held.clear();
  EXPECT_TRUE(eventually([&] { return small.tool({"doctor", "--for", "0.1"}).exit.code == 0; }));
}

TEST_F(ToolDoctor, queue_that_may_not_be_read_is_counted_and_said) {
  const Outcome outcome = tool({"doctor", "--for", "0.1", "--format", "json"});
  const auto answer = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(answer["queues"], 0);
  tool::Examination examination = made_examination();
  EXPECT_NE(tool::doctor_text(examination).find("1 of them may not be read by this user"), std::string::npos);
}

}  // namespace
}  // namespace beltway::test
