// What fits a terminal: tables in parts, broken lines, progress.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "beltway/beltway.hpp"
#include "support/daemon.hpp"
#include "support/terminal.hpp"
#include "support/tool_test.hpp"
#include "tool/commands/importing.hpp"
#include "tool/text/causes_text.hpp"
#include "tool/text/progress.hpp"
#include "tool/text/table.hpp"
#include "tool/text/terminal_columns.hpp"
#include "tool/text/units.hpp"
#include "tool/text/wrapped.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;

std::size_t longest_line(const std::string& text) {
  std::size_t longest = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    line.erase(line.find_last_not_of("\r\n") + 1);
    longest = std::max(longest, tool::columns_of(line));
  }
  return longest;
}

TEST(ToolTerminal, text_is_broken_at_blanks) {
  EXPECT_EQ(tool::wrapped("one two three", 7), "one two\nthree");
  EXPECT_EQ(tool::wrapped("one two three", 7, 2), "one two\n  three");
  EXPECT_EQ(tool::wrapped("unbreakable one", 4), "unbreakable\none");
  EXPECT_EQ(tool::wrapped("one two", 0), "one two");
  EXPECT_EQ(tool::wrapped("one\ntwo", 80), "one\ntwo");
}

TEST(ToolTerminal, a_wide_table_is_told_in_parts_that_begin_with_the_first_column) {
  tool::Table table{"NAME", ">A", ">B", ">C"};
  table.add({"orders", "1", "22", "333"});
  EXPECT_EQ(table.text(), "NAME    A   B    C\norders  1  22  333\n");
  EXPECT_EQ(table.text(0, 14), "NAME    A   B\norders  1  22\n\nNAME      C\norders  333\n");
  EXPECT_EQ(table.text(0, 1), "NAME    A\norders  1\n\nNAME     B\norders  22\n\nNAME      C\norders  333\n");
}

TEST(ToolTerminal, the_environment_says_how_wide_a_terminal_is) {
  EXPECT_EQ(tool::columns_from("132", 80), 132U);
  EXPECT_EQ(tool::columns_from("wide", 100), 100U);
  EXPECT_EQ(tool::columns_from(std::nullopt, 100), 100U);
  EXPECT_EQ(tool::columns_from(std::nullopt, 0), 80U);
  EXPECT_EQ(tool::columns_from("0", 0), 80U);
  EXPECT_EQ(tool::columns_from("1", 80), 20U) << "narrower is of no use";
}

TEST(ToolTerminal, progress_says_time_messages_and_rate) {
  EXPECT_EQ(tool::progress_text({.what = "pub q", .elapsed = 2s}), "pub q: 2 s");
  const std::string text =
      tool::progress_text({.what = "pub q", .messages = 2000, .bytes = 4096, .total = 5000, .elapsed = 2s});
  EXPECT_TRUE(text.starts_with("pub q: 2 s, 2000 of 5000 messages, 4 KiB, ")) << text;
}

TEST(ToolTerminal, a_cause_says_once_how_long_a_process_has_waited) {
  watch::Verdict cause{.kind = "claim_not_finished", .queue = "q", .subject = "q"};
  cause.waited = std::chrono::seconds(9);
  cause.cause = "producer 1 has claimed position 7";
  EXPECT_EQ(tool::causes_text({cause}),
            "\n  ! producer 1 has claimed position 7; a process has waited for 9 s because of it\n");
  cause.since = std::chrono::seconds(12);
  EXPECT_EQ(tool::causes_text({cause}),
            "\n  ! producer 1 has claimed position 7; for 12 s; a process has waited for 9 s because of it\n");
  cause.since = cause.waited;
  cause.subject = "q is full";
  cause.evidence = "producer 1 has waited for 9 s";
  EXPECT_EQ(tool::causes_text({cause}),
            "\n  ! q is full: producer 1 has claimed position 7; producer 1 has waited for 9 s\n");
}

