// What surrounds the tool: full disks, closed descriptors, readers that are gone, a daemon that stops or ends, many queues.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <nlohmann/json.hpp>

#include <algorithm>

#include "beltway/beltway.hpp"
#include "support/child.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

class ToolSurroundings : public testing::Test {
 protected:
  /// A command line for the shell, in which $BELTWAY is the tool.
  Outcome shell(const std::string& line) const {
    Child::Options options = daemon_.client_options();
    options.environment.emplace_back("BELTWAY", program("beltway").string());
    return run({"sh", "-c", line}, options);
  }

  TestDaemon daemon_;
};

/// Commands that print, each on its own.
const std::vector<std::string> k_printing{"list",
                                          "list --format json",
                                          "show q",
                                          "show q --watch 1ms --count 2",
                                          "peek q",
                                          "declare q",
                                          "purge q --group g",
                                          "ping",
                                          "pub q x --digest",
                                          "--help",
                                          "--version"};

TEST_F(ToolSurroundings, a_full_disk_is_told_and_ends_every_command_with_1) {
  ASSERT_TRUE(daemon_.tool({"declare", "q", "--group", "g"}).exit.ok());
  for (const std::string& command : k_printing) {
    const Outcome result = shell("$BELTWAY " + command + " > /dev/full");
    EXPECT_EQ(result.exit.code, 1) << command;
    EXPECT_NE(result.err.find("write to standard output: No space left on device"), std::string::npos)
        << command << ": " << result.err;
  }
}

TEST_F(ToolSurroundings, a_closed_standard_output_is_told_and_nothing_is_written_elsewhere) {
  ASSERT_TRUE(daemon_.tool({"declare", "q", "--group", "g"}).exit.ok());
  for (const std::string& command : k_printing) {
    const Outcome result = shell("$BELTWAY " + command + " >&-");
    EXPECT_EQ(result.exit.code, 1) << command;
    EXPECT_NE(result.err.find("write to standard output: Bad file descriptor"), std::string::npos)
        << command << ": " << result.err;
  }
  EXPECT_EQ(daemon_.log().find("protocol"), std::string::npos) << "the daemon's socket got none of it";
}

TEST_F(ToolSurroundings, a_closed_standard_input_or_error_takes_no_descriptor_of_the_daemons) {
  ASSERT_TRUE(daemon_.tool({"declare", "q", "--group", "g"}).exit.ok());
  const Outcome read = shell("$BELTWAY pub q <&-");
  EXPECT_EQ(read.exit.code, 1);
  EXPECT_NE(read.err.find("standard input"), std::string::npos) << read.err;
  EXPECT_EQ(shell("$BELTWAY show none 2>&-").exit.code, 5);
  EXPECT_EQ(shell("$BELTWAY pub q one <&- >&- 2>&-").exit.code, 0) << "it needs none of them";
  EXPECT_EQ(daemon_.tool({"sub", "q", "--group", "g", "--count", "1"}).out, "one\n");
}

TEST_F(ToolSurroundings, a_reader_that_is_gone_ends_every_command_quietly_with_141) {
  ASSERT_TRUE(daemon_.tool({"declare", "q", "--group", "g"}).exit.ok());
  for (const char* command : {"list", "show q", "peek q", "declare q", "ping", "--help"}) {
    // The reader has ended before the command writes: it waits for a message that is published then.
    const std::string line = "{ sleep 0.2; $BELTWAY " + std::string(command) + "; echo code $? >&2; } | :";
    const std::string said = shell(line).err;  // `list` says there which daemon it asked
    EXPECT_TRUE(said.ends_with("code 141\n")) << command << ": " << said;
    EXPECT_EQ(said.find("beltway: "), std::string::npos) << command << ": " << said;
  }
}

TEST_F(ToolSurroundings, ctrl_c_ends_a_command_that_waits_for_a_stopped_daemon) {
  daemon_.process().kill(SIGSTOP);
  for (const char* command : {"list", "ping"}) {
    Child waiting = Child::spawn({program("beltway"), command}, daemon_.client_options());
    EXPECT_TRUE(eventually([&] {
      // It sleeps in poll or in receiving.
      return read_file("/proc/" + std::to_string(waiting.pid()) + "/stat").find("(beltway) S ") != std::string::npos;
    }));
    waiting.kill(SIGINT);
    EXPECT_EQ(waiting.wait(5s), (Exit{.signal = SIGINT})) << command;
  }
  daemon_.process().kill(SIGCONT);
}

