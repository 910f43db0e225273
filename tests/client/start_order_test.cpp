// Programs that start in any order: declaring what is there, waiting for a queue or its endpoints, messages that nobody reads.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <optional>
#include <stop_token>
#include <thread>

#include "beltway/beltway.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"
#include "support/typed_queues.hpp"

namespace beltway {
namespace {

using namespace std::chrono_literals;
using test::connect;
using test::error_of;
using test::k_small;
using test::Price;
using test::TestDaemon;
using test::Weight;

TEST(StartOrder, declare_without_options_opens_an_existing_queue) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  const Queue made = link.declare("orders", {.slots = 4, .slot_bytes = 64, .max_producers = 1, .groups = {"g"}});
  const Queue opened = link.declare("orders");
  EXPECT_EQ(opened.id(), made.id());
  EXPECT_EQ(opened.options().slots, 4U);
  EXPECT_EQ(link.declare("missing").options().slots, QueueOptions().slots) << "made with the defaults";
  EXPECT_EQ(error_of([&] { (void)link.declare("orders", QueueOptions()); }).reason(), Errc::already_exists);
}

TEST(StartOrder, typed_declare_without_options_compares_the_type_alone) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  (void)link.declare<Price>("prices", {.slots = 4});
  EXPECT_EQ(link.declare<Price>("prices").untyped().options().slots, 4U);
  EXPECT_EQ(error_of([&] { (void)link.declare<Weight>("prices"); }).reason(), Errc::already_exists);
  EXPECT_EQ(link.open_queue<Price>("prices", 1s).untyped().options().slots, 4U);
}

TEST(StartOrder, open_queue_waits_until_a_process_declares_it) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  std::jthread later([&] {
    std::this_thread::sleep_for(50ms);
    (void)link.declare("orders", k_small);
  });
  EXPECT_EQ(link.open_queue("orders", 20s).options().slots, k_small.slots);
}

TEST(StartOrder, open_queue_gives_up_at_its_deadline_and_at_a_stop) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  const Error late = error_of([&] { (void)link.open_queue("orders", 30ms); });
  EXPECT_EQ(late.reason(), Errc::not_found);
  EXPECT_NE(std::string(late.what()).find("none came in time"), std::string::npos) << late.what();
  std::stop_source stop;
  std::jthread later([&] {
    std::this_thread::sleep_for(30ms);
    stop.request_stop();
  });
  EXPECT_EQ(error_of([&] { (void)link.open_queue("orders", stop.get_token()); }).reason(), Errc::interrupted);
  EXPECT_EQ(error_of([&] { (void)link.open_queue("a b", 20s); }).reason(), Errc::invalid_option) << "at once";
}

TEST(StartOrder, a_wait_for_endpoints_ends_when_enough_are_attached) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("orders", k_small);
  EXPECT_EQ(queue.wait_for_consumers(0), Status::ok);
  EXPECT_EQ(queue.wait_for_consumers(1, 10ms), Status::timeout);
  EXPECT_EQ(queue.wait_for_producers(1, 10ms), Status::timeout);
  const Consumer in = queue.consumer();
  EXPECT_EQ(queue.wait_for_consumers(1, 20s), Status::ok);
  EXPECT_EQ(queue.wait_for_producers(1, 10ms), Status::timeout) << "a consumer is no producer";
  std::optional<Producer> out;
  std::jthread later([&] {
    std::this_thread::sleep_for(30ms);
    out = queue.producer();
  });
  EXPECT_EQ(queue.wait_for_producers(1, 20s), Status::ok);
  later.join();
}

TEST(StartOrder, a_wait_for_endpoints_ends_at_a_stop_and_at_the_removal) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  const Queue queue = link.declare("orders", k_small);
  std::stop_source stop;
  {
    std::jthread later([&] {
      std::this_thread::sleep_for(30ms);
      stop.request_stop();
    });
    EXPECT_EQ(queue.wait_for_consumers(1, stop.get_token()), Status::stopped);
  }
  std::jthread later([&] {
    std::this_thread::sleep_for(30ms);
    link.remove("orders");
  });
  EXPECT_EQ(error_of([&] { (void)queue.wait_for_producers(1, 20s); }).reason(), Errc::removed);
}

/// A daemon that does not answer. It is continued before the test ends.
class SilentDaemon {
 public:
  SilentDaemon() : link_(Connection::open({.socket = daemon_.socket(), .timeout = 60s})) {
    queue_.emplace(link_.declare("orders", k_small));
    daemon_.process().kill(SIGSTOP);
  }
  ~SilentDaemon() { daemon_.process().kill(SIGCONT); }
  SilentDaemon(const SilentDaemon&) = delete;
  SilentDaemon& operator=(const SilentDaemon&) = delete;

  [[nodiscard]] const Connection& link() const { return link_; }
  [[nodiscard]] const Queue& queue() const { return *queue_; }
  void go_on() { daemon_.process().kill(SIGCONT); }

 private:
  TestDaemon daemon_;
  Connection link_;
  std::optional<Queue> queue_;
};

/// Much less than the time that a request may take, much more than the deadlines here.
constexpr auto k_in_time = 20s;

