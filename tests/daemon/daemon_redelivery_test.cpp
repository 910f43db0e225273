// What a group does with messages that fail, through a real daemon: the options reach the consumers, survive a restart, change
// while the queue lives, and are refused where they make no sense.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "beltway/beltway.hpp"
#include "support/child.hpp"
#include "support/daemon.hpp"
#include "support/error_of.hpp"
#include "support/raw_client.hpp"
#include "support/small_queue.hpp"
#include "support/supervised_daemon.hpp"
#include "support/tool_test.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

/// The next message of the group fails.
void fail_one(Consumer& in) {
  Result<Message> message = in.receive(5s);
  ASSERT_TRUE(message);
  EXPECT_TRUE(message->nack());
}

TEST(DaemonRedelivery, a_message_that_failed_waits_by_default_and_newer_ones_go_on) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("q", with_group({}));
  EXPECT_EQ(group_of(queue).retry_delay, 1ms);
  EXPECT_EQ(group_of(queue).retry_delay_max, 1s);
  auto out = queue.producer();
  auto in = queue.consumer({.group = "g"});
  out.publish("bad");
  const auto start = std::chrono::steady_clock::now();
  for (int failures = 0; failures < 5; ++failures) fail_one(in);
  EXPECT_GE(std::chrono::steady_clock::now() - start, 15ms) << "1, 2, 4 and 8 ms";
  EXPECT_EQ(group_of(queue).delayed, 1U);
  EXPECT_EQ(group_of(queue).available, 0U);
  EXPECT_EQ(group_of(queue).tries, 5U);
  ASSERT_TRUE(group_of(queue).due_in.has_value());
  EXPECT_LE(*group_of(queue).due_in, 16ms);
}

TEST(DaemonRedelivery, a_poison_message_delays_no_good_one_and_keeps_no_core_busy) {
  const TestDaemon daemon;
  QueueOptions options = with_group({});
  options.slots = 2048;
  const Queue queue = connect(daemon).declare("q", options);
  auto out = queue.producer();
  out.publish("bad");
  for (int i = 0; i < 1000; ++i) out.publish("good");
  auto in = queue.consumer({.group = "g"});
  int bad = 0;
  int good = 0;
  const std::clock_t before = std::clock();
  for (const auto end = std::chrono::steady_clock::now() + 1500ms; std::chrono::steady_clock::now() < end;) {
    Result<Message> message = in.receive(50ms);
    if (!message) continue;
    if (message->text() == "bad") {
      ++bad;
      message->nack();
    } else {
      ++good;
      message->ack();
    }
  }
  EXPECT_EQ(good, 1000);
  EXPECT_GE(bad, 5);
  EXPECT_LE(bad, 20);
  EXPECT_LT(std::clock() - before, CLOCKS_PER_SEC / 2);
}

TEST(DaemonRedelivery, a_restart_keeps_options_and_delayed_messages) {
  const SupervisedDaemon daemon;
  const Queue queue =
      daemon.connect().declare("q", with_group({.retry_delay = 300ms, .max_deliveries = 3, .discard = true}));
  auto out = queue.producer();
  auto in = queue.consumer({.group = "g"});
  out.publish("x");
  const auto start = std::chrono::steady_clock::now();
  fail_one(in);
  const int before = daemon.pid();
  daemon.kill_daemon();
  EXPECT_NE(daemon.wait_for_another(before), before);
  const Queue again = daemon.connect().open_queue("q");
  EXPECT_EQ(group_of(again).retry_delay, 300ms);
  EXPECT_EQ(group_of(again).max_deliveries, 3U);
  EXPECT_TRUE(group_of(again).discard);
  Result<Message> message = in.receive(5s);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->deliveries(), 2U);
  EXPECT_GE(std::chrono::steady_clock::now() - start, 300ms);
  EXPECT_TRUE(message->reject());
  EXPECT_EQ(group_of(again).discarded, 1U);
}

TEST(DaemonRedelivery, a_change_counts_at_once_for_attached_consumers) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  const Queue queue = link.declare("q", with_group({}));
  auto out = queue.producer();
  auto in = queue.consumer({.group = "g"});
  out.publish("x");
  const auto changed = link.declare_some("q", {.retry_delay = 10min, .retry_delay_max = 10min},
                                         {"retry_delay_ms", "retry_delay_max_ms"});
  EXPECT_EQ(changed.changed.size(), 2U);
  fail_one(in);
  EXPECT_GT(*group_of(queue).due_in, 9min);
  QueueOptions own;
  own.groups = {NamedGroup("g", {.retry_delay = 0ms, .max_deliveries = 1, .discard = true})};
  static_cast<void>(link.declare_some("q", own, {}));
  out.publish("y");
  fail_one(in);
  EXPECT_EQ(in.counters().discarded, 1U);
  EXPECT_EQ(group_of(queue).retry_delay, 0ms);
}

