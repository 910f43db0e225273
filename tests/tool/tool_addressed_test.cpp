// Remedies as printed reach the daemon that the person has asked: after `beltway --socket X` all of them have that socket.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "client/start_command.hpp"
#include "support/raw_client.hpp"
#include "support/tool_test.hpp"
#include "support/web_program.hpp"
#include "watch/addressed.hpp"

namespace beltway::test {
namespace {

using nlohmann::json;

TEST(Addressed, each_command_of_the_tool_gets_the_socket_and_no_other_command_does) {
  using watch::addressed;
  EXPECT_EQ(addressed("beltway purge q", "/run/b"), "beltway --socket /run/b purge q");
  EXPECT_EQ(addressed("beltway declare a && beltway move q 1 --to a", "/run/b"),
            "beltway --socket /run/b declare a && beltway --socket /run/b move q 1 --to a");
  EXPECT_EQ(addressed("kill 7", "/run/b"), "kill 7");
  EXPECT_EQ(addressed("grep -ls beltway:q:control /proc/*", "/run/b"), "grep -ls beltway:q:control /proc/*");
  EXPECT_EQ(addressed("beltway --socket /run/a list", "/run/b"), "beltway --socket /run/a list");
  EXPECT_EQ(addressed("beltway purge q", ""), "beltway purge q") << "the environment of the shell names it";
}

TEST(Addressed, socket_that_a_shell_would_take_apart_is_in_quotes) {
  for (const std::string socket : {"/a b/$x && beltway 'y", "/plain-1.sock", "it's", "~/x"}) {
    const std::string command = watch::addressed("beltway list", socket);
    // The shell puts its words on lines of their own.
    const Outcome words = run({"sh", "-c", "beltway() { printf '%s\\n' \"$@\"; }; " + command});
    EXPECT_EQ(words.out, "--socket\n" + socket + "\nlist\n") << command;
  }
  EXPECT_EQ(watch::addressed("beltway list", "/plain-1.sock"), "beltway --socket /plain-1.sock list");
}

TEST(Addressed, command_that_starts_a_daemon_names_its_place_unless_it_is_the_default) {
  EXPECT_EQ(client::start_command("/some/where.sock"), "beltwayd --socket /some/where.sock");
  EXPECT_EQ(client::start_command("/some where.sock"), "beltwayd --socket '/some where.sock'");
  ::unsetenv("BELTWAY_SOCKET");
  EXPECT_EQ(client::start_command(client::user_socket_path()), "beltwayd");
}

/// A full queue without consumers at a daemon whose socket is named by the option alone.
class ToolAddressed : public ToolTest {
 protected:
  ToolAddressed() {
    auto out = connect(daemon_).declare("q", {.slots = 16, .lane_bytes = 4096, .groups = {"g"}}).producer();
    while (out.try_publish("x") == Status::ok) continue;
  }
  [[nodiscard]] Outcome named(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {program("beltway"), "--socket", daemon_.socket()});
    return run(arguments, elsewhere());
  }
  [[nodiscard]] Child::Options elsewhere() const {
    return {.environment = {{"BELTWAY_SOCKET", other_.socket()},
                            {"PATH", program("beltway").parent_path().string() + ":" + ::getenv("PATH")}}};
  }
  /// The text has commands of the tool, and all name the socket.
  void expect_addressed(const std::string& text) const {
    const std::string tool = "beltway ";
    const std::string option = "--socket " + daemon_.socket().string() + " ";
    std::size_t commands = 0;
    for (const char* word : {"sub", "purge", "group remove", "show", "requeue"}) {
      EXPECT_EQ(text.find(tool + word), std::string::npos) << text;
      if (text.find(tool + option + word) != std::string::npos) ++commands;
    }
    EXPECT_GE(commands, 1U) << text;
  }

  TestDaemon other_;
};

TEST_F(ToolAddressed, remedies_of_all_faces_name_the_socket_that_was_named) {
  const std::vector<std::vector<std::string>> faces{{"doctor", "--for", "0.2"},
                                                    {"doctor", "--for", "0.2", "--format", "json"},
                                                    {"show", "q"},
                                                    {"show", "q", "--format", "json"},
                                                    {"check", "q"},
                                                    {"list", "--format", "json"},
                                                    {"top", "--batch", "-n", "4"}};
  for (const std::vector<std::string>& face : faces) {
    SCOPED_TRACE(testing::PrintToString(face));
    expect_addressed(named(face).out);
  }
  EXPECT_EQ(tool({"doctor", "--for", "0.2"}).out.find("--socket"), std::string::npos) << "the environment names it";
}

TEST_F(ToolAddressed, page_of_web_names_the_socket_that_was_named) {
  const WebProgram web(daemon_, {"--socket", daemon_.socket()});
  std::string body;
  EXPECT_TRUE(
      eventually([&] { return (body = web.get("/api/queues/q").body).find("remedies\":[{") != std::string::npos; }));
  expect_addressed(body);
}

TEST_F(ToolAddressed, remedy_as_printed_mends_though_the_environment_names_another_daemon) {
  const json answer = json::parse(named({"doctor", "--for", "0.2", "--format", "json"}).out);
  ASSERT_EQ(answer["verdicts"].size(), 1U) << answer;
  const std::string purge = answer["verdicts"][0]["remedies"].at(1)["command"];
  const Outcome done = run({"sh", "-c", purge}, elsewhere());
  EXPECT_TRUE(done.exit.ok()) << purge << ": " << done.err;
  EXPECT_EQ(named({"doctor", "--for", "0.2"}).exit.code, 0);
}

}  // namespace
}  // namespace beltway::test