TEST(StartOrder, waits_for_a_silent_daemon_end_at_the_deadline_of_their_caller) {
  SilentDaemon daemon;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 3; ++i) {
    const Error error = error_of([&] { (void)daemon.link().open_queue("orders", 30ms); });
    EXPECT_EQ(error.reason(), Errc::no_daemon);
    EXPECT_NE(std::string(error.what()).find("kill -CONT"), std::string::npos) << error.what();
    EXPECT_EQ(daemon.queue().wait_for_consumers(1, 30ms), Status::timeout);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, k_in_time);
  daemon.go_on();
  EXPECT_EQ(daemon.link().open_queue("orders", 20s).id(), daemon.queue().id());
  const Consumer in = daemon.queue().consumer();
  EXPECT_EQ(daemon.queue().wait_for_consumers(1, 20s), Status::ok) << "late answers are not taken for this one's";
}

TEST(StartOrder, waits_for_a_silent_daemon_end_at_a_stop) {
  SilentDaemon daemon;
  const auto begin = std::chrono::steady_clock::now();
  // The second one asks on a new connection: an answer is still due on the first one.
  for (int i = 0; i < 2; ++i) {
    std::stop_source stop;
    std::jthread later([&] {
      std::this_thread::sleep_for(50ms);
      stop.request_stop();
    });
    EXPECT_EQ(error_of([&] { (void)daemon.link().open_queue("orders", stop.get_token()); }).reason(),
              Errc::interrupted);
  }
  std::stop_source stop;
  std::jthread later([&] {
    std::this_thread::sleep_for(50ms);
    stop.request_stop();
  });
  EXPECT_EQ(daemon.queue().wait_for_producers(1, stop.get_token()), Status::stopped);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, k_in_time);
}

TEST(StartOrder, waits_end_while_another_thread_asks_a_silent_daemon) {
  SilentDaemon daemon;
  const auto begin = std::chrono::steady_clock::now();
  const std::jthread other([&] { (void)daemon.link().ping(); });
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(error_of([&] { (void)daemon.link().open_queue("orders", 30ms); }).reason(), Errc::no_daemon);
  EXPECT_EQ(daemon.queue().wait_for_consumers(1, 30ms), Status::timeout);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, k_in_time);
  daemon.go_on();
}

TEST(StartOrder, waits_ask_at_least_once_and_not_after_a_stop) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  const Queue queue = link.declare("orders", k_small);
  EXPECT_EQ(link.open_queue("orders", 0ms).id(), queue.id());
  EXPECT_EQ(queue.wait_for_consumers(0, 0ms), Status::ok);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(error_of([&] { (void)link.open_queue("orders", stop.get_token()); }).reason(), Errc::interrupted);
  EXPECT_EQ(queue.wait_for_consumers(0, stop.get_token()), Status::stopped);
}

TEST(Unread, messages_without_any_group_or_consumer_are_counted) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("orders", {.slots = 16});
  const auto unread = [&] { return queue.snapshot().totals.unread; };
  auto out = queue.producer();
  for (int i = 0; i < 3; ++i) out.publish("nobody gets this");
  EXPECT_EQ(out.counters().unread, 3U);
  EXPECT_EQ(unread(), 3U);
  {
    auto in = queue.consumer();
    for (int i = 0; i < 2; ++i) out.publish("read");
    EXPECT_EQ(unread(), 3U);
  }
  EXPECT_TRUE(test::eventually([&] { return queue.describe().endpoints.size() == 1; })) << "the consumer is detached";
  out.publish("nobody gets this");
  EXPECT_EQ(unread(), 4U);
  auto another = queue.producer();
  EXPECT_EQ(another.counters().unread, 0U) << "it counts from its own attach on";
  queue.add_group("g");
  out.publish("kept for the group");
  EXPECT_EQ(unread(), 4U);
  EXPECT_EQ(out.counters().unread, 4U);
  queue.remove_group("g");
  out.publish("nobody gets this");
  EXPECT_EQ(unread(), 5U);
  EXPECT_EQ(another.counters().unread, 1U);
}

TEST(Unread, messages_that_a_group_gets_from_the_ring_are_not_counted) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("orders", {.slots = 16});
  auto out = queue.producer();
  for (int i = 0; i < 20; ++i) out.publish("x");
  EXPECT_EQ(out.counters().unread, 20U);
  auto in = queue.consumer({.start = Start::oldest});
  std::uint64_t got = 0;
  while (in.try_receive()) ++got;
  EXPECT_EQ(out.counters().unread + got, 20U);
  EXPECT_GE(got, 15U);
}

TEST(Unread, the_count_of_unread_messages_is_shown_by_the_tool) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("orders", {.slots = 16});
  for (int i = 0; i < 3; ++i) queue.producer().publish("x");
  const test::Outcome text = daemon.tool({"show", "orders"});
  EXPECT_NE(text.out.find("3 messages were published while there was no group and no consumer"), std::string::npos)
      << text.out;
  const test::Outcome as_json = daemon.tool({"show", "orders", "--format", "json"});
  EXPECT_NE(as_json.out.find("\"unread\":3"), std::string::npos) << as_json.out;
}

}  // namespace
}  // namespace beltway
