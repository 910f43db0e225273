// What helps a person at the command line: help, manual pages, short options, suggestions, a stopped daemon.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <csignal>
#include <filesystem>
#include <set>
#include <sstream>

#include "beltway/beltway.hpp"
#include "support/daemon.hpp"
#include "support/tool_test.hpp"
#include "tool/commands/help_text.hpp"
#include "tool/commands/suggestions.hpp"

namespace beltway::test {
namespace {

namespace fs = std::filesystem;

/// The words of all commands, taken from the names of their manual pages in `directory`.
std::set<std::vector<std::string>> commands_in(const fs::path& directory) {
  std::set<std::vector<std::string>> commands;
  for (const auto& entry : fs::directory_iterator(directory)) {
    std::vector<std::string> words;
    std::istringstream name(entry.path().stem().string());
    for (std::string word; std::getline(name, word, '-');) words.push_back(word);
    commands.insert({words.begin() + 1, words.end()});
  }
  return commands;
}

TEST(ToolHelp, the_help_of_each_command_has_lines_of_at_most_100_columns) {
  const TempDir dir;
  ASSERT_TRUE(run({program("beltway"), "man", "--directory", dir.path()}).exit.ok());
  const auto commands = commands_in(dir.path());
  EXPECT_TRUE(commands.contains({"group", "reset"}));
  for (const std::vector<std::string>& words : commands) {
    std::vector<std::string> asks{program("beltway"), "help"};
    asks.insert(asks.end(), words.begin(), words.end());
    const Outcome help = run(asks);
    ASSERT_TRUE(help.exit.ok()) << help.err;
    for (const std::string& line : lines_of(help.out)) EXPECT_LE(line.size(), tool::k_help_columns) << line;
    std::vector<std::string> flag{program("beltway")};
    flag.insert(flag.end(), words.begin(), words.end());
    flag.emplace_back("--help");
    EXPECT_EQ(run(flag).out, help.out);
  }
}

TEST(ToolHelp, manual_pages_have_no_mistake_of_troff) {
  if (!run({"groff", "--version"}).exit.ok()) GTEST_SKIP() << "groff is not installed (Debian: groff-base)";
  const TempDir dir;
  ASSERT_TRUE(run({program("beltway"), "man", "--directory", dir.path()}).exit.ok());
  for (const auto& entry : fs::directory_iterator(dir.path())) {
    const Outcome checked = run({"groff", "-man", "-ww", "-z", "-Tutf8", entry.path()});
    EXPECT_TRUE(checked.exit.ok()) << entry.path();
    EXPECT_EQ(checked.err, "") << entry.path();
  }
}

TEST(ToolHelp, a_manual_page_shows_dashes_dots_and_backslashes_as_they_are) {
  EXPECT_NE(run({program("beltway"), "man", "pub"}).out.find("\\-\\-count"), std::string::npos);
}

TEST(ToolHelp, a_mistyped_command_brings_the_one_that_was_meant) {
  for (const auto& [typed, meant] : std::vector<std::pair<std::string, std::string>>{
           {"lst", "list"}, {"shwo", "show"}, {"publish", "pub"}, {"dec", "declare"}, {"delete", "remove"}}) {
    const Outcome result = run({program("beltway"), typed});
    EXPECT_EQ(result.exit.code, 2);
    EXPECT_TRUE(result.err.starts_with("beltway: \"" + typed + "\" is no command; did you mean \"" + meant + "\"?\n"))
        << result.err;
  }
  EXPECT_NE(run({program("beltway"), "group", "pase"}).err.find("did you mean \"pause\"?"), std::string::npos);
  EXPECT_NE(run({program("beltway"), "help", "shwo"}).err.find("did you mean \"show\"?"), std::string::npos);
}

TEST(ToolHelp, a_mistyped_option_is_named_with_the_one_that_was_meant) {
  const Outcome missing = run({program("beltway"), "sub", "--grup", "g"});
  EXPECT_EQ(missing.exit.code, 2);
  EXPECT_TRUE(
      missing.err.starts_with("beltway: \"--grup\" is no option of \"beltway sub\"; did you mean \"--group\"?\n"))
      << missing.err;
  EXPECT_NE(run({program("beltway"), "list", "--soket", "x"}).err.find("did you mean \"--socket\"?"),
            std::string::npos);
  EXPECT_EQ(run({program("beltway"), "list", "--frobnicate"}).err.find("did you mean"), std::string::npos);
}

TEST(ToolHelp, a_word_is_like_another_if_few_letters_differ) {
  const std::vector<std::string> names{"orders", "orders-failed", "invoices"};
  EXPECT_EQ(tool::nearest("ordres", names), "orders");
  EXPECT_EQ(tool::nearest("invoces", names), "invoices");
  EXPECT_EQ(tool::nearest("inv", names), "invoices");
  EXPECT_EQ(tool::nearest("payments", names), std::nullopt);
  EXPECT_EQ(tool::nearest("", names), std::nullopt);
  EXPECT_EQ(tool::nearest(std::string(100'000, 'x'), names), std::nullopt);
  EXPECT_EQ(tool::edit_distance("", "abc"), 3U);
  EXPECT_EQ(tool::edit_distance("ab", "ba"), 1U);
}

class ToolPerson : public ToolTest {};

TEST_F(ToolPerson, a_mistyped_queue_or_group_brings_the_one_that_was_meant) {
  ASSERT_TRUE(tool({"declare", "orders", "--group", "billing"}).exit.ok());
  expect_failure({"show", "ordres"}, 5, "did you mean \"orders\"?");
  expect_failure({"pub", "order", "x"}, 5, "did you mean \"orders\"?");
  expect_failure({"remove", "odrers"}, 5, "did you mean \"orders\"?");
  expect_failure({"purge", "orders", "--group", "biling"}, 5, "did you mean \"billing\"?");
  expect_failure({"group", "pause", "orders", "biling"}, 5, "did you mean \"billing\"?");
  EXPECT_EQ(tool({"show", "payments"}).err.find("did you mean"), std::string::npos);
}

TEST_F(ToolPerson, short_options_mean_the_same_as_long_ones) {
  ASSERT_TRUE(tool({"declare", "q", "-g", "g"}).exit.ok());
  ASSERT_TRUE(tool({"pub", "q", "x", "-n", "3", "-k", "order-7", "-H", "tenant=acme"}).exit.ok());
  const Outcome got = tool({"sub", "q", "-g", "g", "-n", "1", "-t", "20", "-p"});
  EXPECT_EQ(got.out, "[key=order-7 header:tenant=acme] x\n") << got.err;
  EXPECT_EQ(tool({"sub", "q", "-g", "g", "-n", "2", "-r"}).out, "xx");
  EXPECT_TRUE(tool({"list", "-o", "json"}).out.starts_with("{"));
  EXPECT_TRUE(run({program("beltway"), "-s", daemon_.socket(), "ping"}).exit.ok());
  EXPECT_EQ(run({program("beltway"), "-V"}).out, run({program("beltway"), "--version"}).out);
}

TEST_F(ToolPerson, a_stopped_daemon_is_named_with_the_command_that_continues_it) {
  daemon_.process().kill(SIGSTOP);
  const std::string pid = std::to_string(daemon_.process().pid());
  for (const char* command : {"ping", "list"}) {
    const Outcome result = tool({command});
    EXPECT_EQ(result.exit.code, 4);
    EXPECT_NE(result.err.find("does not run; continue it with: kill -CONT " + pid), std::string::npos) << result.err;
  }
  daemon_.process().kill(SIGCONT);
  EXPECT_TRUE(tool({"ping"}).exit.ok());
}

}  // namespace
}  // namespace beltway::test
