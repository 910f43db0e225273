// What another user sees of queues with and without rights, and what a refusal says: user, owner, mode and the missing right.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "beltway/beltway.hpp"
#include "support/other_user.hpp"
#include "support/raw_client.hpp"
#include "support/tool_test.hpp"

namespace beltway::test {
namespace {

using nlohmann::json;

/// Queues of this user: "secret" is closed to others, they may write to "inbox", and read "board". Each is in trouble: its group
/// has messages and no consumer.
class ToolSecondUser : public ToolTest {
 protected:
  void SetUp() override {
    SKIP_UNLESS_ROOT();
    declare("secret", 0600);
    declare("inbox", 0602);
    declare("board", 0604);
  }
  [[nodiscard]] Outcome other(std::vector<std::string> arguments) const {
    return tool_as_other_user(daemon_, std::move(arguments));
  }
  [[nodiscard]] json other_json(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--format", "json"});
    const Outcome result = other(std::move(arguments));
    return json::parse(result.out, nullptr, false);
  }
  static std::vector<std::string> names(const json& queues) {
    std::vector<std::string> found;
    for (const json& queue : queues) found.push_back(queue["name"]);
    std::ranges::sort(found);
    return found;
  }
  /// Nothing of the closed queue shows.
  static void expect_no_secret(const Outcome& result) {
    EXPECT_EQ(result.out.find("secret"), std::string::npos) << result.out;
    EXPECT_EQ(result.err.find("secret"), std::string::npos) << result.err;
  }
  /// Who asked, whose the queue is, what its mode is and which right is missing.
  static void expect_refusal(const Outcome& result, const std::string& mode, const std::string& right) {
    EXPECT_EQ(result.exit.code, 6) << result.out << result.err;
    EXPECT_EQ(result.out, "");
    for (const std::string& part : {"needs " + right, "user " + std::to_string(k_other_user) + " asked",
                                    "the owner is user " + std::to_string(::geteuid()), "the mode " + mode}) {
      EXPECT_NE(result.err.find(part), std::string::npos) << part << " is not in: " << result.err;
    }
  }

 private:
  void declare(const std::string& name, std::uint32_t mode) const {
    QueueOptions options = k_small;
    options.mode = mode;
    options.groups = {"g"};
    auto out = connect(daemon_).declare(name, options).producer();
    for (int i = 0; i < 8; ++i) out.publish("a secret text");
  }
};

TEST_F(ToolSecondUser, list_shows_queues_that_the_user_may_read_or_write_and_figures_only_of_those_it_may_read) {
  const json queues = other_json({"list"})["queues"];
  EXPECT_EQ(names(queues), (std::vector<std::string>{"board", "inbox"}));
  for (const json& queue : queues) EXPECT_EQ(queue["lag"].is_null(), queue["name"] == "inbox") << queue;
  const Outcome text = other({"list"});
  EXPECT_EQ(text.exit.code, 0) << text.err;
  expect_no_secret(text);
}

TEST_F(ToolSecondUser, doctor_tells_verdicts_of_readable_queues_and_counts_those_that_it_may_not_read) {
  const Outcome text = other({"doctor", "--for", "0.1"});
  EXPECT_EQ(text.exit.code, 1) << text.err;
  EXPECT_NE(text.out.find("looked at 2 queues"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("1 of them may not be read by this user"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("warning  board\n"), std::string::npos) << text.out;
  EXPECT_EQ(text.out.find("inbox"), std::string::npos) << "what is in it is not known: " << text.out;
  expect_no_secret(text);
}

TEST_F(ToolSecondUser, doctor_tells_the_quota_of_the_user_that_asks_and_not_of_another) {
  const TestDaemon small({"--max-queues-per-user", "3"});
  for (const char* const name : {"a", "b", "c"}) static_cast<void>(connect(small).declare(name, k_small));
  EXPECT_NE(small.tool({"doctor", "--for", "0.1"}).out.find("this user's quota"), std::string::npos);
  const Outcome text = tool_as_other_user(small, {"doctor", "--for", "0.1"});
  EXPECT_EQ(text.out.find("quota"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("looked at 0 queues"), std::string::npos) << text.out;
}

TEST_F(ToolSecondUser, metrics_count_visible_queues_and_sum_readable_ones) {
  const Outcome text = other({"metrics", "--per-queue", "--for", "0.1"});
  EXPECT_EQ(text.exit.code, 0) << text.err;
  for (const char* const line : {"beltway_up 1\n", "beltway_queues 2\n", "beltway_readable_queues 1\n",
                                 "beltway_messages_published_total 8\n"}) {
    EXPECT_NE(text.out.find(line), std::string::npos) << line << " is not in:\n" << text.out;
  }
  EXPECT_NE(text.out.find("queue=\"board\""), std::string::npos) << text.out;
  expect_no_secret(text);
}

TEST_F(ToolSecondUser, export_writes_definitions_of_visible_queues_and_no_message) {
  const Outcome text = other({"export"});
  EXPECT_EQ(text.exit.code, 0) << text.err;
  EXPECT_EQ(names(json::parse(text.out)["queues"]), (std::vector<std::string>{"board", "inbox"}));
  expect_no_secret(text);
  expect_refusal(other({"export", "secret"}), "0600", "the right to read or write");
}

TEST_F(ToolSecondUser, events_of_queues_without_rights_are_left_out_also_when_they_are_asked_for) {
  const Outcome text = other({"events"});
  EXPECT_EQ(text.exit.code, 0) << text.err;
  for (const char* const part : {"board: declared", "inbox: declared", "board: attached"}) {
    EXPECT_NE(text.out.find(part), std::string::npos) << part << " is not in:\n" << text.out;
  }
  expect_no_secret(text);
  EXPECT_EQ(other({"events", "--queue", "secret"}).out, "");
  ASSERT_TRUE(tool({"remove", "secret", "--force"}).exit.ok());
  expect_no_secret(other({"events"}));
}

TEST_F(ToolSecondUser, refusal_to_look_names_user_owner_mode_and_the_missing_right) {
  expect_refusal(other({"show", "secret"}), "0600", "the right to read or write");
  expect_refusal(other({"peek", "secret"}), "0600", "the right to read or write");
  expect_refusal(other({"show", "inbox"}), "0602", "the right to read");
  expect_refusal(other({"peek", "inbox"}), "0602", "the right to read");
  expect_refusal(other({"sub", "inbox", "--group", "g", "--count", "1"}), "0602", "the right to read");
  expect_refusal(other({"pub", "board", "x"}), "0604", "the right to write");
}

TEST_F(ToolSecondUser, refusal_to_act_names_user_owner_mode_and_that_the_owner_or_root_may) {
  const std::vector<std::vector<std::string>> acts{{"purge", "board", "--group", "g"},
                                                   {"remove", "board", "--force"},
                                                   {"group", "pause", "board", "g"},
                                                   {"group", "reset", "board", "g", "--to", "latest"},
                                                   {"evict", "board", "0"},
                                                   {"ack", "board", "0"}};
  const Consumer reader = connect(daemon_).open_queue("board").consumer({.group = "g"});  // one to evict
  for (const std::vector<std::string>& act : acts) {
    SCOPED_TRACE(act.front());
    expect_refusal(other(act), "0604", "to be its owner or root");
  }
  EXPECT_EQ(tool_json({"show", "board"})["state"]["groups"][0]["depth"], 8) << "no refusal did anything";
}

}  // namespace
}  // namespace beltway::test
