// `beltway requeue`, and the removal of queues that others send their dead letters to.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "beltway/beltway.hpp"
#include "support/raw_client.hpp"
#include "support/tool_test.hpp"
#include "tool/commands/run.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

class ToolRequeue : public ToolTest {
 protected:
  void SetUp() override {
    declare("failed");
    declare("orders");
  }
  void declare(const std::string& name, std::uint32_t slots = 16, std::uint32_t mode = 0600) const {
    QueueOptions options{.slots = slots, .lane_bytes = 8192, .max_producers = 4, .groups = {"all"}, .mode = mode};
    static_cast<void>(connect(daemon_).declare(name, options));
  }
  void publish(const std::string& queue, const std::vector<std::string>& messages) const {
    Producer out = connect(daemon_).open_queue(queue).producer();
    for (const std::string& each : messages) out.publish(each);
  }
  [[nodiscard]] json tool_json_with_code(std::vector<std::string> arguments, int code) const {
    arguments.insert(arguments.end(), {"--format", "json"});
    const Outcome result = tool(arguments);
    EXPECT_EQ(result.exit.code, code) << result.err;
    return json::parse(result.out);
  }
  /// A queue whose rejected messages go to "failed".
  [[nodiscard]] Queue declare_source(const std::string& name, std::uint32_t mode = 0600) const {
    QueueOptions options{.slots = 16, .lane_bytes = 4096, .groups = {"workers"}, .mode = mode, .dead_letter = "failed"};
    return connect(daemon_).declare(name, options);
  }
  /// Publishes to the queue, and rejects what it gets.
  void fail(const Queue& queue, const std::string& message) const {
    queue.producer().publish(message);
    Consumer in = queue.consumer({.group = "workers"});
    Result<Message> got = in.receive(5s);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->text(), message);
    EXPECT_TRUE(got->reject());
  }
  /// What is in the group, which is empty afterwards.
  [[nodiscard]] std::vector<std::string> drain(const std::string& queue, const std::string& group = "all") const {
    Consumer in = connect(daemon_).open_queue(queue).consumer({.group = group});
    std::vector<std::string> messages;
    while (Result<Message> message = in.receive(100ms)) {
      messages.emplace_back(message->text());
      message->ack();
    }
    return messages;
  }
  /// The exit code of the command when user 65534 runs it, from the directory of the daemon.
  [[nodiscard]] int tool_as_nobody(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"beltway", "--socket", "./" + daemon_.socket().filename().string()});
    return Child::fork([&] {
             if (::chdir(daemon_.dir().path().c_str()) != 0) return 90;
             if (::setgid(65534) != 0 || ::setuid(65534) != 0) return 91;
             std::vector<char*> argv;
             for (std::string& each : arguments) argv.push_back(each.data());
             return tool::run(static_cast<int>(argv.size()), argv.data());
           })
        .wait()
        .code;
  }
};

TEST_F(ToolRequeue, messages_go_to_the_queue_that_is_named_in_their_order_and_with_their_properties) {
  Producer out = connect(daemon_).open_queue("failed").producer();
  out.publish("first");
  out.publish("second", {.key = "k-7", .content_type = "text/plain"});
  const Outcome done = tool({"requeue", "failed", "--to", "orders"});
  EXPECT_TRUE(done.exit.ok()) << done.err;
  EXPECT_EQ(done.out, "requeued 2 messages: 2 to orders\n");
  Consumer in = connect(daemon_).open_queue("orders").consumer({.group = "all"});
  Result<Message> first = in.receive(5s);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->text(), "first");
  Result<Message> second = in.receive(5s);
  ASSERT_TRUE(second);
  const PropertiesView properties = second->properties();
  EXPECT_EQ(properties.key(), "k-7");
  EXPECT_EQ(properties.content_type(), "text/plain");
  EXPECT_TRUE(drain("failed").empty());
}

