// `beltway top` on a terminal: what a person types and sees, in tmux at 80x24 as a VT100 without colour.
#include <gtest/gtest.h>

#include <string>

#include "support/tmux.hpp"
#include "support/tool_test.hpp"

namespace beltway::test {
namespace {

class TopScreen : public ToolTest {
 protected:
  void SetUp() override {
    if (!Tmux::is_here()) GTEST_SKIP() << "tmux is not installed: the screen is not tested (apt-get install tmux)";
    ok({"declare", "orders", "--slots", "16", "--group", "billing", "--group", "audit"});
    ok({"declare", "mail", "--slots", "64", "--group", "senders"});
    ok({"pub", "orders", "first message", "{\"id\": 7}", "line\x1b[31m with\ncontrol"});
  }
  void ok(const std::vector<std::string>& arguments) {
    const Outcome outcome = tool(arguments);
    ASSERT_TRUE(outcome.exit.ok()) << outcome.err;
  }
  std::string command(const std::string& environment = "TERM=vt100 LC_ALL=C.UTF-8 NO_COLOR=1",
                      const std::string& options = "") const {
    return "exec env " + environment + " BELTWAY_SOCKET=" + socket_of(daemon_) + " " + program("beltway").string() +
           " top -d 100ms " + options;
  }
  static std::string socket_of(const TestDaemon& daemon) { return daemon.socket().string(); }
  /// Opens orders and marks its group billing.
  static void open_orders(Tmux& tmux) {
    ASSERT_TRUE(tmux.shows("orders")) << tmux.screen();
    tmux.type("/orders");
    tmux.press({"Enter"});
    ASSERT_TRUE(tmux.hides("mail")) << tmux.screen();
    tmux.press({"Enter"});
    ASSERT_TRUE(tmux.shows("queue orders")) << tmux.screen();
    ASSERT_TRUE(tmux.shows("billing")) << tmux.screen();
  }
  /// The group whose messages are listed.
  static std::string group_on(Tmux& tmux) {
    return tmux.screen().find("group billing") != std::string::npos ? "billing" : "audit";
  }
};

TEST_F(TopScreen, list_sorts_filters_helps_and_quits) {
  Tmux tmux(command());
  EXPECT_TRUE(tmux.shows("beltway top  2 queues")) << tmux.screen();
  EXPECT_TRUE(tmux.shows("  orders")) << tmux.screen();
  tmux.type("s");
  EXPECT_TRUE(tmux.shows("Sort by")) << tmux.screen();
  tmux.type("n");
  EXPECT_TRUE(tmux.hides("Sort by"));
  EXPECT_TRUE(eventually([&] {
    const std::string screen = tmux.screen();
    return screen.find("mail") < screen.find("orders");
  })) << tmux.screen();
  tmux.type("/ord");
  EXPECT_TRUE(tmux.hides("mail")) << tmux.screen();
  tmux.press({"Escape"});
  EXPECT_TRUE(tmux.shows("mail")) << tmux.screen();
  tmux.type("?");
  EXPECT_TRUE(tmux.shows("throughput N/T: messages N published")) << tmux.screen();
  tmux.press({"Escape"});
  EXPECT_TRUE(tmux.shows("q quit")) << tmux.screen();
  tmux.type("q");
  EXPECT_EQ(tmux.exit_code(), 0);
}

TEST_F(TopScreen, queue_page_shows_ring_groups_and_messages) {
  Tmux tmux(command());
  open_orders(tmux);
  EXPECT_TRUE(tmux.shows("used 3 of 16")) << tmux.screen();
  EXPECT_TRUE(tmux.shows("###|")) << tmux.screen();
  tmux.type("m");
  EXPECT_TRUE(tmux.shows("first message")) << tmux.screen();
  EXPECT_TRUE(tmux.shows("line\\x1b[31m with\\ncontrol")) << tmux.screen();
  tmux.type("/id");
  tmux.press({"Enter"});
  EXPECT_TRUE(tmux.shows("found at position 1")) << tmux.screen();
  tmux.press({"Enter"});
  EXPECT_TRUE(tmux.shows("message 1 of orders")) << tmux.screen();
  tmux.type("h");
  EXPECT_TRUE(tmux.shows("7b 22 69 64 22 3a 20 37  7d")) << tmux.screen();
  tmux.type("j");
  EXPECT_TRUE(tmux.shows("  \"id\": 7")) << tmux.screen();
  tmux.press({"Escape"});
  tmux.press({"Escape"});
  EXPECT_TRUE(tmux.shows("queue orders")) << tmux.screen();
  EXPECT_EQ(tool_json({"show", "orders"})["state"]["groups"][0]["available"], 3) << "nothing was taken";
}

TEST_F(TopScreen, acts_ask_first_and_say_what_they_did) {
  Tmux tmux(command());
  open_orders(tmux);
  tmux.press({"Tab"});  // a group
  tmux.type("az");
  ASSERT_TRUE(tmux.shows("beltway group pause orders ")) << tmux.screen();
  tmux.type("n");
  EXPECT_TRUE(tmux.shows("nothing was done")) << tmux.screen();
  tmux.type("az");
  ASSERT_TRUE(tmux.shows("Type y to do it")) << tmux.screen();
  tmux.type("y");
  EXPECT_TRUE(tmux.shows("is paused")) << tmux.screen();
  tmux.type("az");
  ASSERT_TRUE(tmux.shows("beltway group resume orders ")) << tmux.screen();
  tmux.type("y");
  EXPECT_TRUE(tmux.shows("goes on")) << tmux.screen();
  tmux.type("ar");
  tmux.type("soon");
  tmux.press({"Enter"});
  ASSERT_TRUE(tmux.shows("--to soon")) << tmux.screen();
  tmux.type("y");
  EXPECT_TRUE(tmux.shows("refused: \"soon\" is neither")) << tmux.screen();
  tmux.type("ap");
  ASSERT_TRUE(tmux.shows("Acknowledges 3 messages")) << tmux.screen();
  tmux.type("y");
  EXPECT_TRUE(tmux.shows("done: purged 3 messages")) << tmux.screen();
  tmux.type("ax");
  ASSERT_TRUE(tmux.shows("beltway remove orders")) << tmux.screen();
  tmux.type("orders");
  tmux.press({"Enter"});
  EXPECT_TRUE(tmux.shows("queue orders is removed")) << tmux.screen();
  EXPECT_TRUE(tmux.shows("does not exist any more")) << tmux.screen();
  EXPECT_EQ(tool({"show", "orders"}).exit.code, 5);
}

TEST_F(TopScreen, marked_message_is_acknowledged_after_a_question) {
  Tmux tmux(command());
  open_orders(tmux);
  tmux.press({"Tab"});  // a group
  tmux.type("m");
  ASSERT_TRUE(tmux.shows("first message")) << tmux.screen();
  tmux.type("ak");
  ASSERT_TRUE(tmux.shows("beltway ack orders 0 --group ")) << tmux.screen();
  EXPECT_TRUE(tmux.shows("Type y to do it")) << tmux.screen();
  tmux.type("n");
  EXPECT_TRUE(tmux.shows("nothing was done")) << tmux.screen();
  tmux.type("ak");
  ASSERT_TRUE(tmux.shows("Type y to do it")) << tmux.screen();
  tmux.type("y");
  EXPECT_TRUE(tmux.shows("done: acknowledged the message at position 0")) << tmux.screen();
  EXPECT_TRUE(tmux.hides("first message")) << "the list is read anew: " << tmux.screen();
  EXPECT_EQ(tool_json({"peek", "orders", "--group", group_on(tmux)})["messages"].size(), 2U);
}

TEST_F(TopScreen, open_message_is_moved_to_another_queue_after_a_question) {
  Tmux tmux(command());
  open_orders(tmux);
  tmux.press({"Tab"});  // a group
  tmux.type("m");
  ASSERT_TRUE(tmux.shows("first message")) << tmux.screen();
  const std::string group = group_on(tmux);
  tmux.press({"Down", "Enter"});
  ASSERT_TRUE(tmux.shows("message 1 of orders")) << tmux.screen();
  ASSERT_TRUE(tmux.shows("producer 0")) << tmux.screen();
  tmux.type("am");
  ASSERT_TRUE(tmux.shows("move to queue:")) << tmux.screen();
  tmux.type("mail");
  tmux.press({"Enter"});
  ASSERT_TRUE(tmux.shows("beltway move orders 1 --to mail --group " + group)) << tmux.screen();
  tmux.type("y");
  EXPECT_TRUE(tmux.shows("done: moved the message at position 1 to mail")) << tmux.screen();
  EXPECT_TRUE(tmux.shows("messages of orders")) << "back in the list: " << tmux.screen();
  EXPECT_TRUE(tmux.hides("{\"id\": 7}")) << tmux.screen();
  EXPECT_EQ(tool_json({"peek", "mail"})["messages"][0]["text"], "{\"id\": 7}");
  EXPECT_EQ(tool_json({"peek", "orders", "--group", group})["messages"].size(), 2U);
}

TEST_F(TopScreen, message_of_the_whole_ring_has_no_acts_if_there_are_several_groups) {
  Tmux tmux(command());
  open_orders(tmux);
  tmux.type("m");
  ASSERT_TRUE(tmux.shows("the whole ring")) << tmux.screen();
  ASSERT_TRUE(tmux.shows("first message")) << tmux.screen();
  tmux.type("a");
  EXPECT_TRUE(tmux.shows("mark a group")) << tmux.screen();
}

TEST_F(TopScreen, window_may_have_any_size) {
  Tmux tmux(command());
  ASSERT_TRUE(tmux.shows("orders")) << tmux.screen();
  tmux.resize(160, 40);
  EXPECT_TRUE(tmux.shows("memory ")) << tmux.screen();
  tmux.resize(9, 2);
  EXPECT_TRUE(tmux.hides("orders")) << tmux.screen();
  tmux.resize(1, 1);
  tmux.resize(80, 24);
  EXPECT_TRUE(tmux.shows("q quit")) << tmux.screen();
  EXPECT_TRUE(tmux.shows("orders")) << tmux.screen();
  tmux.type("q");
  EXPECT_EQ(tmux.exit_code(), 0);
}

TEST_F(TopScreen, locale_without_utf8_gets_ascii) {
  ok({"pub", "orders", "--count", "10", "x"});
  Tmux tmux(command("TERM=vt100 LC_ALL=C"), 100, 24);
  ASSERT_TRUE(tmux.shows("orders")) << tmux.screen();
  EXPECT_TRUE(tmux.shows("#")) << tmux.screen();
  for (const char c : tmux.screen()) EXPECT_TRUE(static_cast<unsigned char>(c) < 0x80) << tmux.screen();
}

TEST_F(TopScreen, options_choose_order_and_filter) {
  Tmux tmux(command("TERM=xterm-256color LC_ALL=C.UTF-8", "--sort name --reverse --filter '?*'"));
  ASSERT_TRUE(tmux.shows("orders")) << tmux.screen();
  const std::string screen = tmux.screen();
  EXPECT_LT(screen.find("  orders"), screen.find("  mail"));
  EXPECT_NE(screen.find("/?*"), std::string::npos) << "the filter is shown";
}

TEST_F(TopScreen, shell_stops_it_and_brings_it_back) {
  Tmux tmux("exec env TERM=vt100 PS1='prompt> ' HISTFILE= bash --norc --noprofile -i");
  ASSERT_TRUE(tmux.shows("prompt>")) << tmux.screen();
  tmux.type("BELTWAY_SOCKET=" + daemon_.socket().string() + " " + program("beltway").string() + " top");
  tmux.press({"Enter"});
  ASSERT_TRUE(tmux.shows("q quit")) << tmux.screen();
  tmux.press({"C-z"});
  ASSERT_TRUE(tmux.shows("Stopped")) << tmux.screen();
  tmux.type("stty -a | grep -o ' echo '; echo e''choed");
  tmux.press({"Enter"});
  EXPECT_TRUE(tmux.shows("echoed")) << tmux.screen();
  EXPECT_TRUE(tmux.shows("\n echo")) << "the shell has its terminal back: " << tmux.screen();
  tmux.type("fg");
  tmux.press({"Enter"});
  EXPECT_TRUE(tmux.shows("q quit")) << tmux.screen();
  tmux.type("q");
  EXPECT_TRUE(tmux.hides("q quit")) << tmux.screen();
}

}  // namespace
}  // namespace beltway::test