TEST_F(ToolSurroundings, a_queue_that_is_removed_in_the_middle_of_a_watch_ends_it_with_7) {
  ASSERT_TRUE(daemon_.tool({"declare", "q"}).exit.ok());
  const auto out = daemon_.dir().path() / "watched";
  Child::Options options = daemon_.client_options();
  options.standard_output = out;
  options.standard_error = daemon_.dir().path() / "said";
  Child watching = Child::spawn({program("beltway"), "show", "q", "--watch", "10ms"}, options);
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(out) && !read_file(out).empty(); }));
  ASSERT_TRUE(daemon_.tool({"remove", "q"}).exit.ok());
  EXPECT_EQ(watching.wait(), (Exit{.code = 7}));
  EXPECT_NE(read_file(options.standard_error).find("was removed"), std::string::npos);
}

TEST(ToolSurroundingsAlone, a_daemon_that_ends_in_the_middle_of_a_watch_ends_it_with_4) {
  const TempDir dir;
  const Child::Options options{.environment = {{"BELTWAY_SOCKET", dir.socket()}},
                               .standard_output = dir.path() / "watched",
                               .standard_error = dir.path() / "said"};
  Child daemon = Child::spawn({program("beltwayd"), "--no-keeper", "--socket", dir.socket(), "--log-level", "off"});
  ASSERT_TRUE(eventually(
      [&] { return run({program("beltway"), "declare", "q"}, {.environment = options.environment}).exit.ok(); }));
  Child watching = Child::spawn({program("beltway"), "show", "q", "--watch", "10ms"}, options);
  ASSERT_TRUE(eventually(
      [&] { return std::filesystem::exists(options.standard_output) && !read_file(options.standard_output).empty(); }));
  daemon.kill();
  static_cast<void>(daemon.wait());
  EXPECT_EQ(watching.wait(), (Exit{.code = 4}));
  EXPECT_NE(read_file(options.standard_error).find("beltway: "), std::string::npos);
}

TEST(ToolSurroundingsAlone, a_thousand_queues_are_listed) {
  rlimit files{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  if (files.rlim_max < 16'384) GTEST_SKIP() << "the daemon may open " << files.rlim_max << " files only";
  const TestDaemon daemon({"--max-queues-per-user", "1000"});
  const Connection link = connect(daemon);
  constexpr int k_queues = 1000;
  for (int i = 0; i < k_queues; ++i) {
    static_cast<void>(link.declare("queue/with/a/name/of/some/length/" + std::to_string(i),
                                   {.slots = 2, .lane_bytes = 0, .max_producers = 1, .max_consumers = 1}));
  }
  const json listed = json::parse(daemon.tool({"list", "--format", "json"}).out);
  EXPECT_EQ(listed["queues"].size(), static_cast<std::size_t>(k_queues));
  EXPECT_EQ(listed["queues"][k_queues - 1]["used"], 0);
  const std::string text = daemon.tool({"list"}).out;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), k_queues + 1) << "a heading, and a line each";
}

TEST_F(ToolSurroundings, a_name_that_is_no_text_is_refused_in_text) {
  const Outcome refused = daemon_.tool({"declare", "bad\xff\x1b[2Jname"});
  EXPECT_EQ(refused.exit.code, 1);
  EXPECT_NE(refused.err.find("\"bad??[2Jname\""), std::string::npos) << refused.err;
}

TEST_F(ToolSurroundings, figures_of_ping_say_what_they_are) {
  const Outcome said = daemon_.tool({"ping"});
  EXPECT_NE(said.out.find("round trip "), std::string::npos) << said.out;
  EXPECT_NE(said.out.find(" to connect"), std::string::npos) << said.out;
  EXPECT_GT(json::parse(daemon_.tool({"ping", "--format", "json"}).out)["connect_ns"], 0);
}

TEST_F(ToolSurroundings, a_summary_tells_the_time_between_messages_from_the_waits_around_them) {
  ASSERT_TRUE(daemon_.tool({"declare", "q", "--group", "g"}).exit.ok());
  const Outcome got = shell(
      "( $BELTWAY pub q one; sleep 0.1; $BELTWAY pub q two ) & "
      "$BELTWAY sub q --group g --follow --digest --summary --timeout 1 --format json; wait");
  const json summary = json::parse(got.out);
  EXPECT_EQ(summary["messages"], 2);
  EXPECT_GT(summary["first_to_last_seconds"], 0.05);
  EXPECT_GT(summary["seconds"], static_cast<double>(summary["first_to_last_seconds"]) + 0.5) << "the last wait";
}

}  // namespace
}  // namespace beltway::test