TEST_F(ToolRequeue, dead_letters_go_back_to_the_queues_that_they_come_from) {
  const Queue jobs = declare_source("jobs");
  const Queue mails = declare_source("mails");
  fail(jobs, "job 1");
  fail(mails, "mail");
  fail(jobs, "job 2");
  const Outcome done = tool({"requeue", "failed"});
  EXPECT_TRUE(done.exit.ok()) << done.err;
  EXPECT_EQ(done.out, "requeued 3 messages: 2 to jobs, 1 to mails\n");
  EXPECT_EQ(drain("jobs", "workers"), (std::vector<std::string>{"job 1", "job 2"}));
  EXPECT_EQ(drain("mails", "workers"), (std::vector<std::string>{"mail"}));
  EXPECT_TRUE(drain("failed").empty());
}

TEST_F(ToolRequeue, dead_letter_that_fails_again_keeps_the_time_of_its_first_failure) {
  const Queue jobs = declare_source("jobs");
  fail(jobs, "job");
  ASSERT_TRUE(tool({"requeue", "failed"}).exit.ok());
  Consumer in = jobs.consumer({.group = "workers"});
  Result<Message> again = in.receive(5s);
  ASSERT_TRUE(again);
  const PropertiesView before = again->properties();
  ASSERT_NE(before.dead_letter(), nullptr);
  const PublishTime first = before.dead_letter()->first_time;
  EXPECT_EQ(before.dead_letter()->position, 0U) << "of its first failure";
  EXPECT_TRUE(again->reject());
  Consumer letters = connect(daemon_).open_queue("failed").consumer({.group = "all"});
  Result<Message> letter = letters.receive(5s);
  ASSERT_TRUE(letter);
  const PropertiesView after = letter->properties();
  ASSERT_NE(after.dead_letter(), nullptr);
  EXPECT_EQ(after.dead_letter()->first_time, first);
  EXPECT_GT(after.dead_letter()->last_time, first);
  EXPECT_EQ(after.dead_letter()->position, 1U);
}

TEST_F(ToolRequeue, dead_letter_as_large_as_its_origin_takes_goes_back_without_the_dead_letter_fields) {
  const Queue jobs = declare_source("jobs");
  const std::string largest(jobs.producer().max_message_bytes(), 'x');
  fail(jobs, largest);
  const Outcome done = tool({"requeue", "failed"});
  EXPECT_EQ(done.out, "requeued 1 messages: 1 to jobs\n") << done.err;
  EXPECT_EQ(drain("jobs", "workers"), (std::vector<std::string>{largest}));
}

TEST_F(ToolRequeue, dead_letter_whose_origin_is_gone_or_closed_stays_and_the_others_go) {
  const Queue gone = declare_source("gone");
  const Queue jobs = declare_source("jobs");
  fail(gone, "lost home");
  fail(jobs, "job");
  connect(daemon_).remove("gone");
  const json done = tool_json_with_code({"requeue", "failed"}, 8);
  EXPECT_EQ(done["to"], json({{"jobs", 1}}));
  ASSERT_EQ(done["kept"].size(), 1U);
  EXPECT_EQ(done["kept"][0]["position"], 0);
  EXPECT_EQ(done["kept"][0]["origin"], "gone");
  EXPECT_NE(done["kept"][0]["why"].get<std::string>().find("open \"gone\": there is no such queue"), std::string::npos)
      << done;
  EXPECT_EQ(drain("failed"), (std::vector<std::string>{"lost home"}));
  EXPECT_EQ(drain("jobs", "workers"), (std::vector<std::string>{"job"}));
}

