// Completion: what may stand at a place of the command line, and the script that bash runs.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sstream>

#include "beltway/beltway.hpp"
#include "support/daemon.hpp"
#include "support/tool_test.hpp"

namespace beltway::test {
namespace {

class ToolCompletion : public ToolTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(tool({"declare", "orders", "--group", "billing", "--group", "audit"}).exit.ok());
    ASSERT_TRUE(tool({"declare", "orders-failed", "--group", "all"}).exit.ok());
    const Outcome script = run({program("beltway"), "completion", "bash"});
    ASSERT_TRUE(script.exit.ok()) << script.err;
    std::ofstream(script_path()) << script.out;
  }
  [[nodiscard]] std::string script_path() const { return daemon_.dir().path() / "completion"; }

  /// What bash offers for the last of these words.
  [[nodiscard]] std::vector<std::string> offers(const std::vector<std::string>& words) const {
    std::string line;
    for (const std::string& word : words) line += " '" + word + "'";
    const std::string ask = "source '" + script_path() + "'; COMP_WORDS=('" + program("beltway").string() + "'" + line +
                            "); COMP_CWORD=" + std::to_string(words.size()) +
                            "; _beltway beltway; printf '%s\\n' \"${COMPREPLY[@]}\"";
    const Outcome result = run({"bash", "-c", ask}, daemon_.client_options());
    EXPECT_TRUE(result.exit.ok()) << result.err;
    EXPECT_EQ(result.err, "");
    std::vector<std::string> found;
    std::istringstream lines(result.out);
    for (std::string each; std::getline(lines, each);) {
      if (!each.empty()) found.push_back(each);
    }
    return found;
  }
};

using Words = std::vector<std::string>;

bool has(const Words& words, const std::string& word) { return std::ranges::find(words, word) != words.end(); }

TEST_F(ToolCompletion, commands_are_completed) {
  EXPECT_EQ(offers({"pu"}), (Words{"pub", "purge"}));
  EXPECT_EQ(offers({"group", "re"}), (Words{"remove", "reset", "resume"}));
  EXPECT_EQ(offers({"help", "group", "pa"}), Words{"pause"});
  EXPECT_TRUE(has(offers({""}), "list"));
}

TEST_F(ToolCompletion, options_and_their_words_are_completed) {
  EXPECT_EQ(offers({"sub", "orders", "--end"}), Words{"--end-of-stream"});
  EXPECT_TRUE(has(offers({"sub", "--"}), "--socket")) << "global options stand behind the command, too";
  EXPECT_EQ(offers({"list", "--format", "j"}), Words{"json"});
  EXPECT_EQ(offers({"list", "--format", "=", "j"}), Words{"json"}) << "bash makes a word of an equals sign";
  EXPECT_EQ(offers({"declare", "x", "--stamps", ""}), (Words{"coarse", "fine", "off"}));
}

TEST_F(ToolCompletion, names_of_queues_and_groups_are_those_of_the_daemon) {
  EXPECT_EQ(offers({"show", "or"}), (Words{"orders", "orders-failed"}));
  EXPECT_EQ(offers({"requeue", "orders-"}), Words{"orders-failed"});
  EXPECT_EQ(offers({"requeue", "orders-failed", "--to", "orders"}), (Words{"orders", "orders-failed"}));
  EXPECT_EQ(offers({"sub", "orders", "-g", ""}), (Words{"audit", "billing"}));
  EXPECT_EQ(offers({"group", "pause", "orders", "b"}), Words{"billing"});
  EXPECT_EQ(offers({"show", "orders", ""}), Words{}) << "no argument is left";
}

TEST_F(ToolCompletion, a_socket_on_the_line_is_the_one_that_is_asked) {
  const TestDaemon other;
  ASSERT_TRUE(other.tool({"declare", "elsewhere"}).exit.ok());
  EXPECT_EQ(offers({"--socket", other.socket(), "show", ""}), Words{"elsewhere"});
}

TEST_F(ToolCompletion, no_daemon_is_started_and_none_is_waited_for) {
  const TempDir dir;
  EXPECT_EQ(offers({"--socket", dir.socket(), "show", ""}), Words{});
  EXPECT_FALSE(std::filesystem::exists(dir.socket()));
  daemon_.process().kill(SIGSTOP);
  EXPECT_EQ(offers({"show", ""}), Words{});
  daemon_.process().kill(SIGCONT);
}

}  // namespace
}  // namespace beltway::test
