// lease_timeout through a real daemon: a stopped worker loses its message to another process, and the option of a living queue
// reaches the consumers that are attached.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "beltway/beltway.hpp"
#include "support/child.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"
#include "support/small_queue.hpp"
#include "support/supervised_daemon.hpp"

namespace beltway::test {
namespace {

using namespace std::chrono_literals;

QueueOptions with_timeout(std::chrono::milliseconds timeout) {
  QueueOptions options = k_small;
  options.groups = {"workers"};
  options.max_consumers = 4;
  options.lease_timeout = timeout;
  return options;
}

/// A worker that takes one message and stops itself. Its exit code says what it was told when it went on.
Child stopping_worker(const std::filesystem::path& socket) {
  return Child::fork([=] {
    const Connection link = Connection::open({.socket = socket});
    auto in = link.open_queue("jobs").consumer({.group = "workers"});
    Result<Message> held = in.receive(20s);
    if (!held) return 1;
    if (!held->still_held() || !held->extend()) return 2;
    ::raise(SIGSTOP);
    if (held->still_held()) return 3;
    if (held->extend()) return 4;
    if (held->ack()) return 5;
    Result<Message> next = in.receive(20s);  // it is still a worker
    return next && next->ack() ? 0 : 6;
  });
}

bool is_stopped(const Child& child) {
  return eventually(
      [&] { return read_file("/proc/" + std::to_string(child.pid()) + "/stat").find(") T ") != std::string::npos; });
}

TEST(DaemonLeaseTimeout, message_of_a_stopped_worker_goes_to_another_process) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("jobs", with_timeout(100ms));
  auto out = queue.producer();
  Child worker = stopping_worker(daemon.socket());
  out.publish("precious");
  ASSERT_TRUE(is_stopped(worker));
  EXPECT_TRUE(eventually([&] { return group_of(queue).overdue == 1; }));
  EXPECT_NE(daemon.tool({"show", "jobs"}).out.find("LEASES LAST"), std::string::npos);
  auto other = queue.consumer({.group = "workers", .prefetch = 1});
  Result<Message> again = other.receive(20s);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->deliveries(), 2U);
  EXPECT_EQ(again->text(), "precious");
  EXPECT_EQ(group_of(queue).timed_out, 1U);
  EXPECT_EQ(group_of(queue).overdue, 0U);
  worker.kill(SIGCONT);
  out.publish("for the worker that was late");
  EXPECT_EQ(worker.wait(), (Exit{.code = 0, .signal = 0}));
  EXPECT_TRUE(again->extend());
  EXPECT_EQ(again->text(), "precious");
  EXPECT_TRUE(again->ack());
}

TEST(DaemonLeaseTimeout, stopped_worker_of_a_sleeping_group_delays_its_message_by_the_timeout_alone) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("jobs", with_timeout(300ms));
  auto out = queue.producer();
  Child worker = stopping_worker(daemon.socket());
  out.publish("precious");
  ASSERT_TRUE(is_stopped(worker));
  auto other = queue.consumer({.group = "workers", .wait = WaitStrategy::sleep});
  const auto start = std::chrono::steady_clock::now();
  Result<Message> again = other.receive(20s);
  ASSERT_TRUE(again);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
  EXPECT_EQ(other.counters().rescued, 0U);
  EXPECT_TRUE(again->ack());
  worker.kill(SIGCONT);
  out.publish("more");
  EXPECT_EQ(worker.wait(), (Exit{.code = 0, .signal = 0}));
}

TEST(DaemonLeaseTimeout, option_of_a_living_queue_reaches_attached_consumers) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  const Queue queue = link.declare("jobs", with_timeout(0ms));
  auto out = queue.producer();
  auto slow = queue.consumer({.group = "workers"});
  auto quick = queue.consumer({.group = "workers"});
  EXPECT_EQ(group_of(queue).lease_timeout, 0ms);
  EXPECT_EQ(slow.try_receive().status(), Status::empty);
  static_cast<void>(link.declare_some("jobs", with_timeout(50ms), {"lease_timeout_ms"}));
  EXPECT_EQ(group_of(queue).lease_timeout, 50ms);
  EXPECT_EQ(slow.try_receive().status(), Status::empty) << "it reads the option";
  EXPECT_EQ(quick.try_receive().status(), Status::empty);
  out.publish("job");
  Result<Message> held = slow.receive(20s);
  ASSERT_TRUE(held);
  Result<Message> again = quick.receive(20s);
  ASSERT_TRUE(again);
  EXPECT_FALSE(held->ack());
  EXPECT_TRUE(again->ack());
  static_cast<void>(link.declare_some("jobs", with_timeout(0ms), {"lease_timeout_ms"}));
  EXPECT_EQ(slow.try_receive().status(), Status::empty);
  EXPECT_EQ(quick.try_receive().status(), Status::empty);
  out.publish("long job");
  Result<Message> kept = slow.receive(20s);
  ASSERT_TRUE(kept);
  EXPECT_EQ(quick.receive(300ms).status(), Status::timeout);
  EXPECT_TRUE(kept->ack());
}

TEST(DaemonLeaseTimeout, message_that_hangs_each_worker_is_given_up) {
  const TestDaemon daemon;
  QueueOptions options = with_timeout(30ms);
  options.max_deliveries = 3;
  options.discard = true;
  const Queue queue = connect(daemon).declare("jobs", options);
  auto out = queue.producer();
  out.publish("poison");
  std::vector<Consumer> workers;
  std::vector<Message> held;
  for (unsigned i = 0; i < 3; ++i) {
    workers.push_back(queue.consumer({.group = "workers"}));
    Result<Message> message = workers.back().receive(20s);
    ASSERT_TRUE(message) << i;
    EXPECT_EQ(message->deliveries(), i + 1);
    held.push_back(std::move(*message));
  }
  auto last = queue.consumer({.group = "workers"});
  EXPECT_EQ(last.receive(500ms).status(), Status::timeout);
  EXPECT_EQ(group_of(queue).discarded, 1U);
  for (Message& message : held) EXPECT_FALSE(message.ack());
}

}  // namespace
}  // namespace beltway::test