TEST_F(ToolRequeue, requeue_moves_as_many_as_the_flag_count_says_and_the_rest_stays) {
  publish("failed", {"a", "b", "c"});
  const json done = tool_json({"requeue", "failed", "--to", "orders", "--count", "2"});
  EXPECT_EQ(done.dump(), json({{"queue", "failed"},
                               {"group", "all"},
                               {"requeued", 2},
                               {"to", {{"orders", 2}}},
                               {"kept", json::array()},
                               {"held", 0},
                               {"delayed", 0}})
                             .dump());
  EXPECT_EQ(drain("orders"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(drain("failed"), (std::vector<std::string>{"c"}));
}

TEST_F(ToolRequeue, message_without_an_origin_is_given_back_and_named) {
  publish("failed", {"a", "b"});
  const Outcome done = tool({"requeue", "failed"});
  EXPECT_EQ(done.exit.code, 8) << done.err;
  EXPECT_EQ(done.out,
            "requeued 0 messages\n"
            "  ! the message at position 0 stays: it has no origin; name a queue with --to\n"
            "  ! the message at position 1 stays: it has no origin; name a queue with --to\n");
  EXPECT_EQ(drain("failed"), (std::vector<std::string>{"a", "b"})) << "at once, in their order";
}

TEST_F(ToolRequeue, messages_that_stay_for_the_same_reason_are_counted_from_the_eleventh_on) {
  publish("failed", std::vector<std::string>(13, "a"));
  const std::string text = tool({"requeue", "failed"}).out;
  EXPECT_NE(text.find("position 9 stays"), std::string::npos) << text;
  EXPECT_EQ(text.find("position 10 stays"), std::string::npos) << text;
  EXPECT_NE(text.find("\n  ! 3 more stay: it has no origin; name a queue with --to\n"), std::string::npos) << text;
  EXPECT_EQ(json::parse(tool({"requeue", "failed", "--format", "json"}).out)["kept"].size(), 13U);
}

TEST_F(ToolRequeue, group_must_be_named_if_there_are_several) {
  connect(daemon_).open_queue("failed").add_group("more");
  publish("failed", {"a"});
  expect_failure({"requeue", "failed", "--to", "orders"}, 2, "name one with --group (all, more)");
  EXPECT_EQ(tool({"requeue", "failed", "--to", "orders", "--group", "more"}).out, "requeued 1 messages: 1 to orders\n");
  EXPECT_EQ(drain("failed"), (std::vector<std::string>{"a"})) << "the other group has it still";
  expect_failure({"requeue", "failed", "--to", "orders", "--group", "none"}, 5, "none");
  connect(daemon_).open_queue("failed").remove_group("all");
  connect(daemon_).open_queue("failed").remove_group("more");
  expect_failure({"requeue", "failed", "--to", "orders"}, 5, "it has no named group");
}

TEST_F(ToolRequeue, target_that_is_the_queue_itself_or_does_not_exist_is_refused) {
  publish("failed", {"a"});
  expect_failure({"requeue", "failed", "--to", "failed"}, 2, "--to");
  expect_failure({"requeue", "failed", "--to", "nothing"}, 5, "nothing");
  expect_failure({"requeue", "nothing", "--to", "orders"}, 5, "nothing");
  EXPECT_EQ(drain("failed"), (std::vector<std::string>{"a"}));
}

TEST_F(ToolRequeue, full_target_is_waited_for_as_long_as_the_flag_timeout_says_and_no_message_is_lost) {
  declare("narrow", 2);
  publish("failed", {"a", "b", "c"});
  const Outcome done = tool({"requeue", "failed", "--to", "narrow", "--timeout", "100ms"});
  EXPECT_EQ(done.exit.code, 3);
  EXPECT_NE(done.err.find("publish to \"narrow\": full for 100 ms (2 messages are requeued)"), std::string::npos)
      << done.err;
  EXPECT_EQ(done.out, "requeued 2 messages: 2 to narrow\n");
  EXPECT_EQ(drain("narrow"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(drain("failed"), (std::vector<std::string>{"c"}));
}

TEST_F(ToolRequeue, message_that_does_not_fit_its_target_stays) {
  QueueOptions options = k_small;
  options.lane_bytes = 0;
  options.groups = {"all"};
  static_cast<void>(connect(daemon_).declare("small", options));
  publish("failed", {"a", std::string(1000, 'x'), "c"});
  const Outcome done = tool({"requeue", "failed", "--to", "small"});
  EXPECT_EQ(done.exit.code, 8);
  EXPECT_NE(done.out.find("the message at position 1 stays: publish to \"small\": "), std::string::npos) << done.out;
  EXPECT_EQ(drain("small"), (std::vector<std::string>{"a", "c"}));
  EXPECT_EQ(drain("failed"), (std::vector<std::string>{std::string(1000, 'x')}));
}

TEST_F(ToolRequeue, messages_that_others_hold_or_that_wait_are_told_and_left) {
  publish("failed", {"held", "delayed", "ready"});
  Consumer in = connect(daemon_).open_queue("failed").consumer({.group = "all"});
  Result<Message> held = in.receive(5s);
  ASSERT_TRUE(held);
  Result<Message> delayed = in.receive(5s);
  ASSERT_TRUE(delayed);
  delayed->nack(1h);
  const Outcome done = tool({"requeue", "failed", "--to", "orders"});
  EXPECT_TRUE(done.exit.ok()) << done.err;
  EXPECT_EQ(done.out,
            "requeued 1 messages: 1 to orders\n1 messages are held by other consumers\n"
            "1 messages wait to be delivered again\n");
  EXPECT_EQ(drain("orders"), (std::vector<std::string>{"ready"}));
}

/// Many messages are moved to a small queue that is read slowly, and the mover is killed at random moments.
TEST_F(ToolRequeue, killed_at_random_moments_it_loses_no_message_and_doubles_at_most_one_each_time) {
  constexpr int k_messages = 3000;
  declare("from", 4096);
  declare("to", 64);
  const Queue from = connect(daemon_).open_queue("from");
  Producer out = from.producer();
  for (int i = 0; i < k_messages; ++i) out.publish(std::to_string(i));
  std::map<std::string, int> found;
  int kills = 0;
  {
    std::jthread reader([&found, to = connect(daemon_).open_queue("to")](const std::stop_token& stop) {
      Consumer in = to.consumer({.group = "all"});
      for (;;) {
        Result<Message> message = in.receive(10ms);
        if (!message && stop.stop_requested()) return;
        if (!message) continue;
        ++found[std::string(message->text())];
        message->ack();
        std::this_thread::sleep_for(50us);
      }
    });
    std::mt19937 random(static_cast<unsigned>(::getpid()));
    for (; from.snapshot().groups.at(0).depth != 0 && kills < 100; ++kills) {
      Child mover = Child::spawn({program("beltway"), "requeue", "from", "--to", "to"}, daemon_.client_options());
      std::this_thread::sleep_for(std::chrono::microseconds(5000 + random() % 20000));
      mover.kill(kills % 4 == 3 ? SIGINT : SIGKILL);
      mover.wait();
    }
  }
  EXPECT_GE(kills, 5);
  for (const std::string& each : drain("from")) ++found[each];
  EXPECT_EQ(found.size(), static_cast<std::size_t>(k_messages)) << "none is lost";
  int doubled = 0;
  for (const auto& [message, times] : found) doubled += times - 1;
  EXPECT_LE(doubled, kills);
}

TEST_F(ToolRequeue, interrupt_ends_it_and_the_message_that_waits_for_room_is_given_back) {
  declare("narrow", 2);
  publish("failed", {"a", "b", "c"});
  Child mover = Child::spawn({program("beltway"), "requeue", "failed", "--to", "narrow"}, daemon_.client_options());
  const Queue failed = connect(daemon_).open_queue("failed");
  const auto is_waiting = [&] {
    const GroupState group = failed.snapshot().groups.at(0);
    return group.leased == 1 && group.available == 0;
  };
  while (!is_waiting()) std::this_thread::sleep_for(1ms);
  mover.kill(SIGINT);
  EXPECT_EQ(mover.wait().code, 130);
  EXPECT_EQ(drain("narrow"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(drain("failed"), (std::vector<std::string>{"c"}));
}

TEST_F(ToolRequeue, second_user_needs_the_right_to_read_the_dead_letters_and_to_write_to_the_target) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  std::filesystem::permissions(daemon_.dir().path(), std::filesystem::perms{0755});
  declare("closed-letters", 16, 0600);
  declare("open-letters", 16, 0604);
  declare("closed-target", 16, 0604);
  declare("open-target", 16, 0602);
  publish("closed-letters", {"a"});
  publish("open-letters", {"a"});
  EXPECT_EQ(tool_as_nobody({"requeue", "closed-letters", "--to", "open-target"}), 6);
  EXPECT_EQ(tool_as_nobody({"requeue", "open-letters", "--to", "closed-target"}), 6);
  EXPECT_TRUE(drain("closed-target").empty());
  EXPECT_EQ(tool_as_nobody({"requeue", "open-letters", "--to", "open-target"}), 0);
  EXPECT_EQ(drain("open-target"), (std::vector<std::string>{"a"}));
  EXPECT_TRUE(drain("open-letters").empty());
  EXPECT_EQ(drain("closed-letters"), (std::vector<std::string>{"a"}));
}

TEST_F(ToolRequeue, second_user_moves_those_dead_letters_whose_origins_are_open_to_it) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  std::filesystem::permissions(daemon_.dir().path(), std::filesystem::perms{0755});
  connect(daemon_).remove("failed");
  declare("failed", 16, 0606);
  fail(declare_source("closed", 0604), "closed");
  fail(declare_source("open", 0606), "open");
  EXPECT_EQ(tool_as_nobody({"requeue", "failed"}), 6);
  EXPECT_EQ(drain("open", "workers"), (std::vector<std::string>{"open"}));
  EXPECT_EQ(drain("failed"), (std::vector<std::string>{"closed"}));
}

TEST_F(ToolRequeue, target_of_dead_letters_is_removed_by_force_only_and_show_names_it_then) {
  ASSERT_TRUE(
      tool({"declare", "jobs", "--lane-bytes", "0", "--group", "workers", "--dead-letter", "failed"}).exit.ok());
  const std::string shown = tool({"show", "jobs"}).out;
  EXPECT_NE(shown.find("dead letters to  failed"), std::string::npos) << shown;
  EXPECT_NE(shown.find("DEAD LETTERS TO"), std::string::npos) << shown;
  expect_failure({"remove", "failed"}, 1, "it gets the dead letters of \"jobs\"");
  expect_failure({"group", "remove", "failed", "all"}, 1, "is its last one and keeps the dead letters of \"jobs\"");
  EXPECT_TRUE(tool({"remove", "failed", "--force"}).exit.ok());
  const std::string missing = tool({"show", "jobs"}).out;
  EXPECT_NE(missing.find("failed (missing)"), std::string::npos) << missing;
  EXPECT_NE(missing.find("! group \"workers\" sends its dead letters to queue \"failed\", which does not exist"),
            std::string::npos)
      << missing;
  const json state = tool_json({"show", "jobs"});
  EXPECT_EQ(state["queue"]["missing_dead_letter_queues"], json::array({"failed"}));
  EXPECT_EQ(state["causes"][0]["cause"], "dead_letter_queue_missing");
  EXPECT_EQ(state["causes"][0]["group"], "workers");
  EXPECT_EQ(state["causes"][0]["blocks"], false);
  declare("failed");
  EXPECT_EQ(tool_json({"show", "jobs"})["causes"], json::array());
  EXPECT_TRUE(tool({"group", "remove", "failed", "all", "--force"}).exit.ok());
}

}  // namespace
}  // namespace beltway::test
