// The commands that declare, look and manage, end to end: the tool, a daemon, exit codes, JSON.
#include <gtest/gtest.h>

#include <unistd.h>
#include <nlohmann/json.hpp>
#include <sstream>

#include "beltway/beltway.hpp"
#include "support/daemon.hpp"
#include "support/tool_test.hpp"

namespace beltway::test {
namespace {

using nlohmann::json;

class ToolCommands : public ToolTest {};

TEST_F(ToolCommands, declare_makes_the_queue_that_it_says) {
  const json queue = tool_json({"declare",      "orders", "--slots",         "2K",       "--slot-bytes",    "256",
                                "--lane-bytes", "64K",    "--max-producers", "3",        "--max-consumers", "5",
                                "--max-groups", "4",      "--group",         "a",        "--group",         "b",
                                "--mode",       "0640",   "--fence",         "symmetric"});
  EXPECT_EQ(queue["name"], "orders");
  EXPECT_EQ(queue["slots"], 2048);
  EXPECT_EQ(queue["slot_bytes"], 256);
  EXPECT_EQ(queue["lane_bytes"], 65536);
  EXPECT_EQ(queue["max_producers"], 3);
  EXPECT_EQ(queue["max_consumers"], 5);
  EXPECT_EQ(queue["max_groups"], 4);
  EXPECT_EQ(queue["groups"], json::array({"a", "b"}));
  EXPECT_EQ(queue["mode"], "0640");
  EXPECT_EQ(queue["fence"], "symmetric");
}

TEST_F(ToolCommands, declare_again_is_fine_and_otherwise_names_the_option) {
  ASSERT_TRUE(tool({"declare", "q"}).exit.ok());
  EXPECT_TRUE(tool({"declare", "q"}).exit.ok());
  expect_failure({"declare", "q", "--slots", "64"}, 1, "slots");
}

TEST_F(ToolCommands, list_and_show_print_the_queues_and_groups) {
  EXPECT_EQ(tool_json({"list"})["queues"], json::array());
  ASSERT_TRUE(tool({"declare", "q", "--group", "g"}).exit.ok());
  ASSERT_TRUE(tool({"pub", "q", "one", "two"}).exit.ok());
  const json list = tool_json({"list"});
  ASSERT_EQ(list["queues"].size(), 1U);
  EXPECT_EQ(list["queues"][0]["name"], "q");
  EXPECT_EQ(list["queues"][0]["used"], 2);
  const json shown = tool_json({"show", "q"});
  EXPECT_EQ(shown["state"]["position"], 2);
  EXPECT_EQ(shown["state"]["groups"][0]["name"], "g");
  EXPECT_EQ(shown["state"]["groups"][0]["depth"], 2);
  EXPECT_EQ(shown["state"]["totals"]["messages_in"], 2) << "of the publisher that is gone";
  const Outcome text = tool({"list"});
  EXPECT_TRUE(text.out.starts_with("QUEUE ")) << text.out;
  EXPECT_NE(tool({"show", "q"}).out.find("2 of 1024 slots"), std::string::npos);
}

TEST_F(ToolCommands, show_names_the_process_of_an_endpoint) {
  ASSERT_TRUE(tool({"declare", "q"}).exit.ok());
  Child sub = Child::spawn({program("beltway"), "sub", "q"}, daemon_.client_options());
  ASSERT_TRUE(eventually([&] { return tool_json({"show", "q"})["state"]["consumers"].size() == 1; }));
  const json shown = tool_json({"show", "q"});
  EXPECT_EQ(shown["state"]["consumers"][0]["pid"], sub.pid());
  EXPECT_EQ(shown["state"]["consumers"][0]["process"], "beltway");
  EXPECT_NE(tool({"show", "q"}).out.find(std::to_string(sub.pid()) + " beltway"), std::string::npos);
  sub.kill(SIGINT);
  EXPECT_EQ(sub.wait(), (Exit{.code = 130}));
}

TEST_F(ToolCommands, show_prints_the_wakes_per_message) {
  const Connection link = Connection::open({.socket = daemon_.socket()});
  const Queue queue = link.declare("q");
  Producer out = queue.producer();
  Consumer in = queue.consumer();
  static_cast<void>(in.poll_fd());
  // Event mode: a try that finds nothing says that it sleeps, and the next message wakes it. Each second message does.
  for (int i = 0; i < 4; ++i) {
    while (in.try_receive()) continue;
    out.publish("wakes");
    out.publish("does not");
  }
  while (in.try_receive()) continue;  // stores what it counted before it sleeps again
  const json state = tool_json({"show", "q"})["state"];
  EXPECT_EQ(state["producers"][0]["per_message"]["wakes"], 0.5);
  EXPECT_EQ(state["producers"][0]["per_message"]["sleeps"], 0.0);
  EXPECT_EQ(state["per_message"]["wakes"], 0.5);
  EXPECT_EQ(state["per_message"]["sleeps"], 0.5);
  EXPECT_NE(tool({"show", "q"}).out.find("4 (0.5)"), std::string::npos);
}

TEST_F(ToolCommands, watch_repeats_with_rates) {
  ASSERT_TRUE(tool({"declare", "q"}).exit.ok());
  const Outcome result = tool({"show", "q", "--watch", "10ms", "--count", "3", "--format", "json"});
  EXPECT_TRUE(result.exit.ok()) << result.err;
  std::istringstream lines(result.out);
  std::vector<json> shapes;
  for (std::string line; std::getline(lines, line);) shapes.push_back(json::parse(line));
  ASSERT_EQ(shapes.size(), 3U);
  EXPECT_FALSE(shapes[0].contains("rates"));
  EXPECT_EQ(shapes[1]["rates"]["messages_in_per_s"], 0.0);
  EXPECT_TRUE(shapes[1]["rates"]["per_message"].is_null());
}

TEST_F(ToolCommands, peek_takes_nothing) {
  ASSERT_TRUE(tool({"declare", "q", "--group", "g"}).exit.ok());
  ASSERT_TRUE(tool({"pub", "q", "one", "two", "three"}).exit.ok());
  for (int i = 0; i < 2; ++i) {
    const json peeked = tool_json({"peek", "q", "--count", "2", "--group", "g"});
    ASSERT_EQ(peeked["messages"].size(), 2U);
    EXPECT_EQ(peeked["messages"][0]["text"], "one");
    EXPECT_EQ(peeked["messages"][1]["position"], 1);
  }
  EXPECT_EQ(tool_json({"peek", "q", "--count", "1", "--max-bytes", "2"})["messages"][0]["cut"], true);
  EXPECT_NE(tool({"peek", "q"}).out.find("three"), std::string::npos);
  EXPECT_EQ(tool_json({"peek", "q", "--from", "2"})["messages"].size(), 1U);
  EXPECT_EQ(tool_json({"peek", "q", "--from", "2"})["messages"][0]["text"], "three");
  EXPECT_EQ(tool_json({"peek", "q", "--from", "3"})["messages"].size(), 0U);
  expect_failure({"peek", "q", "--from", "soon"}, 2, "a position, as peek and show print it");
  EXPECT_EQ(tool({"sub", "q", "--group", "g", "--count", "3"}).out, "one\ntwo\nthree\n");
}

TEST_F(ToolCommands, peek_at_a_group_tells_deliveries_and_the_process_that_holds_a_message) {
  const Connection link = Connection::open({.socket = daemon_.socket()});
  const Queue queue = link.declare("q", {.groups = {NamedGroup("g")}, .retry_delay = std::chrono::milliseconds(0)});
  Producer out = queue.producer();
  Consumer in = queue.consumer({.group = "g"});
  out.publish("one");
  out.publish("two");
  in.receive()->nack();
  const Message held = std::move(*in.receive());
  ASSERT_EQ(held.deliveries(), 2U);
  const json peeked = tool_json({"peek", "q", "--group", "g"})["messages"];
  EXPECT_EQ(peeked[0]["deliveries"], 2);
  EXPECT_EQ(peeked[0]["holder"], 0);
  EXPECT_EQ(peeked[1]["deliveries"], 0);
  EXPECT_EQ(peeked[1]["holder"], nullptr);
  const std::string text = tool({"peek", "q", "--group", "g"}).out;
  EXPECT_NE(text.find("0 (process " + std::to_string(::getpid())), std::string::npos) << text;
  EXPECT_FALSE(tool_json({"peek", "q"})["messages"][0].contains("deliveries"));
  expect_failure({"peek", "q", "--group", "h"}, 5, "its groups are \"g\"");
  expect_failure({"purge", "q", "--group", "h"}, 5, "its groups are \"g\"");
}

TEST_F(ToolCommands, purge_acknowledges_the_messages_before_a_group) {
  ASSERT_TRUE(tool({"declare", "q", "--group", "g", "--group", "h"}).exit.ok());
  ASSERT_TRUE(tool({"pub", "q", "x", "--count", "10"}).exit.ok());
  EXPECT_EQ(tool_json({"purge", "q", "--group", "g"})["purged"], 10);
  EXPECT_EQ(tool_json({"purge", "q", "--group", "g"})["purged"], 0);
  const json groups = tool_json({"show", "q"})["state"]["groups"];
  for (const json& group : groups) EXPECT_EQ(group["depth"], group["name"] == "g" ? 0 : 10);
  expect_failure({"purge", "q", "--group", "nobody"}, 5, "nobody");
}

TEST_F(ToolCommands, groups_come_and_go) {
  ASSERT_TRUE(tool({"declare", "q", "--group", "old"}).exit.ok());
  ASSERT_TRUE(tool({"pub", "q", "before"}).exit.ok());
  EXPECT_TRUE(tool({"group", "add", "q", "new"}).exit.ok());
  EXPECT_TRUE(tool({"group", "add", "q", "all", "--from", "oldest"}).exit.ok());
  ASSERT_TRUE(tool({"pub", "q", "after"}).exit.ok());
  EXPECT_EQ(tool({"sub", "q", "--group", "new", "--count", "1"}).out, "after\n");
  EXPECT_EQ(tool({"sub", "q", "--group", "all", "--count", "2"}).out, "before\nafter\n");
  EXPECT_TRUE(tool({"group", "remove", "q", "new"}).exit.ok());
  expect_failure({"sub", "q", "--group", "new", "--count", "1"}, 5, "new");
}

TEST_F(ToolCommands, remove_ends_the_attached_processes) {
  ASSERT_TRUE(tool({"declare", "q"}).exit.ok());
  Child sub = Child::spawn({program("beltway"), "sub", "q"}, daemon_.client_options());
  ASSERT_TRUE(eventually([&] { return tool_json({"list"})["queues"][0]["endpoints"].size() == 1; }));
  EXPECT_TRUE(tool({"remove", "q"}).exit.ok());
  EXPECT_EQ(sub.wait(), (Exit{.code = 7}));
  expect_failure({"remove", "q"}, 5, "\"q\"");
}

TEST_F(ToolCommands, ping_tells_the_daemon) {
  const json daemon = tool_json({"ping"});
  EXPECT_EQ(daemon["socket"], daemon_.socket().string());
  EXPECT_GT(daemon["pid"], 0);
  EXPECT_GE(daemon["round_trip_ns"], 0);
  EXPECT_TRUE(tool({"ping"}).out.starts_with("beltwayd " + std::string(daemon["version"]) + ", layout " +
                                             std::string(daemon["layout"]) + ", process "));
}

TEST_F(ToolCommands, the_socket_option_goes_before_and_behind_the_command) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--socket", daemon_.socket(), "ping"}, {"ping", "--socket", daemon_.socket()}}) {
    std::vector<std::string> argv{program("beltway")};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    EXPECT_TRUE(run(argv, {.environment = {{"BELTWAY_SOCKET", "/nowhere"}}}).exit.ok());
  }
}