class ToolOnTerminal : public ToolTest {
 protected:
  /// What the command shows on a terminal of that width.
  [[nodiscard]] std::string shown(std::vector<std::string> arguments, unsigned short columns) const {
    Terminal terminal(columns);
    Child::Options options = daemon_.client_options();
    options.standard_output = terminal.path();
    options.standard_error = "/dev/null";
    options.environment.emplace_back("COLUMNS", "");
    arguments.insert(arguments.begin(), program("beltway"));
    Child child = Child::spawn(arguments, options);
    std::optional<Exit> exit;
    EXPECT_TRUE(eventually([&] {
      terminal.seen();
      exit = child.poll();
      return exit.has_value();
    }));
    EXPECT_TRUE(exit && exit->ok());
    return terminal.seen();
  }
  /// The command with the terminal as its standard error, and a file as its output.
  [[nodiscard]] Child start_on(const Terminal& terminal, std::vector<std::string> arguments) const {
    Child::Options options = daemon_.client_options();
    options.standard_output = out();
    options.standard_error = terminal.path();
    options.environment.emplace_back("COLUMNS", "");
    arguments.insert(arguments.begin(), program("beltway"));
    return Child::spawn(arguments, options);
  }
  [[nodiscard]] std::filesystem::path out() const { return daemon_.dir().path() / "out"; }
};

TEST_F(ToolOnTerminal, show_fits_80_columns) {
  ASSERT_TRUE(
      tool({"declare", "orders", "--group", "billing", "--max-deliveries", "3", "--discard", "true"}).exit.ok());
  const Connection link = Connection::open({.socket = daemon_.socket()});
  const Queue queue = link.open_queue("orders");
  Producer producer = queue.producer();
  const Consumer consumer = queue.consumer({.group = "billing"});
  producer.publish("x");
  const std::string text = shown({"show", "orders"}, 80);
  EXPECT_TRUE(text.starts_with("orders ")) << text;
  EXPECT_LE(longest_line(text), 80U) << text;
  EXPECT_GT(longest_line(tool({"show", "orders"}).out), 80U) << "a file gets whole lines";
}

TEST_F(ToolOnTerminal, progress_is_shown_on_a_terminal_and_taken_away) {
  ASSERT_TRUE(tool({"declare", "q", "--group", "g"}).exit.ok());
  Terminal terminal;
  Child::Options options = daemon_.client_options();
  options.standard_error = terminal.path();
  Child child = Child::spawn({program("beltway"), "pub", "q", "x", "--count", "1k", "--rate", "100"}, options);
  EXPECT_TRUE(terminal.shows("\r\x1b[Kpub q: 1"));
  child.kill(SIGINT);
  EXPECT_EQ(child.wait().code, 130);
  EXPECT_TRUE(terminal.seen().ends_with("\r\x1b[K"));
}

TEST_F(ToolOnTerminal, commands_that_look_for_long_say_so_and_take_it_away) {
  ASSERT_TRUE(tool({"declare", "q", "--group", "g"}).exit.ok());
  for (const char* const command : {"doctor", "metrics"}) {
    Terminal terminal;
    Child child = start_on(terminal, {command, "--for", "1m"});
    EXPECT_TRUE(terminal.shows("\r\x1b[K" + std::string(command) + " looks at 1 queue for " +
                               tool::format_duration(1min) + ": "));
    child.kill(SIGINT);
    EXPECT_EQ(child.wait().code, 130);
    EXPECT_TRUE(terminal.seen().ends_with("\r\x1b[K")) << terminal.seen();
  }
}

TEST_F(ToolOnTerminal, progress_changes_nothing_of_standard_output) {
  ASSERT_TRUE(tool({"declare", "q", "--group", "g"}).exit.ok());
  Terminal terminal;
  Child check = start_on(terminal, {"check", "q"});
  EXPECT_TRUE(check.wait().ok());
  EXPECT_EQ(read_file(out()), "BELTWAY OK - q: nothing is wrong\n");
  EXPECT_TRUE(terminal.shows("\r\x1b[Kcheck looks at 1 queue for 2 s: "));
  EXPECT_TRUE(terminal.seen().ends_with("\r\x1b[K")) << terminal.seen();
  Terminal second;
  Child doctor = start_on(second, {"doctor", "--format", "json"});
  EXPECT_TRUE(doctor.wait().ok());
  EXPECT_EQ(nlohmann::json::parse(read_file(out()))["queues"], 1);
  EXPECT_TRUE(second.shows("doctor looks at 1 queue for 2 s: "));
  EXPECT_EQ(tool({"doctor", "--format", "json"}).err, "") << "no terminal";
}

