// Names and messages that look like options or like lists: "--" ends options in every command, and what is printed can be pasted.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "base/tool_command.hpp"
#include "beltway/beltway.hpp"
#include "support/child.hpp"
#include "support/daemon.hpp"
#include "support/tool_test.hpp"
#include "tool/commands/plain_words.hpp"

namespace beltway::tool {
namespace {

using namespace std::chrono_literals;
using beltway::test::Child;
using beltway::test::Outcome;
using beltway::test::ToolTest;
using nlohmann::json;

TEST(ToolCommandText, operands_stand_before_the_options_unless_one_looks_like_an_option) {
  EXPECT_EQ(tool_command("list", {}), "beltway list");
  EXPECT_EQ(tool_command("group add", {"q", "g"}), "beltway group add q g");
  EXPECT_EQ(tool_command("peek", {"q"}, "--count 1"), "beltway peek q --count 1");
  EXPECT_EQ(tool_command("peek", {"-q"}, "--count 1"), "beltway peek --count 1 -- -q");
  EXPECT_EQ(tool_command("group add", {"q", "-g"}), "beltway group add -- q -g");
  EXPECT_EQ(tool_command("show", {"a b"}), "beltway show 'a b'");
}

TEST(ToolPlainWords, words_behind_two_dashes_and_in_brackets_are_marked) {
  const std::string mark(1, k_plain_mark);
  EXPECT_EQ(with_plain_words({"pub", "q", "[1]", "-k", "--", "--", "-x"}),
            (std::vector<std::string>{"pub", "q", mark + "[1]", "-k", mark + "--", mark + "-x"}));
  EXPECT_EQ(without_marks(mark + "-x"), "-x");
}

class ToolNames : public ToolTest {
 protected:
  Outcome paste(const std::string& command) const {
    Child::Options options = daemon_.client_options();
    options.environment.emplace_back("PATH", test::program("beltway").parent_path().string() + ":" + ::getenv("PATH"));
    return test::run({"sh", "-c", command}, options);
  }
  void expect_success(const std::vector<std::string>& arguments, const std::string& output) const {
    const Outcome result = tool(arguments);
    EXPECT_TRUE(result.exit.ok()) << result.err;
    EXPECT_NE(result.out.find(output), std::string::npos) << result.out;
  }
};

TEST_F(ToolNames, queue_and_group_whose_names_begin_with_a_dash_are_reached_by_each_command) {
  expect_success({"declare", "--group", "-g", "--slots", "16", "--", "-q"}, "-q: 16 slots");
  expect_success({"declare", "--", "-target"}, "-target");
  expect_success({"group", "add", "--", "-target", "-h"}, "");
  expect_success({"pub", "--", "-q", "one", "-k", "--"}, "");
  expect_success({"show", "--", "-q"}, "-q (id ");
  expect_success({"list", "--filter", "-q"}, "-q");
  expect_success({"peek", "--group", "-g", "--", "-q"}, "-k");
  expect_success({"ack", "--group", "-g", "--", "-q", "0"}, "");
  expect_success({"move", "--to", "-target", "--group", "-g", "--", "-q", "1"}, "");
  expect_success({"sub", "--group", "-g", "--count", "1", "--", "-q"}, "--\n");
  expect_success({"group", "pause", "--", "-q", "-g"}, "");
  expect_success({"group", "resume", "--", "-q", "-g"}, "");
  expect_success({"group", "reset", "--to", "oldest", "--", "-q", "-g"}, "");
  expect_success({"check", "--max-lag", "1000", "--", "-q"}, "BELTWAY OK");
  expect_success({"purge", "--group", "-h", "--", "-target"}, "");
  expect_success({"export", "--", "-q"}, "\"-q\"");
  expect_success({"group", "remove", "--", "-q", "-g"}, "");
  expect_success({"remove", "--", "-q"}, "");
  EXPECT_EQ(tool({"show", "--", "-q"}).exit.code, 5);
}

TEST_F(ToolNames, name_that_looks_like_an_option_is_told_with_the_word_that_ends_options) {
  expect_failure({"show", "-q"}, 2,
                 "\"-q\" is no option of \"beltway show\"; a name or message that begins with \"-\" must");
  expect_failure({"--", "list"}, 2, "a command must stand before \"--\"");
  expect_failure({"list", "--", "more"}, 2, "\"more\" is one word too many for \"beltway list\"");
}

TEST_F(ToolNames, messages_that_are_json_arrays_are_one_message_each) {
  expect_success({"declare", "q", "--group", "g"}, "");
  expect_success({"pub", "q", "[1,2]", "[]", "[[3]]", "{\"a\":[1]}", "--", "[4]", ""}, "");
  const Outcome received = tool({"sub", "q", "--group", "g", "--count", "6"});
  EXPECT_EQ(received.out, "[1,2]\n[]\n[[3]]\n{\"a\":[1]}\n[4]\n\n");
}

TEST_F(ToolNames, options_take_values_in_brackets_as_they_are) {
  expect_success({"declare", "q", "--description", "[a,b]"}, "");
  expect_success({"show", "q"}, "[a,b]");
}

TEST_F(ToolNames, remedies_and_errors_name_such_queues_so_that_they_can_be_pasted) {
  const Queue queue = Connection::open({.socket = daemon_.socket()}).declare("-q", {.slots = 16, .groups = {{"-g"}}});
  auto out = queue.producer();
  while (out.try_publish("kept") == Status::ok) continue;
  const json shown = json::parse(tool({"show", "--format", "json", "--", "-q"}).out);
  ASSERT_FALSE(shown["causes"].empty());
  std::vector<std::string> commands;
  for (const json& each : shown["causes"][0]["remedies"]) commands.push_back(each["command"]);
  EXPECT_EQ(commands, (std::vector<std::string>{"beltway sub --group -g -- -q", "beltway purge --group -g -- -q",
                                                "beltway group remove -- -q -g"}));
  const Outcome purged = paste(commands.at(1));
  EXPECT_TRUE(purged.exit.ok()) << purged.err;
  EXPECT_EQ(queue.snapshot().used, 0U);
  expect_failure({"ack", "--group", "-g", "--", "-q", "500"}, 5, "\"beltway peek --group GROUP -- -q\"");
  const Outcome removed = paste(commands.at(2));
  EXPECT_TRUE(removed.exit.ok()) << removed.err;
  expect_failure({"purge", "--group", "x", "--", "-q"}, 5, "\"beltway group add -- -q GROUP\"");
}

}  // namespace
}  // namespace beltway::tool