TEST(DaemonRedelivery, a_limit_without_an_answer_is_refused_and_the_error_names_the_answer) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  const auto expect_refused = [](const std::function<void()>& call) {
    const Error error = error_of(call);
    EXPECT_EQ(error.reason(), Errc::invalid_option) << error.what();
    EXPECT_NE(std::string(error.what()).find("discard"), std::string::npos) << error.what();
  };
  expect_refused([&] { static_cast<void>(link.declare("a", {.max_deliveries = 3})); });
  expect_refused([&] { static_cast<void>(link.declare("b", with_group({.max_deliveries = 3}))); });
  const Queue queue = link.declare("q", with_group({}));
  expect_refused([&] { queue.add_group({"h", {.max_deliveries = 3}}); });
  expect_refused([&] { static_cast<void>(link.declare_some("q", {.max_deliveries = 3}, {"max_deliveries"})); });
  expect_refused([&] { static_cast<void>(link.declare_some("q", with_group({.max_deliveries = 3}), {})); });
  EXPECT_NO_THROW(queue.add_group({"h", {.max_deliveries = 3, .discard = true}}));
  EXPECT_NO_THROW(
      static_cast<void>(link.declare_some("q", {.max_deliveries = 3, .discard = true}, {"max_deliveries", "discard"})));
  expect_refused([&] { static_cast<void>(link.declare_some("q", {}, {"discard"})); });
}

TEST(DaemonRedelivery, a_delay_out_of_range_is_refused) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  EXPECT_EQ(reason_of([&] { static_cast<void>(link.declare("a", {.retry_delay = 25h})); }), Errc::invalid_option);
  EXPECT_EQ(reason_of([&] { static_cast<void>(link.declare("a", {.retry_delay_max = -1ms})); }), Errc::invalid_option);
  EXPECT_EQ(reason_of([&] { static_cast<void>(link.declare("a", with_group({.retry_delay = 25h}))); }),
            Errc::invalid_option);
  EXPECT_EQ(reason_of([&] { static_cast<void>(link.declare("a", {.max_deliveries = 256, .discard = true})); }),
            Errc::invalid_option);
}

class ToolRedelivery : public ToolTest {};

TEST_F(ToolRedelivery, the_options_of_failures_are_set_changed_and_shown) {
  ASSERT_TRUE(tool({"declare", "q", "--group", "g,retry-delay=5ms,retry-delay-max=1m,max-deliveries=5,discard=true"})
                  .exit.ok());
  const std::string shown = tool({"show", "q"}).out;
  EXPECT_NE(shown.find("5 times"), std::string::npos) << shown;
  const json changed = tool_json({"declare", "q", "--retry-delay", "2s", "--group", "g,max-deliveries=7"});
  EXPECT_EQ(changed["changed"].size(), 2U) << changed;
  EXPECT_EQ(changed["retry_delay_ms"], 2000);
  EXPECT_EQ(changed["own_max_deliveries"]["g"], 7);
  EXPECT_EQ(changed["own_discard"]["g"], true);
  EXPECT_TRUE(tool({"declare", "q", "--discard", "true"}).exit.ok());
  const Outcome wrong = tool({"declare", "q", "--group", "g,max-deliveries=many"});
  EXPECT_FALSE(wrong.exit.ok());
  EXPECT_NE(wrong.err.find("max-deliveries"), std::string::npos) << wrong.err;
}

TEST_F(ToolRedelivery, another_user_changes_no_option_of_failures) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  std::filesystem::permissions(daemon_.dir().path(), std::filesystem::perms{0755});
  ASSERT_TRUE(tool({"declare", "q", "--mode", "0666", "--group", "g"}).exit.ok());
  const auto as_nobody = [&](const QueueOptions& options, const std::vector<std::string>& said) {
    return Child::fork([&] {
             if (::chdir(daemon_.dir().path().c_str()) != 0) return 90;
             if (::setgid(65534) != 0 || ::setuid(65534) != 0) return 91;
             const auto declare = [&] {
               const auto link = Connection::open({.socket = daemon_.socket().filename(), .start_daemon = false});
               static_cast<void>(link.declare_some("q", options, said));
             };
             return static_cast<int>(error_of(declare).reason());
           })
        .wait()
        .code;
  };
  EXPECT_EQ(as_nobody({}, {"retry_delay_ms"}), 0);
  EXPECT_EQ(as_nobody({.retry_delay = 5ms}, {"retry_delay_ms"}), static_cast<int>(Errc::no_permission));
  EXPECT_EQ(as_nobody({.discard = true}, {"discard"}), static_cast<int>(Errc::no_permission));
  EXPECT_EQ(as_nobody({.drop_oldest = 3}, {"drop_oldest"}), static_cast<int>(Errc::no_permission));
  EXPECT_EQ(as_nobody({.lease_timeout = 100ms}, {"lease_timeout_ms"}), static_cast<int>(Errc::no_permission));
  EXPECT_EQ(as_nobody({.ttl = 5ms}, {"ttl_ms"}), static_cast<int>(Errc::no_permission));
  for (const GroupOptions& options : {GroupOptions{.discard = true}, GroupOptions{.ttl = 5ms},
                                      GroupOptions{.lease_timeout = 100ms}, GroupOptions{.drop_oldest = 3}}) {
    QueueOptions own;
    own.groups = {NamedGroup("g", options)};
    EXPECT_EQ(as_nobody(own, {}), static_cast<int>(Errc::no_permission));
  }
}

}  // namespace
}  // namespace beltway::test