TEST_F(ToolOnTerminal, move_says_that_it_waits_for_room) {
  ASSERT_TRUE(tool({"declare", "q", "--group", "g"}).exit.ok());
  ASSERT_TRUE(tool({"declare", "full", "--slots", "16", "--group", "g"}).exit.ok());
  ASSERT_TRUE(tool({"pub", "q", "x"}).exit.ok());
  ASSERT_TRUE(tool({"pub", "full", "x", "--count", "16"}).exit.ok());
  Terminal terminal;
  Child move = start_on(terminal, {"move", "q", "0", "--to", "full"});
  EXPECT_TRUE(terminal.shows("\r\x1b[Kmove waits for room in full: "));
  ASSERT_TRUE(tool({"sub", "full", "--group", "g", "--count", "1"}).exit.ok());
  EXPECT_TRUE(move.wait().ok());
  EXPECT_TRUE(terminal.seen().ends_with("\r\x1b[K")) << terminal.seen();
}

/// Standard error of this process is the terminal while the object lives.
class StandardErrorOn {
 public:
  explicit StandardErrorOn(const Terminal& terminal) : before_(::dup(STDERR_FILENO)) {
    const int file = ::open(terminal.path().c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC);
    ::dup2(file, STDERR_FILENO);
    ::close(file);
  }
  StandardErrorOn(const StandardErrorOn&) = delete;
  StandardErrorOn& operator=(const StandardErrorOn&) = delete;
  ~StandardErrorOn() {
    ::dup2(before_, STDERR_FILENO);
    ::close(before_);
  }

 private:
  int before_;
};

TEST_F(ToolOnTerminal, import_says_at_which_queue_it_is) {
  const Connection link = Connection::open({.socket = daemon_.socket(), .start_daemon = false, .timeout = 1min});
  std::vector<tool::ImportStep> steps(2);
  steps[0] = {.definition = {.name = "a", .options = {}, .said = {}}, .kind = tool::ImportStep::Kind::make};
  steps[1] = {.definition = {.name = "b", .options = {}, .said = {}}, .kind = tool::ImportStep::Kind::make};
  Terminal terminal;
  daemon_.process().kill(SIGSTOP);
  {
    const StandardErrorOn redirected(terminal);
    std::jthread import([&] {
      tool::Progress progress(tool::Progress::When::on_terminal, "import");
      tool::run_import(link, steps, progress);
    });
    EXPECT_TRUE(terminal.shows("\r\x1b[Kimport is at queue 1 of 2: "));
    daemon_.process().kill(SIGCONT);
  }
  EXPECT_TRUE(terminal.seen().ends_with("\r\x1b[K")) << terminal.seen();
  EXPECT_EQ(link.list().size(), 2U);
}

TEST_F(ToolOnTerminal, progress_that_is_wider_than_the_terminal_is_cut) {
  Terminal terminal(40);
  ASSERT_TRUE(tool({"declare", std::string(100, 'q'), "--group", "g"}).exit.ok());
  Child pub = start_on(terminal, {"pub", std::string(100, 'q'), "x", "--count", "1k", "--rate", "100"});
  EXPECT_TRUE(terminal.shows("\r\x1b[Kpub " + std::string(32, 'q') + "...\r\x1b[K"));
  pub.kill(SIGINT);
  EXPECT_EQ(pub.wait().code, 130);
}

TEST_F(ToolOnTerminal, progress_needs_an_option_where_there_is_no_terminal) {
  ASSERT_TRUE(tool({"declare", "q", "--group", "g"}).exit.ok());
  EXPECT_EQ(tool({"pub", "q", "x", "--count", "3", "--rate", "2"}).err, "");
  const std::string text = tool({"pub", "q", "x", "--count", "3", "--rate", "1", "--progress"}).err;
  EXPECT_NE(text.find("of 3 messages"), std::string::npos) << text;
}

}  // namespace
}  // namespace beltway::test
