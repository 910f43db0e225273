// Dead letter queues through a real daemon: the way there is made at the attach, made later, made anew, and needs rights.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>

#include "beltway/beltway.hpp"
#include "support/child.hpp"
#include "support/daemon.hpp"
#include "support/error_of.hpp"
#include "support/raw_client.hpp"
#include "support/small_queue.hpp"
#include "support/tool_test.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

/// A queue for dead letters: its messages are larger than those of k_small.
QueueOptions dead_options() {
  QueueOptions options;
  options.slots = 16;
  options.slot_bytes = 1024;
  options.lane_bytes = 16384;
  options.max_producers = 2;
  options.groups = {NamedGroup("readers", {})};
  return options;
}

std::size_t producers_of(const Queue& queue) { return queue.snapshot().producers.size(); }

void reject_one(Producer& out, Consumer& in) {
  out.publish("bad");
  Result<Message> message = in.receive(5s);
  ASSERT_TRUE(message);
  EXPECT_TRUE(message->reject());
}

/// The origin of the next dead letter: "q/g", or why there is none.
std::string origin_of(Consumer& dead, std::chrono::milliseconds patience = 5s) {
  Result<Message> letter = dead.receive(patience);
  if (!letter) return std::string(to_string(letter.status()));
  const PropertiesView properties = letter->properties();
  if (properties.dead_letter() == nullptr) return "no dead letter";
  const std::string origin =
      std::string(properties.dead_letter()->queue) + "/" + std::string(properties.dead_letter()->group);
  letter->ack();
  return origin;
}

TEST(DaemonDeadLetter, consumers_share_one_producer_which_goes_with_the_last_of_them) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  const Queue dead = link.declare("dead", dead_options());
  const Queue queue = link.declare("q", with_group({.dead_letter = "dead"}));
  auto out = queue.producer();
  auto letters = dead.consumer({.group = "readers"});
  EXPECT_EQ(producers_of(dead), 0U);
  std::optional<Consumer> one = queue.consumer({.group = "g"});
  std::optional<Consumer> two = queue.consumer({.group = "g"});
  EXPECT_EQ(producers_of(dead), 1U);
  reject_one(out, *one);
  reject_one(out, *two);
  EXPECT_EQ(origin_of(letters), "q/g");
  EXPECT_EQ(origin_of(letters), "q/g");
  EXPECT_EQ(group_of(queue).dead_letter, "dead");
  EXPECT_EQ(group_of(queue).dead_lettered, 2U);
  one.reset();
  EXPECT_EQ(producers_of(dead), 1U);
  reject_one(out, *two);
  EXPECT_EQ(origin_of(letters), "q/g");
  two.reset();
  EXPECT_EQ(producers_of(dead), 0U);
  EXPECT_EQ(queue.snapshot().totals.dead_lettered, 3U);
}

TEST(DaemonDeadLetter, an_attach_that_finds_no_way_names_both_queues_and_leaves_no_consumer) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  const Queue dead = link.declare("dead", dead_options());
  const Queue queue = link.declare("q", with_group({.dead_letter = "dead"}));
  auto one = dead.producer();
  auto two = dead.producer();
  const Error error = error_of([&] { static_cast<void>(queue.consumer({.group = "g"})); });
  EXPECT_EQ(error.reason(), Errc::limit_reached);
  for (const char* const word : {"\"q\"", "\"g\"", "\"dead\""}) {
    EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
  }
  EXPECT_EQ(queue.snapshot().consumers.size(), 0U);
}

TEST(DaemonDeadLetter, a_user_without_the_right_to_write_there_does_not_attach) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  const TestDaemon daemon;
  std::filesystem::permissions(daemon.dir().path(), std::filesystem::perms{0755});
  const Connection link = connect(daemon);
  QueueOptions options = dead_options();
  options.mode = 0644;
  static_cast<void>(link.declare("dead", options));
  options = with_group({.dead_letter = "dead"});
  options.mode = 0666;
  static_cast<void>(link.declare("q", options));
  Child child = Child::fork([&] {
    if (::chdir(daemon.dir().path().c_str()) != 0) return 90;
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) return 91;
    const Error error = error_of([&] {
      const auto other = Connection::open({.socket = daemon.socket().filename(), .start_daemon = false});
      static_cast<void>(other.open_queue("q").consumer({.group = "g"}));
    });
    return std::string(error.what()).find("\"dead\"") == std::string::npos ? 92 : static_cast<int>(error.reason());
  });
  EXPECT_EQ(child.wait().code, static_cast<int>(Errc::no_permission));
}

TEST(DaemonDeadLetter, a_consumer_finds_the_way_when_the_option_is_set_after_its_attach) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  const Queue queue = link.declare("q", with_group({}));
  auto out = queue.producer();
  auto in = queue.consumer({.group = "g"});
  const Queue dead = link.declare("dead", dead_options());
  const Queue other = link.declare("other", dead_options());
  auto letters = dead.consumer({.group = "readers"});
  auto other_letters = other.consumer({.group = "readers"});
  static_cast<void>(link.declare_some("q", with_group({.dead_letter = "dead"}), {}));
  reject_one(out, in);
  EXPECT_EQ(origin_of(letters), "q/g");
  // Another queue from now on. The first attempt asks the daemon.
  std::this_thread::sleep_for(1100ms);
  static_cast<void>(link.declare_some("q", with_group({.dead_letter = "other"}), {}));
  EXPECT_EQ(in.receive(10ms).status(), Status::timeout);
  reject_one(out, in);
  EXPECT_EQ(origin_of(other_letters), "q/g");
  EXPECT_EQ(producers_of(dead), 0U);
}

