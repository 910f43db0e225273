// `beltway events`: what the daemon has seen, once and as it happens, also over the daemon's death.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "beltway/beltway.hpp"
#include "support/raw_client.hpp"
#include "support/supervised_daemon.hpp"
#include "support/tool_test.hpp"
#include "tool/commands/run.hpp"
#include "tool/text/event_text.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

class ToolEvents : public ToolTest {
 protected:
  std::vector<json> events(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "events");
    arguments.insert(arguments.end(), {"--format", "json"});
    const Outcome result = tool(arguments);
    EXPECT_TRUE(result.exit.ok()) << result.err;
    std::istringstream lines(result.out);
    std::vector<json> all;
    for (std::string line; std::getline(lines, line);) all.push_back(json::parse(line));
    return all;
  }
};

/// `beltway events -f` in a process of its own, with its lines in files.
class Follower {
 public:
  Follower(const std::filesystem::path& socket, const std::vector<std::string>& arguments = {}) {
    std::vector<std::string> command{program("beltway"), "--socket", socket, "events", "-f"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    child_.emplace(
        Child::spawn(command, {.standard_output = dir_.path() / "out", .standard_error = dir_.path() / "err"}));
  }
  [[nodiscard]] bool has(const std::string& text) const {
    return eventually([&] { return read_file(dir_.path() / "out").find(text) != std::string::npos; });
  }
  [[nodiscard]] bool notes(const std::string& text) const {
    return eventually([&] { return read_file(dir_.path() / "err").find(text) != std::string::npos; });
  }
  [[nodiscard]] std::string out() const { return read_file(dir_.path() / "out"); }
  Child& process() { return *child_; }

 private:
  TempDir dir_;
  std::optional<Child> child_;
};

TEST(ToolEventText, a_line_says_when_where_what_who_and_why) {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  Event event{
      .sequence = 17, .time_ns = 1'790'000'000'123'456'789, .kind = "evicted", .queue = "orders", .group = "billing"};
  event.role = "consumer";
  event.index = 2;
  event.pid = 4711;
  event.uid = 1001;
  event.command = "worker";
  event.text = "it stood still";
  EXPECT_EQ(tool::event_text(event),
            "2026-09-21T14:13:20.123 #17 orders: evicted: consumer 2, group billing, process 4711 (worker), user 1001: "
            "it stood still");
  EXPECT_EQ(tool::event_text({.sequence = 1, .kind = "group_added", .queue = "q", .group = "g"}),
            "1970-01-01T00:00:00.000 #1 q: group added: group g");
}

TEST_F(ToolEvents, an_event_has_the_documented_keys) {
  ASSERT_TRUE(tool({"declare", "orders", "--group", "g"}).exit.ok());
  const std::vector<json> all = events({});
  ASSERT_EQ(all.size(), 2U);
  std::vector<std::string> keys;
  for (const auto& item : all[1].items()) keys.push_back(item.key());
  EXPECT_EQ(keys,
            (std::vector<std::string>{"command", "group", "index", "kind", "messages", "monotonic_ns", "pid", "queue",
                                      "queue_id", "released", "role", "sequence", "text", "time_ns", "uid", "voided"}));
  EXPECT_EQ(all[1]["kind"], "declared");
  EXPECT_EQ(all[1]["queue"], "orders");
  EXPECT_EQ(all[1]["role"], nullptr);
  EXPECT_EQ(all[1]["uid"], ::geteuid());
}

TEST_F(ToolEvents, events_are_chosen_by_number_time_queue_and_count) {
  for (const char* const name : {"a", "b", "c"}) ASSERT_TRUE(tool({"declare", name}).exit.ok());
  EXPECT_EQ(events({"--since", "3"}).size(), 2U);
  EXPECT_EQ(events({"--queue", "b"}).at(0)["queue"], "b");
  EXPECT_EQ(events({"--queue", "b"}).size(), 1U);
  EXPECT_EQ(events({"--count", "2"}).size(), 2U);
  EXPECT_EQ(events({"--since", "10m"}).size(), 4U);
  EXPECT_TRUE(events({"--since", "2100-01-01T00:00:00Z"}).empty());
  EXPECT_EQ(tool({"events", "--since", "yesterday"}).exit.code, 2);
}

TEST_F(ToolEvents, events_end_with_4_if_no_daemon_answers_and_start_none) {
  const TempDir empty;
  const Outcome result = run({program("beltway"), "--socket", empty.path() / "none.sock", "events"});
  EXPECT_EQ(result.exit.code, 4);
  EXPECT_FALSE(std::filesystem::exists(empty.path() / "none.sock"));
}

TEST_F(ToolEvents, a_follower_shows_events_as_they_happen_and_ends_with_130_after_ctrl_c) {
  Follower follower(daemon_.socket());
  ASSERT_TRUE(follower.has("started"));
  ASSERT_TRUE(tool({"declare", "orders"}).exit.ok());
  EXPECT_TRUE(follower.has("orders: declared"));
  follower.process().kill(SIGINT);
  EXPECT_EQ(follower.process().wait().code, 130);
}

TEST_F(ToolEvents, a_follower_whose_reader_is_gone_ends_with_141_and_says_nothing) {
  const TempDir dir;
  const std::string command = "( " + program("beltway").string() + " --socket " + daemon_.socket().string() +
                              " events -f 2>" + (dir.path() / "err").string() + "; echo $? >" +
                              (dir.path() / "code").string() + " ) | head -n 1 >/dev/null";
  ASSERT_TRUE(run({"sh", "-c", command}).exit.ok());
  EXPECT_TRUE(eventually([&] { return read_file(dir.path() / "code") == "141\n"; })) << read_file(dir.path() / "code");
  EXPECT_EQ(read_file(dir.path() / "err"), "");
}

TEST(ToolEventsSupervised, a_follower_goes_on_over_the_death_of_the_daemon_without_a_gap) {
  SupervisedDaemon daemon;
  Follower follower(daemon.socket(), {"--format", "json"});
  ASSERT_TRUE(follower.has("\"started\""));
  const int before = daemon.pid();
  {
    const SupervisedDaemon::Gap gap(daemon);
    EXPECT_TRUE(follower.notes("the daemon does not answer; waiting for it"));
  }
  static_cast<void>(daemon.wait_for_another(before));
  EXPECT_TRUE(follower.notes("the daemon answers again"));
  static_cast<void>(daemon.connect().declare("orders"));
  ASSERT_TRUE(follower.has("\"orders\""));
  std::istringstream lines(follower.out());
  std::uint64_t last = 0;
  for (std::string line; std::getline(lines, line);) {
    const json event = json::parse(line);
    EXPECT_EQ(event["sequence"], last + 1);
    last = event["sequence"];
  }
  follower.process().kill(SIGTERM);
  EXPECT_EQ(follower.process().wait().code, 143);
}

TEST(ToolEventsSupervised, a_follower_tells_that_another_daemon_has_begun_anew) {
  const TempDir dir;
  const auto start = [&dir] {
    return Child::spawn({program("beltwayd"), "--no-keeper", "--socket", dir.socket()},
                        {.standard_error = dir.path() / "log"});
  };
  std::optional<Child> daemon(start());
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(dir.socket()); }));
  Follower follower(dir.socket());
  ASSERT_TRUE(follower.has("#1 started"));
  daemon->kill(SIGTERM);
  EXPECT_TRUE(daemon->wait().ok());
  daemon.emplace(start());
  EXPECT_TRUE(follower.notes("another daemon has begun anew"));
  EXPECT_TRUE(eventually([&] {
    const std::string out = follower.out();
    return out.find("#1 started", out.find("#1 started") + 1) != std::string::npos;
  }));
  follower.process().kill(SIGINT);
  EXPECT_EQ(follower.process().wait().code, 130);
  daemon->kill(SIGTERM);
  EXPECT_TRUE(daemon->wait().ok());
}