TEST_F(ToolCommands, a_missing_queue_is_not_found) {
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"show", "none"}, {"pub", "none", "x"}, {"sub", "none"}, {"peek", "none"}, {"remove", "none"}}) {
    expect_failure(command, 5, "none");
  }
}

TEST_F(ToolCommands, a_refusal_of_the_library_is_a_failure_of_the_tool) {
  expect_failure({"declare", "q", "--slots", "1000"}, 1, "power of two");
  expect_failure({"declare", "no blanks"}, 1, "no blanks");
  ASSERT_TRUE(tool({"declare", "small", "--lane-bytes", "0", "--slot-bytes", "64"}).exit.ok());
  expect_failure({"pub", "small", std::string(49, 'x')}, 1, "48");
}

TEST(ToolUsage, the_exit_code_without_a_daemon_is_4) {
  const TempDir dir;
  const Outcome result = run({program("beltway"), "list", "--socket", dir.socket()});
  EXPECT_EQ(result.exit.code, 4) << result.err;
  EXPECT_TRUE(result.err.starts_with("beltway: "));
}

TEST(ToolUsage, a_command_line_that_makes_no_sense_ends_with_code_2) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{},
                                             {"frobnicate"},
                                             {"list", "--", "more"},
                                             {"show"},
                                             {"declare", "q", "--slots", "many"},
                                             {"declare", "q", "--mode", "rw"},
                                             {"pub", "q", "x", "--rate", "0"},
                                             {"pub", "q", "x", "--file", "f"},
                                             {"pub", "q", "--chunk", "1K"},
                                             {"sub", "q", "--lossy", "--group", "g"},
                                             {"sub", "q", "--conflate"},
                                             {"sub", "q", "--create-group"},
                                             {"sub", "q", "--raw", "--format", "json"},
                                             {"sub", "q", "--from", "yesterday"},
                                             {"list", "--format", "xml"},
                                             {"show", "q", "--count", "2"},
                                             {"group", "rename", "q", "g"},
                                             {"group", "pause", "q"},
                                             {"group", "reset", "q", "g"},
                                             {"group", "reset", "q", "g", "--to", "yesterday"},
                                             {"group", "reset", "q", "g", "--to", "-1"},
                                             {"bench", "latency", "--producers", "2"},
                                             {"bench", "throughput", "--near", "5"}}) {
    std::vector<std::string> argv{program("beltway"), "--no-start"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    const Outcome result = run(argv);
    EXPECT_EQ(result.exit.code, 2) << testing::PrintToString(arguments) << result.err;
    EXPECT_TRUE(result.err.starts_with("beltway: ")) << result.err;
    EXPECT_EQ(result.out, "");
  }
}

TEST(ToolUsage, an_unknown_command_is_named) {
  EXPECT_TRUE(run({program("beltway"), "frobnicate"}).err.starts_with("beltway: \"frobnicate\" is no command\n"));
}

TEST(ToolUsage, the_flags_help_and_version_need_no_daemon) {
  const Outcome version = run({program("beltway"), "--version"});
  EXPECT_TRUE(version.exit.ok());
  EXPECT_TRUE(version.out.starts_with("beltway "));
  EXPECT_NE(run({program("beltway"), "--help"}).out.find("Exit codes"), std::string::npos);
  for (const char* command :
       {"declare", "list", "show", "pub", "sub", "peek", "purge", "remove", "group", "ping", "digest", "bench"}) {
    const Outcome help = run({program("beltway"), command, "--help"});
    EXPECT_TRUE(help.exit.ok()) << help.err;
    EXPECT_NE(help.out.find(std::string("beltway ") + command), std::string::npos) << "an example: " << help.out;
  }
}

}  // namespace
}  // namespace beltway::test
