// How `beltway top` ends, and what it does without a terminal: text and JSON for scripts.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "support/controlling_terminal.hpp"
#include "support/supervised_daemon.hpp"
#include "support/tool_test.hpp"

namespace beltway::test {
namespace {

std::vector<std::pair<std::string, std::string>> environment_of(const std::string& socket) {
  return {{"TERM", "vt100"}, {"LC_ALL", "C.UTF-8"}, {"BELTWAY_SOCKET", socket}};
}

class TopTerminal : public ToolTest {
 protected:
  TopTerminal() { EXPECT_TRUE(tool({"declare", "orders", "--slots", "16", "--group", "billing"}).exit.ok()); }
  std::vector<std::pair<std::string, std::string>> environment() const {
    return environment_of(daemon_.socket().string());
  }
  static std::vector<std::string> top(const std::vector<std::string>& more = {}) {
    std::vector<std::string> argv{program("beltway").string(), "top"};
    argv.insert(argv.end(), more.begin(), more.end());
    return argv;
  }
};

TEST_F(TopTerminal, loss_of_the_terminal_ends_it) {
  OnTerminal program(top(), environment());
  ASSERT_TRUE(program.shows("orders"));
  program.lose();
  EXPECT_EQ(program.wait(), (Exit{.code = 128 + SIGHUP, .signal = 0}));
}

TEST_F(TopTerminal, signals_end_it_and_give_the_terminal_back) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    OnTerminal program(top(), environment());
    ASSERT_TRUE(program.shows("orders"));
    ::kill(program.pid(), signal);
    EXPECT_EQ(program.wait(), (Exit{.code = 128 + signal, .signal = 0}));
  }
}

TEST_F(TopTerminal, ctrl_c_ends_it) {
  OnTerminal program(top(), environment());
  ASSERT_TRUE(program.shows("orders"));
  program.type("\x03");
  EXPECT_EQ(program.wait(), (Exit{.code = 128 + SIGINT, .signal = 0}));
}

// Ctrl-Z itself needs a shell: tool_top_screen_test.
TEST_F(TopTerminal, process_that_was_stopped_draws_its_screen_anew) {
  OnTerminal program(top(), environment());
  ASSERT_TRUE(program.shows("q quit"));
  ::kill(program.pid(), SIGSTOP);
  ASSERT_TRUE(program.is_stopped());
  program.forget_seen();
  ::kill(program.pid(), SIGCONT);
  EXPECT_TRUE(program.shows("q quit"));
  program.type("q");
  EXPECT_TRUE(program.wait().ok());
}

TEST_F(TopTerminal, terminal_type_that_is_unknown_is_refused_with_advice) {
  auto unknown = environment();
  unknown.front().second = "no-such-terminal";
  OnTerminal program(top(), unknown);
  EXPECT_TRUE(program.shows("--batch"));
  EXPECT_EQ(program.wait().code, 1);
}

TEST_F(TopTerminal, no_terminal_is_refused_with_advice) {
  expect_failure({"top"}, 1, "--batch");
  expect_failure({"top", "-n", "1"}, 2, "--batch");
  expect_failure({"top", "--batch", "--sort", "size"}, 2, "trouble");
}

TEST_F(TopTerminal, no_daemon_is_told_before_the_screen_is_taken) {
  const TempDir dir;
  OnTerminal program(top(), environment_of((dir.path() / "none.sock").string()));
  EXPECT_EQ(program.wait().code, 4);
  EXPECT_EQ(program.seen().find("\x1b["), std::string::npos) << program.seen();
}

TEST_F(TopTerminal, batch_prints_each_sample_as_text) {
  ASSERT_TRUE(tool({"pub", "orders", "--count", "3", "x"}).exit.ok());
  const Outcome result = tool({"top", "--batch", "-n", "2", "-d", "100ms"});
  ASSERT_TRUE(result.exit.ok()) << result.err;
  EXPECT_EQ(result.err, "");
  const std::size_t first = result.out.find("NAME");
  ASSERT_NE(first, std::string::npos) << result.out;
  EXPECT_NE(result.out.find("NAME", first + 1), std::string::npos) << "twice: " << result.out;
  EXPECT_NE(result.out.find("orders"), std::string::npos) << result.out;
  EXPECT_EQ(result.out.find('\x1b'), std::string::npos) << result.out;
}

TEST_F(TopTerminal, json_prints_one_object_for_each_sample) {
  ASSERT_TRUE(tool({"declare", "mail"}).exit.ok());
  const Outcome result = tool({"top", "--format", "json", "-n", "2", "-d", "100ms", "--filter", "ord"});
  ASSERT_TRUE(result.exit.ok()) << result.err;
  std::istringstream lines(result.out);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const auto json = nlohmann::json::parse(line);
    ASSERT_EQ(json["queues"].size(), 1U) << line;
    EXPECT_NE(json["queues"][0].dump().find("\"orders\""), std::string::npos) << line;
    EXPECT_TRUE(json["daemon_answers"].get<bool>()) << line;
    EXPECT_TRUE(json.contains("at_s")) << line;
  }
  EXPECT_EQ(count, 2);
}

TEST(TopDaemon, death_of_the_daemon_is_told_and_the_last_state_stays) {
  SupervisedDaemon daemon;
  const Connection connection = daemon.connect();
  (void)connection.declare("orders");
  OnTerminal program({test::program("beltway").string(), "top", "-d", "100ms"},
                     environment_of(daemon.socket().string()));
  ASSERT_TRUE(program.shows("orders"));
  const int before = daemon.pid();
  {
    const SupervisedDaemon::Gap gap(daemon);
    EXPECT_TRUE(program.shows("the daemon does not answer")) << program.seen();
    program.forget_seen();
    program.type("?");
    EXPECT_TRUE(program.shows("help")) << "keys are answered meanwhile";
    program.type("?");
  }
  daemon.wait_for_another(before);
  EXPECT_TRUE(program.shows("beltwayd ")) << "it answers again";
  program.type("q");
  EXPECT_TRUE(program.wait().ok());
}

}  // namespace
}  // namespace beltway::test