TEST_F(ToolEvents, another_user_sees_events_of_queues_that_it_may_use_and_no_others) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  std::filesystem::permissions(daemon_.dir().path(), std::filesystem::perms{0755});
  ASSERT_TRUE(tool({"declare", "secret", "--mode", "0600"}).exit.ok());
  ASSERT_TRUE(tool({"declare", "shared", "--mode", "0604"}).exit.ok());
  const std::filesystem::path seen = daemon_.dir().path() / "seen";
  std::ofstream(seen).close();
  std::filesystem::permissions(seen, std::filesystem::perms{0666});
  Child other = Child::fork([&] {
    if (::chdir(daemon_.dir().path().c_str()) != 0) return 90;
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) return 91;
    if (std::freopen("seen", "w", stdout) == nullptr) return 92;
    std::vector<std::string> arguments{"beltway", "--socket", "./" + daemon_.socket().filename().string(), "events"};
    std::vector<char*> argv;
    for (std::string& each : arguments) argv.push_back(each.data());
    return tool::run(static_cast<int>(argv.size()), argv.data());
  });
  EXPECT_EQ(other.wait().code, 0);
  const std::string text = read_file(seen);
  EXPECT_NE(text.find("shared: declared"), std::string::npos) << text;
  EXPECT_EQ(text.find("secret"), std::string::npos) << text;
}

}  // namespace
}  // namespace beltway::test