TEST(DaemonDeadLetter, a_message_waits_while_its_dead_letter_queue_is_gone_and_is_moved_once_it_is_made_anew) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  static_cast<void>(link.declare("dead", dead_options()));
  const Queue queue = link.declare("q", with_group({.dead_letter = "dead"}));
  auto out = queue.producer();
  auto in = queue.consumer({.group = "g"});
  link.remove("dead", {.force = true});
  reject_one(out, in);
  EXPECT_EQ(group_of(queue).to_move, 1U);
  EXPECT_EQ(in.receive(300ms).status(), Status::timeout);
  EXPECT_GE(in.counters().failed_moves, 2U);
  const Queue dead = link.declare("dead", dead_options());
  auto letters = dead.consumer({.group = "readers"});
  std::string origin = "none";
  for (int i = 0; i < 50 && origin != "q/g"; ++i) {
    EXPECT_EQ(in.receive(100ms).status(), Status::timeout);
    origin = origin_of(letters, 1ms);
  }
  EXPECT_EQ(origin, "q/g");
  EXPECT_EQ(group_of(queue).to_move, 0U);
  EXPECT_EQ(group_of(queue).dead_lettered, 1U);
}

TEST(DaemonDeadLetter, a_handler_that_kills_its_process_again_and_again_ends_in_the_dead_letter_queue) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  const Queue dead = link.declare("dead", dead_options());
  const Queue queue = link.declare("q", with_group({.max_deliveries = 3, .dead_letter = "dead"}));
  auto out = queue.producer();
  out.publish("deadly");
  out.publish("good");
  int deaths = 0;
  std::string last;
  for (int i = 0; i < 10 && last != "good"; ++i) {
    Child worker = Child::fork([&] {
      const auto own = Connection::open({.socket = daemon.socket(), .start_daemon = false});
      auto in = own.open_queue("q").consumer({.group = "g"});
      Result<Message> message = in.receive(5s);
      if (!message) return 9;
      if (message->text() == "deadly") ::kill(::getpid(), SIGKILL);
      message->ack();
      return 0;
    });
    const auto exit = worker.wait();
    if (exit.ok())
      last = "good";
    else
      ++deaths;
  }
  EXPECT_EQ(last, "good");
  EXPECT_EQ(deaths, 3);
  auto letters = dead.consumer({.group = "readers", .start = Start::oldest});
  Result<Message> letter = letters.receive(5s);
  ASSERT_TRUE(letter);
  EXPECT_EQ(letter->text(), "deadly");
  const PropertiesView properties = letter->properties();
  ASSERT_NE(properties.dead_letter(), nullptr);
  EXPECT_EQ(properties.dead_letter()->reason, DeadLetterReason::too_many_deliveries);
  EXPECT_EQ(properties.dead_letter()->deliveries, 3U);
}

class ToolDeadLetter : public ToolTest {};

TEST_F(ToolDeadLetter, sub_and_peek_show_why_a_message_is_there) {
  ASSERT_TRUE(tool({"declare", "dead", "--slot-bytes", "1KiB", "--group", "readers"}).exit.ok());
  ASSERT_TRUE(tool({"declare", "q", "--lane-bytes", "64KiB", "--group", "g,dead-letter=dead"}).exit.ok());
  {
    const Connection link = connect(daemon_);
    const Queue queue = link.open_queue("q");
    auto out = queue.producer();
    auto in = queue.consumer({.group = "g"});
    reject_one(out, in);
    const json group = tool_json({"show", "q"})["state"]["groups"][0];
    EXPECT_EQ(group["dead_letter"], "dead");
    EXPECT_EQ(group["dead_lettered"], 1);
    EXPECT_EQ(group["to_move"], 0);
  }
  const json peeked = tool_json({"peek", "dead"})["messages"][0]["properties"]["dead_letter"];
  EXPECT_EQ(peeked["reason"], "rejected");
  EXPECT_EQ(peeked["queue"], "q");
  EXPECT_EQ(peeked["group"], "g");
  EXPECT_EQ(peeked["position"], 0);
  EXPECT_EQ(peeked["deliveries"], 1);
  EXPECT_GT(peeked["first_time_ns"], 0);
  EXPECT_EQ(peeked["first_time_ns"], peeked["last_time_ns"]);
  const std::string text = tool({"peek", "dead", "--properties"}).out;
  EXPECT_NE(text.find("rejected"), std::string::npos) << text;
  EXPECT_NE(text.find("q/g"), std::string::npos) << text;
  const json received = tool_json({"sub", "dead", "--group", "readers", "--count", "1"});
  EXPECT_EQ(received["properties"]["dead_letter"], peeked);
}

}  // namespace
}  // namespace beltway::test
