// `beltway evict`, `ack` and `move`: what an operator does about one consumer or one message.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "beltway/beltway.hpp"
#include "support/raw_client.hpp"
#include "support/tool_test.hpp"
#include "tool/commands/run.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

class ToolMessages : public ToolTest {
 protected:
  [[nodiscard]] Queue declare(const std::string& name, const QueueOptions& how = {}) const {
    QueueOptions options = how;
    options.slots = 16;
    options.lane_bytes = 8192;
    options.max_producers = 4;
    if (options.groups.empty()) options.groups = {"g"};
    return connect(daemon_).declare(name, options);
  }
  static void publish(const Queue& queue, unsigned count) {
    Producer out = queue.producer();
    for (unsigned i = 0; i < count; ++i) out.publish("message " + std::to_string(i));
  }
  /// What is in the group, which is empty afterwards.
  static std::vector<std::string> drain(const Queue& queue) {
    Consumer in = queue.consumer({.group = "g"});
    std::vector<std::string> messages;
    while (Result<Message> message = in.receive(200ms)) {
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
  /// A process that takes a message of "orders" and stops itself. It ends well if it is told that it is evicted.
  [[nodiscard]] Child stopped_holder(const std::string& group) const {
    Child child = Child::fork([socket = daemon_.socket(), group] {
      auto in =
          Connection::open({.socket = socket}).open_queue("orders").consumer({.group = group, .start = Start::oldest});
      Result<Message> held = in.receive(20s);
      if (!held) return 1;
      ::raise(SIGSTOP);
      if (held->ack()) return 2;
      return in.receive(20s).status() == Status::evicted ? 0 : 3;
    });
    EXPECT_TRUE(eventually(
        [&] { return read_file("/proc/" + std::to_string(child.pid()) + "/stat").find(") T ") != std::string::npos; }));
    return child;
  }
};

TEST_F(ToolMessages, a_stopped_consumer_is_evicted_and_its_message_goes_to_another) {
  const Queue queue = declare("orders", {.evict_after = 1h});
  publish(queue, 2);
  Child holder = stopped_holder("g");
  const Outcome evicted = tool({"evict", "orders", "0"});
  EXPECT_TRUE(evicted.exit.ok()) << evicted.err;
  EXPECT_NE(evicted.out.find("evicted consumer 0 (process " + std::to_string(holder.pid())), std::string::npos)
      << evicted.out;
  EXPECT_EQ(drain(queue), (std::vector<std::string>{"message 0", "message 1"}));
  holder.kill(SIGCONT);
  EXPECT_EQ(holder.wait(), (Exit{.code = 0}));
}

TEST_F(ToolMessages, a_consumer_is_evicted_by_its_process_number) {
  const Queue queue = declare("orders", {.evict_after = 1h});
  publish(queue, 1);
  Child holder = stopped_holder("g");
  const json evicted = tool_json({"evict", "orders", "--pid", std::to_string(holder.pid())});
  EXPECT_EQ(evicted["queue"], "orders");
  ASSERT_EQ(evicted["evicted"].size(), 1U);
  EXPECT_EQ(evicted["evicted"][0]["consumer"], 0);
  EXPECT_EQ(evicted["evicted"][0]["group"], "g");
  EXPECT_EQ(evicted["evicted"][0]["pid"], holder.pid());
  holder.kill(SIGCONT);
  EXPECT_EQ(holder.wait(), (Exit{.code = 0}));
}

TEST_F(ToolMessages, an_eviction_that_is_not_possible_says_what_helps_and_that_helps) {
  const Queue queue = declare("orders");
  publish(queue, 1);
  Child holder = stopped_holder("g");
  const Outcome refused = tool({"evict", "orders", "0"});
  EXPECT_EQ(refused.exit.code, 1);
  const std::string remedy = "kill -KILL " + std::to_string(holder.pid());
  EXPECT_NE(refused.err.find(remedy), std::string::npos) << refused.err;
  EXPECT_TRUE(run({"sh", "-c", remedy}).exit.ok());
  EXPECT_EQ(drain(queue), std::vector<std::string>{"message 0"});
  holder.wait();
  EXPECT_TRUE(tool({"declare", "orders", "--evict-after", "30s"}).exit.ok()) << "the other half of the remedy";
}

TEST_F(ToolMessages, an_eviction_names_the_consumers_that_there_are) {
  const Queue queue = declare("orders");
  expect_failure({"evict", "orders", "5"}, 5, "it has no consumer 5; it has no consumers");
  const Consumer in = queue.consumer({.group = "g"});
  expect_failure({"evict", "orders", "5"}, 5, "its consumers are 0 (process " + std::to_string(::getpid()));
  expect_failure({"evict", "orders", "--pid", "1"}, 5, "no consumer of process 1");
  EXPECT_EQ(tool({"evict", "orders"}).exit.code, 2);
  EXPECT_EQ(tool({"evict", "orders", "1", "--pid", "1"}).exit.code, 2);
}

TEST_F(ToolMessages, one_message_is_acknowledged_and_the_others_stay) {
  const Queue queue = declare("orders");
  publish(queue, 3);
  const Outcome done = tool({"ack", "orders", "1"});
  EXPECT_TRUE(done.exit.ok()) << done.err;
  EXPECT_EQ(done.out, "acknowledged the message at position 1 for group g\n");
  expect_failure({"ack", "orders", "1"}, 5, "is done");
  expect_failure({"ack", "orders", "3"}, 5, "there is no message at position 3");
  EXPECT_EQ(drain(queue), (std::vector<std::string>{"message 0", "message 2"}));
}

TEST_F(ToolMessages, one_message_is_acknowledged_for_one_group_and_stays_for_another) {
  const Queue queue = declare("orders", {.groups = {"g", "h"}});
  publish(queue, 1);
  expect_failure({"ack", "orders", "0"}, 2, "name one with --group (g, h)");
  EXPECT_TRUE(tool({"ack", "orders", "0", "--group", "h"}).exit.ok());
  EXPECT_EQ(drain(queue), std::vector<std::string>{"message 0"});
}

TEST_F(ToolMessages, a_message_that_a_consumer_holds_is_left_and_the_error_names_the_consumer) {
  const Queue queue = declare("orders");
  static_cast<void>(declare("broken"));
  publish(queue, 1);
  Consumer in = queue.consumer({.group = "g"});
  Result<Message> held = in.receive(20s);
  ASSERT_TRUE(held);
  const std::string holder = "is held by consumer 0 of group \"g\" (process " + std::to_string(::getpid());
  expect_failure({"ack", "orders", "0"}, 1, holder);
  expect_failure({"move", "orders", "0", "--to", "broken"}, 1, holder);
  EXPECT_TRUE(held->ack());
  EXPECT_TRUE(drain(connect(daemon_).open_queue("broken")).empty());
}

TEST_F(ToolMessages, a_message_moves_with_its_properties_and_leaves_no_copy) {
  const Queue queue = declare("orders");
  const Queue broken = declare("broken");
  {
    Producer out = queue.producer();
    out.publish("good");
    out.publish("poison", {.key = "k-7", .content_type = "text/plain"});
    out.publish(std::string(5000, 'x'));
  }
  const json moved = tool_json({"move", "orders", "1", "--to", "broken"});
  EXPECT_EQ(moved, (json{{"queue", "orders"}, {"group", "g"}, {"position", 1}, {"to", "broken"}}));
  EXPECT_TRUE(tool({"move", "orders", "2", "--to", "broken"}).exit.ok());
  Consumer in = broken.consumer({.group = "g"});
  Result<Message> message = in.receive(20s);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->text(), "poison");
  const PropertiesView properties = message->properties();
  EXPECT_EQ(properties.key(), "k-7");
  EXPECT_EQ(properties.content_type(), "text/plain");
  Result<Message> large = in.receive(20s);
  ASSERT_TRUE(large);
  EXPECT_EQ(large->text(), std::string(5000, 'x'));
  EXPECT_EQ(drain(queue), std::vector<std::string>{"good"});
}

TEST_F(ToolMessages, a_message_that_waits_for_its_next_delivery_moves_as_well) {
  const Queue queue = declare("orders", {.retry_delay = 1h, .retry_delay_max = 1h});
  const Queue broken = declare("broken");
  publish(queue, 2);
  {
    Consumer in = queue.consumer({.group = "g"});
    Result<Message> message = in.receive(20s);
    ASSERT_TRUE(message);
    EXPECT_TRUE(message->nack());
  }
  EXPECT_TRUE(tool({"move", "orders", "0", "--to", "broken"}).exit.ok());
  EXPECT_EQ(drain(broken), std::vector<std::string>{"message 0"});
  EXPECT_EQ(drain(queue), std::vector<std::string>{"message 1"});
}

TEST_F(ToolMessages, a_parked_message_moves_as_well) {
  const Queue queue = declare("orders", {.retry_delay = 1h, .retry_delay_max = 1h});
  const Queue broken = declare("broken");
  publish(queue, 1);
  Consumer in = queue.consumer({.group = "g"});
  Result<Message> failed = in.receive(20s);
  ASSERT_TRUE(failed);
  EXPECT_TRUE(failed->nack());
  Producer out = queue.producer();
  for (unsigned i = 1; i <= 40; ++i) {  // two laps: the message that waits is parked
    ASSERT_EQ(out.publish_until("later " + std::to_string(i), 20s), Status::ok);
    Result<Message> later = in.receive(20s);
    ASSERT_TRUE(later);
    EXPECT_TRUE(later->ack());
  }
  const GroupState parked = queue.snapshot().groups.at(0);
  ASSERT_EQ(parked.parked, 1U);
  EXPECT_GT(parked.due_in, 30min);
  EXPECT_TRUE(tool({"move", "orders", "0", "--to", "broken"}).exit.ok());
  EXPECT_EQ(drain(broken), std::vector<std::string>{"message 0"});
  EXPECT_EQ(queue.snapshot().groups.at(0).parked, 0U);
  EXPECT_FALSE(queue.snapshot().groups.at(0).due_in);
}

TEST_F(ToolMessages, a_message_that_cannot_be_published_stays_and_is_delivered) {
  const Queue queue = declare("orders");
  publish(queue, 1);
  const Queue full = declare("full");
  publish(full, 16);
  expect_failure({"move", "orders", "0", "--to", "full", "--timeout", "50ms"}, 3, "\"full\" stayed full");
  EXPECT_EQ(drain(queue), std::vector<std::string>{"message 0"}) << "at once, and not when the hold is over";
  {
    Producer out = queue.producer();
    out.publish(std::string(6000, 'x'));
  }
  static_cast<void>(connect(daemon_).declare("small", {.slots = 4, .lane_bytes = 0}));
  expect_failure({"move", "orders", "1", "--to", "small"}, 1, "does not fit into \"small\"");
  expect_failure({"move", "orders", "1", "--to", "nowhere"}, 5, "nowhere");
  EXPECT_EQ(tool({"move", "orders", "1", "--to", "orders"}).exit.code, 2);
  EXPECT_EQ(drain(queue), std::vector<std::string>{std::string(6000, 'x')});
}

TEST_F(ToolMessages, a_consumer_gets_no_message_that_is_on_its_way_to_another_queue) {
  const Queue queue = declare("orders");
  const Queue broken = declare("broken");
  Consumer in = queue.consumer({.group = "g"});
  publish(queue, 1);
  EXPECT_EQ(queue.move_message("g", 0, broken), Status::ok);
  EXPECT_EQ(in.receive(50ms).status(), Status::timeout);
  publish(queue, 1);
  Result<Message> next = in.receive(20s);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->position(), 1U);
}

TEST_F(ToolMessages, another_user_evicts_acknowledges_and_moves_nothing) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  std::filesystem::permissions(daemon_.dir().path(), std::filesystem::perms{0755});
  const Queue queue = declare("orders", {.mode = 0666, .evict_after = 1h});
  const Queue target = declare("target", {.mode = 0600});
  const Queue open = declare("open", {.mode = 0666});
  publish(queue, 1);
  const Consumer in = queue.consumer({.group = "g"});
  EXPECT_EQ(tool_as_nobody({"evict", "orders", "0"}), 6);
  EXPECT_EQ(tool_as_nobody({"ack", "orders", "0"}), 6);
  EXPECT_EQ(tool_as_nobody({"move", "orders", "0", "--to", "open"}), 6);
  EXPECT_EQ(tool_as_nobody({"move", "orders", "0", "--to", "target"}), 6);
  EXPECT_FALSE(queue.describe().endpoints.at(0).evicted);
  EXPECT_TRUE(drain(open).empty());
}

}  // namespace
}  // namespace beltway::test
