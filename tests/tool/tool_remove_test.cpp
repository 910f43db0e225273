// `remove` and `group remove` say what goes, ask a person, and never ask a script.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "beltway/beltway.hpp"
#include "support/daemon.hpp"
#include "support/terminal.hpp"
#include "support/tool_test.hpp"

namespace beltway::test {
namespace {

class ToolRemove : public ToolTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(tool({"declare", "q", "--group", "g", "--group", "h"}).exit.ok());
    ASSERT_TRUE(tool({"pub", "q", "one", "two", "three"}).exit.ok());
    ASSERT_TRUE(tool({"sub", "q", "--group", "h", "--count", "1"}).exit.ok());
  }

  [[nodiscard]] bool has_queue() const { return tool_json({"list"})["queues"].size() == 1; }

  /// Runs the command at the terminal and gives this answer.
  Exit answer(Terminal& terminal, const std::vector<std::string>& arguments, const std::string& text) const {
    Child::Options options = daemon_.client_options();
    options.standard_input = options.standard_output = options.standard_error = terminal.path();
    std::vector<std::string> argv{program("beltway")};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    Child child = Child::spawn(argv, options);
    EXPECT_TRUE(terminal.shows("[y/N]")) << terminal.seen();
    terminal.type(text);
    return child.wait();
  }
};

TEST_F(ToolRemove, a_script_is_not_asked_and_is_told_what_went) {
  const Outcome result = tool({"remove", "q"});
  EXPECT_TRUE(result.exit.ok());
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err, "beltway: note: removed with 3 unread messages (group g 3, group h 2)\n");
}

TEST_F(ToolRemove, the_json_says_how_many_messages_went) {
  EXPECT_EQ(tool_json({"group", "remove", "q", "h"})["unread"], 2);
  EXPECT_EQ(tool_json({"remove", "q"})["unread"], 3);
  ASSERT_TRUE(tool({"declare", "empty"}).exit.ok());
  EXPECT_EQ(tool_json({"remove", "empty"})["unread"], 0);
}

TEST_F(ToolRemove, if_empty_keeps_what_has_unread_messages) {
  expect_failure({"remove", "q", "--if-empty"}, 8, "3 unread messages (group g 3, group h 2)");
  expect_failure({"group", "remove", "q", "h", "--if-empty"}, 8, "2 unread messages (group h)");
  ASSERT_TRUE(tool({"purge", "q", "--group", "h"}).exit.ok());
  EXPECT_TRUE(tool({"group", "remove", "q", "h", "--if-empty"}).exit.ok());
  ASSERT_TRUE(tool({"purge", "q", "--group", "g"}).exit.ok());
  EXPECT_TRUE(tool({"remove", "q", "--if-empty"}).exit.ok());
}

TEST_F(ToolRemove, a_person_who_says_no_keeps_the_queue) {
  Terminal terminal;
  EXPECT_EQ(answer(terminal, {"remove", "q"}, "n\n").code, 1);
  EXPECT_TRUE(terminal.shows("3 unread messages (group g 3, group h 2) go with it"));
  EXPECT_TRUE(terminal.shows("nothing was removed"));
  EXPECT_EQ(answer(terminal, {"group", "remove", "q", "g"}, "\n").code, 1);
  EXPECT_TRUE(has_queue());
}

TEST_F(ToolRemove, a_person_who_says_yes_removes_the_queue) {
  Terminal terminal;
  EXPECT_TRUE(answer(terminal, {"remove", "q"}, "y\n").ok());
  EXPECT_FALSE(has_queue());
}

TEST_F(ToolRemove, force_asks_nothing) {
  Terminal terminal;
  Child::Options options = daemon_.client_options();
  options.standard_input = options.standard_output = options.standard_error = terminal.path();
  EXPECT_TRUE(Child::spawn({program("beltway"), "remove", "q", "--force"}, options).wait().ok());
  EXPECT_EQ(terminal.seen().find("[y/N]"), std::string::npos);
  EXPECT_FALSE(has_queue());
}

TEST_F(ToolRemove, an_empty_queue_that_nobody_uses_goes_without_a_question) {
  ASSERT_TRUE(tool({"declare", "empty"}).exit.ok());
  Terminal terminal;
  Child::Options options = daemon_.client_options();
  options.standard_input = options.standard_output = options.standard_error = terminal.path();
  EXPECT_TRUE(Child::spawn({program("beltway"), "remove", "empty"}, options).wait().ok());
  EXPECT_EQ(terminal.seen(), "");
}

TEST_F(ToolRemove, a_consumer_that_is_attached_is_a_reason_to_ask) {
  ASSERT_TRUE(tool({"declare", "used"}).exit.ok());
  const Connection link = Connection::open({.socket = daemon_.socket()});
  const Consumer consumer = link.open_queue("used").consumer();
  Terminal terminal;
  EXPECT_EQ(answer(terminal, {"remove", "used"}, "n\n").code, 1);
  EXPECT_TRUE(terminal.shows("one attached producer or consumer is told"));
}

}  // namespace
}  // namespace beltway::test
