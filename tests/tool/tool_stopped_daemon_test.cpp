// Commands that inspect, and a daemon whose process is stopped: they name it at once, also in the middle of a watch. A daemon
// that is only slow is waited for.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <thread>

#include "beltway/beltway.hpp"
#include "support/other_user.hpp"
#include "support/raw_client.hpp"
#include "support/tool_test.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;

class ToolStoppedDaemon : public ToolTest {
 protected:
  void SetUp() override { static_cast<void>(connect(daemon_).declare("orders", {.groups = {"g"}})); }
  void TearDown() override { daemon_.process().kill(SIGCONT); }
  /// The text names the stopped process, and is not that of a request whose time was over.
  void expect_named(const std::string& text) {
    EXPECT_NE(text.find(remedy()), std::string::npos) << text;
    EXPECT_EQ(text.find("did not answer"), std::string::npos) << text;
  }
  [[nodiscard]] std::string remedy() { return "kill -CONT " + std::to_string(daemon_.process().pid()); }
  [[nodiscard]] Child start(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), program("beltway"));
    Child::Options options = daemon_.client_options();
    options.standard_output = out();
    options.standard_error = daemon_.dir().path() / "said";
    return Child::spawn(arguments, options);
  }
  [[nodiscard]] std::filesystem::path out() const { return daemon_.dir().path() / "shown"; }
  [[nodiscard]] std::string shown() const { return text_of(out()); }
  [[nodiscard]] std::string said() const { return text_of(daemon_.dir().path() / "said"); }

 private:
  /// Empty before the command has made it.
  static std::string text_of(const std::filesystem::path& file) {
    return std::filesystem::exists(file) ? read_file(file) : std::string();
  }
};

TEST_F(ToolStoppedDaemon, commands_that_inspect_name_the_process_and_the_command_that_continues_it) {
  daemon_.process().kill(SIGSTOP);
  const std::vector<std::vector<std::string>> commands{{"show", "orders"}, {"list"},    {"peek", "orders"},
                                                       {"export"},         {"ping"},    {"events"},
                                                       {"doctor"},         {"metrics"}, {"top", "--batch", "-n", "1"}};
  for (const std::vector<std::string>& command : commands) {
    Child child = start(command);
    const Exit exit = child.wait();
    EXPECT_EQ(exit, (Exit{.code = 4})) << command[0] << ": " << said();
    expect_named(said());
  }
}

TEST_F(ToolStoppedDaemon, check_is_critical_and_says_so) {
  daemon_.process().kill(SIGSTOP);
  Child check = start({"check", "orders"});
  EXPECT_EQ(check.wait(), (Exit{.code = 2}));
  expect_named(shown());
}

TEST_F(ToolStoppedDaemon, daemon_that_is_stopped_in_the_middle_of_a_watch_ends_it_and_is_named) {
  Child watching = start({"show", "orders", "--watch", "10ms"});
  ASSERT_TRUE(eventually([&] { return !shown().empty(); }));
  daemon_.process().kill(SIGSTOP);
  EXPECT_EQ(watching.wait(), (Exit{.code = 4})) << said();
  EXPECT_NE(said().find("does not answer; its process"), std::string::npos) << said();
  expect_named(said());
}

TEST_F(ToolStoppedDaemon, follower_of_events_waits_for_a_stopped_daemon_and_goes_on) {
  Child following = start({"events", "-f"});
  ASSERT_TRUE(eventually([&] { return shown().find("declared") != std::string::npos; }));
  daemon_.process().kill(SIGSTOP);
  ASSERT_TRUE(
      eventually([&] { return said().find("the daemon does not answer; waiting for it") != std::string::npos; }));
  daemon_.process().kill(SIGCONT);
  ASSERT_TRUE(eventually([&] { return said().find("the daemon answers again") != std::string::npos; })) << said();
  following.kill(SIGINT);
  EXPECT_EQ(following.wait().code, 130);
}

TEST_F(ToolStoppedDaemon, daemon_that_goes_on_in_time_is_waited_for) {
  daemon_.process().kill(SIGSTOP);
  Child asking = start({"list"});
  ASSERT_TRUE(eventually([&] {
    // It waits for the daemon.
    return read_file("/proc/" + std::to_string(asking.pid()) + "/stat").find("(beltway) S ") != std::string::npos;
  }));
  daemon_.process().kill(SIGCONT);
  EXPECT_TRUE(asking.wait().ok()) << said();
}

TEST_F(ToolStoppedDaemon, another_user_is_told_as_well) {
  SKIP_UNLESS_ROOT();
  daemon_.process().kill(SIGSTOP);
  const Outcome result = tool_as_other_user(daemon_, {"list"});
  EXPECT_EQ(result.exit.code, 4) << result.err;
  expect_named(result.err);
}

/// A listener that takes connections and never answers: a daemon that is busy, as far as a client can see.
TEST(SilentDaemon, daemon_that_does_not_answer_and_is_not_stopped_gets_the_whole_timeout) {
  const TempDir dir;
  const sockaddr_un address = socket_address(dir.socket());
  const Fd listener(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(listener.get(), 8), 0);
  const auto before = std::chrono::steady_clock::now();
  const Error error = error_of([&] {
    static_cast<void>(
        Connection::open({.socket = dir.socket(), .start_daemon = false, .timeout = 1500ms, .stopped_timeout = 100ms}));
  });
  EXPECT_EQ(error.reason(), Errc::no_daemon);
  EXPECT_GE(std::chrono::steady_clock::now() - before, 1500ms) << "not given up before: " << error.what();
  EXPECT_EQ(std::string(error.what()).find("kill -CONT"), std::string::npos) << error.what();
}

TEST(StoppedDaemonOfLibrary, stopped_daemon_gets_the_whole_timeout_unless_the_option_says_less) {
  TestDaemon daemon;
  const Connection patient = Connection::open({.socket = daemon.socket(), .start_daemon = false, .timeout = 20s});
  const Connection hasty =
      Connection::open({.socket = daemon.socket(), .start_daemon = false, .timeout = 60s, .stopped_timeout = 10ms});
  daemon.process().kill(SIGSTOP);
  const Error error = error_of([&] { static_cast<void>(hasty.list()); });
  EXPECT_EQ(error.reason(), Errc::no_daemon);
  EXPECT_NE(std::string(error.what()).find("is stopped"), std::string::npos) << error.what();
  std::jthread later([&daemon] {
    std::this_thread::sleep_for(500ms);  // the request must find it stopped
    daemon.process().kill(SIGCONT);
  });
  EXPECT_TRUE(patient.list().empty()) << "it has waited";
  EXPECT_TRUE(hasty.list().empty()) << "the connection is made anew";
}

}  // namespace
}  // namespace beltway::test
