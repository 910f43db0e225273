// evict_after_ms: a consumer that stands still while producers wait is thrown out, goes on as far as it can without doing harm,
// and is told; nobody else ever is.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

#include "beltway/beltway.hpp"
#include "endpoint/overwriting.hpp"
#include "support/child.hpp"
#include "support/raw_client.hpp"
#include "support/supervised_daemon.hpp"

namespace beltway {
namespace {

using namespace std::chrono_literals;
using test::Child;
using test::connect;
using test::eventually;
using test::k_small;
using test::TestDaemon;

QueueOptions evicting(std::chrono::milliseconds evict_after = 50ms) {
  QueueOptions options = k_small;
  options.groups = {"workers"};
  options.max_consumers = 4;
  options.evict_after = evict_after;
  options.max_parked = 0;  // what is held holds the ring
  return options;
}

/// A consumer in a process of its own that takes one message and stops itself; what it sees when it goes on is its exit code.
Child stopping_consumer(const std::filesystem::path& socket, const std::string& group) {
  return Child::fork([=] {
    const Connection link = Connection::open({.socket = socket});
    auto in = link.open_queue("orders").consumer({.group = group});
    Result<Message> held = in.receive(20s);
    if (!held) return 1;
    ::raise(SIGSTOP);
    if (held->ack()) return 2;  // it is another's message now
    if (in.receive(20s).status() != Status::evicted) return 3;
    if (in.try_receive().status() != Status::evicted) return 4;
    in = link.open_queue("orders").consumer({.group = group, .start = Start::oldest});
    return in.receive(20s) ? 0 : 5;
  });
}

bool is_stopped(const Child& child) {
  return eventually([&] {
    return test::read_file("/proc/" + std::to_string(child.pid()) + "/stat").find(") T ") != std::string::npos;
  });
}

void publish_two_laps(Producer& out) {
  for (std::uint32_t i = 0; i < 2 * k_small.slots; ++i) EXPECT_EQ(out.publish_until("x", 20s), Status::ok) << i;
}

TEST(Eviction, an_eviction_gives_messages_of_a_stopped_worker_to_another) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("orders", evicting());
  auto out = queue.producer();
  Child worker = stopping_consumer(daemon.socket(), "workers");
  out.publish("precious");
  ASSERT_TRUE(is_stopped(worker));
  auto other = queue.consumer({.group = "workers", .ack = Ack::automatic});
  std::jthread producer([&] { publish_two_laps(out); });
  unsigned again = 0;
  for (std::uint32_t i = 0; i < 2 * k_small.slots + 1; ++i) {
    Result<Message> message = other.receive(20s);
    ASSERT_TRUE(message) << i << to_string(message.status());
    if (message->deliveries() == 2) ++again;
  }
  EXPECT_EQ(again, 1U);
  producer.join();
  ASSERT_EQ(queue.describe().endpoints.size(), 3U) << "its place is not given out again while it may wake up";
  EXPECT_TRUE(queue.describe().endpoints[1].evicted);
  EXPECT_NE(daemon.tool({"show", "orders"}).out.find("EVICTED"), std::string::npos);
  worker.kill(SIGCONT);
  out.publish("for its second life");
  other = queue.consumer();  // leaves the group to it
  EXPECT_EQ(worker.wait(), (test::Exit{.code = 0, .signal = 0}));
  EXPECT_TRUE(eventually([&] { return queue.describe().endpoints.size() == 2; }));
}

TEST(Eviction, an_eviction_frees_the_ring_from_a_stopped_private_consumer) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("orders", evicting());
  queue.remove_group("workers");
  auto out = queue.producer();
  Child reader = stopping_consumer(daemon.socket(), "");
  ASSERT_TRUE(eventually([&] { return queue.describe().endpoints.size() == 2; }));
  out.publish("held");
  ASSERT_TRUE(is_stopped(reader));
  publish_two_laps(out);
  EXPECT_TRUE(queue.describe().endpoints[1].evicted);
  reader.kill(SIGCONT);
  EXPECT_EQ(reader.wait(), (test::Exit{.code = 0, .signal = 0}));
  EXPECT_TRUE(eventually([&] { return queue.describe().endpoints.size() == 1; }));
}

/// Two stand still at the same message, and the ring is full.
void expect_only_the_hasty_group_is_thrown_out(QueueOptions options) {
  const TestDaemon daemon;
  options.max_consumers = 4;
  const Queue queue = connect(daemon).declare("orders", options);
  auto out = queue.producer();
  Child patient = stopping_consumer(daemon.socket(), "patient");
  Child hasty = stopping_consumer(daemon.socket(), "hasty");
  out.publish("held");
  ASSERT_TRUE(is_stopped(patient) && is_stopped(hasty));
  for (std::uint32_t i = 1; i < k_small.slots; ++i) out.publish("x");
  const auto is_evicted = [&](const std::string& group) {
    const std::vector<EndpointInfo> endpoints = queue.describe().endpoints;
    return std::any_of(endpoints.begin(), endpoints.end(),
                       [&](const EndpointInfo& each) { return each.evicted && each.group == group; });
  };
  EXPECT_TRUE(eventually([&] { return is_evicted("hasty"); }));
  EXPECT_EQ(out.publish_until("x", 300ms), Status::timeout) << "the patient group still holds the ring";
  EXPECT_FALSE(is_evicted("patient"));
  hasty.kill(SIGCONT);
  EXPECT_EQ(hasty.wait(), (test::Exit{.code = 0, .signal = 0}));
  patient.kill(SIGKILL);
}

TEST(Eviction, a_group_may_have_evictions_where_the_queue_has_none) {
  QueueOptions options = k_small;
  options.groups = {"patient", {"hasty", {.evict_after = 50ms}}};
  expect_only_the_hasty_group_is_thrown_out(options);
}

TEST(Eviction, a_group_may_have_no_evictions_where_the_queue_has_them) {
  QueueOptions options = k_small;
  options.groups = {{"patient", {.evict_after = 0ms}}, "hasty"};
  options.evict_after = 50ms;
  expect_only_the_hasty_group_is_thrown_out(options);
}

TEST(Eviction, a_consumer_that_goes_on_or_blocks_no_producer_is_not_evicted) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("orders", evicting(2000ms));
  auto out = queue.producer();
  auto slow = queue.consumer({.group = "workers"});
  auto reader = queue.consumer();
  std::jthread producer([&] { publish_two_laps(out); });
  for (std::uint32_t i = 0; i < 2 * k_small.slots; ++i) {
    Result<Message> kept = slow.receive(20s);
    ASSERT_TRUE(kept) << i;
    EXPECT_TRUE(endpoint::may_be_overwritten(*kept));
    std::this_thread::sleep_for(80ms);  // in all: longer than the span
    EXPECT_TRUE(kept->ack());
    EXPECT_TRUE(reader.receive(20s));
  }
  producer.join();
  out.publish("held for long, and nobody waits");
  Result<Message> held = slow.receive(20s);
  std::this_thread::sleep_for(2500ms);
  EXPECT_TRUE(held->ack());
  for (const EndpointInfo& endpoint : queue.describe().endpoints) EXPECT_FALSE(endpoint.evicted);
}

TEST(Eviction, a_consumer_whose_only_message_is_parked_is_not_evicted_and_finishes_its_long_job) {
  constexpr auto k_evict_after = 200ms;
  const TestDaemon daemon;
  QueueOptions options = evicting(k_evict_after);
  options.max_parked = {};
  const Queue queue = connect(daemon).declare("orders", options);
  auto out = queue.producer({.wait = WaitStrategy::sleep});
  auto holder = queue.consumer({.group = "workers", .prefetch = 1});
  out.publish("long job");
  Result<Message> job = holder.receive(20s);
  ASSERT_TRUE(job);
  std::atomic<std::uint64_t> received = 0;
  {
    // Slow beside the producer, so that it waits for room all the time. A slow machine may evict this consumer: it goes on.
    std::jthread worker([&](const std::stop_token& stop) {
      auto in = queue.consumer({.group = "workers", .ack = Ack::automatic, .reattach = true});
      while (Result<Message> message = in.receive(stop)) {
        ++received;
        std::this_thread::sleep_for(1ms);
      }
    });
    std::jthread producer([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) static_cast<void>(out.publish_until("short job", Until(stop)));
    });
    const auto end = std::chrono::steady_clock::now() + 5 * k_evict_after;
    EXPECT_TRUE(eventually([&] { return received > 10 * k_small.slots && std::chrono::steady_clock::now() > end; }));
    // While the producer waits, the one message that the worker holds may be parked, too.
    const QueueSnapshot seen = queue.snapshot();
    EXPECT_GE(seen.parked, 1U);
    EXPECT_LE(seen.parked, 2U);
    EXPECT_EQ(seen.groups.at(0).parked_holder, holder.index());
  }
  EXPECT_GT(out.counters().sleeps, 0U) << "producers waited for room";
  EXPECT_TRUE(job->still_held());
  EXPECT_EQ(job->text(), "long job");
  EXPECT_TRUE(job->ack());
  for (const EndpointInfo& endpoint : queue.describe().endpoints) {
    EXPECT_FALSE(endpoint.evicted && endpoint.index == holder.index());
  }
  EXPECT_EQ(holder.receive(20s)->text(), "short job") << "it is still a worker";
}

TEST(Eviction, evictions_are_off_by_default_and_the_tool_names_the_blocking_consumer) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("orders", evicting(0ms));
  auto out = queue.producer();
  Child worker = stopping_consumer(daemon.socket(), "workers");
  while (out.try_publish("x") == Status::ok) {
  }
  ASSERT_TRUE(is_stopped(worker));
  EXPECT_EQ(out.publish_until("x", 300ms), Status::timeout);
  const std::string shown = daemon.tool({"show", "orders"}).out;
  EXPECT_NE(shown.find("group \"workers\" waits for consumer 0 (process " + std::to_string(worker.pid())),
            std::string::npos)
      << shown;
  EXPECT_NE(shown.find("STOPPED"), std::string::npos) << shown;
}

/// A suspended machine, a paused container: the consumer works for a fraction of its span on each message, and all stand still
/// for longer than the span at the same time. The daemon goes on first.
TEST(Eviction, a_consumer_is_not_evicted_after_daemon_and_clients_were_frozen_together) {
  TestDaemon daemon;
  const Queue queue = connect(daemon).declare("orders", evicting(2000ms));
  Child worker = Child::fork([&] {
    auto in = connect(daemon).open_queue("orders").consumer({.group = "workers"});
    for (;;) {
      Result<Message> message = in.receive(20s);
      if (!message) return 1;
      for (int nap = 0; nap < 20; ++nap) std::this_thread::sleep_for(10ms);
      if (!message->ack()) return 2;
    }
  });
  Child producer = Child::fork([&] {
    auto out = connect(daemon).open_queue("orders").producer({.wait = WaitStrategy::sleep});
    while (out.publish_until("x", 20s) == Status::ok) {
    }
    return 1;
  });
  ASSERT_TRUE(eventually([&] { return queue.snapshot().used == k_small.slots; }));
  const std::array<pid_t, 3> all{daemon.process().pid(), worker.pid(), producer.pid()};
  for (const pid_t each : all) ::kill(each, SIGSTOP);
  std::this_thread::sleep_for(3s);
  ::kill(all[0], SIGCONT);
  std::this_thread::sleep_for(50ms);
  ::kill(all[1], SIGCONT);
  ::kill(all[2], SIGCONT);
  std::this_thread::sleep_for(1s);
  EXPECT_FALSE(worker.poll().has_value());
  for (const EndpointInfo& endpoint : queue.describe().endpoints) EXPECT_FALSE(endpoint.evicted);
}

TEST(Eviction, an_eviction_is_remembered_over_a_restart_of_the_daemon) {
  const test::SupervisedDaemon daemon;
  const Queue queue = daemon.connect().declare("orders", evicting(0ms));
  queue.add_group({"late", {.evict_after = 50ms}});
  auto out = queue.producer();
  const auto restart = [&] {
    const int before = daemon.pid();
    daemon.kill_daemon();
    EXPECT_NE(daemon.wait_for_another(before), before);
  };
  restart();
  EXPECT_EQ(queue.describe().options.groups, (std::vector<NamedGroup>{"workers", {"late", {.evict_after = 50ms}}}));
  Child worker = stopping_consumer(daemon.socket(), "late");
  out.publish("precious");
  ASSERT_TRUE(is_stopped(worker));
  for (std::uint32_t i = 0; i + 1 < k_small.slots; ++i) out.publish("x");
  EXPECT_TRUE(eventually([&] { return queue.describe().endpoints[1].evicted; })) << "by its record";
  restart();
  EXPECT_TRUE(queue.describe().endpoints[1].evicted);
  worker.kill(SIGCONT);
  EXPECT_EQ(worker.wait(), (test::Exit{.code = 0, .signal = 0}));
}

TEST(Eviction, evict_after_is_an_option_of_a_group_that_the_tool_sets_and_shows) {
  const TestDaemon daemon;
  const auto code = [&](const std::vector<std::string>& arguments) { return daemon.tool(arguments).exit.code; };
  EXPECT_EQ(code({"declare", "q", "--evict-after", "1m", "--group", "plain", "--group", "own,evict-after=1.5s"}), 0);
  EXPECT_EQ(code({"group", "add", "q", "never", "--evict-after", "0"}), 0);
  EXPECT_EQ(connect(daemon).describe("q").options.groups,
            (std::vector<NamedGroup>{"plain", {"own", {.evict_after = 1500ms}}, {"never", {.evict_after = 0ms}}}));
  const auto shown = nlohmann::json::parse(daemon.tool({"show", "q", "--format", "json"}).out);
  EXPECT_EQ(shown["queue"]["groups"], (nlohmann::json{"plain", "own", "never"}));
  EXPECT_EQ(shown["queue"]["own_evict_after_ms"], (nlohmann::json{{"own", 1500}, {"never", 0}}));
  EXPECT_EQ(shown["state"]["groups"][0]["evict_after_ms"], 60'000) << "the queue's";
  EXPECT_EQ(shown["state"]["groups"][1]["evict_after_ms"], 1500);
  EXPECT_NE(daemon.tool({"show", "q"}).out.find("1.5 s"), std::string::npos) << daemon.tool({"show", "q"}).out;
  EXPECT_EQ(code({"group", "add", "q", "own", "--evict-after", "2s"}), 1);
  for (const char* const nonsense : {"g,evict-after=soon", "g,evict-after=", "g,", "g,hurry=1s"}) {
    EXPECT_EQ(code({"declare", "r", "--group", nonsense}), 2) << nonsense;
  }
}

TEST(Eviction, evict_after_is_an_option_of_the_queue_that_is_checked_and_shown) {
  const TestDaemon daemon;
  EXPECT_TRUE(daemon.tool({"declare", "orders", "--evict-after", "1.5s"}).exit.ok());
  const Connection link = connect(daemon);
  EXPECT_EQ(link.describe("orders").options.evict_after, 1500ms);
  EXPECT_NE(daemon.tool({"show", "orders"}).out.find("evicts after"), std::string::npos);
  EXPECT_EQ(link.declare("orders", {}).options().evict_after, 1500ms) << "0 asks for none";
  const Error differs = test::error_of([&] { (void)link.declare("orders", {.evict_after = 2s}); });
  EXPECT_NE(std::string(differs.what()).find("evict_after_ms 1500, not 2000"), std::string::npos) << differs.what();
  const Error refused = test::error_of([&] { (void)link.declare("other", evicting(1ms)); });
  EXPECT_NE(std::string(refused.what()).find("evict_after_ms is 1; it must be 0 or 10 to"), std::string::npos)
      << refused.what();
}

}  // namespace
}  // namespace beltway
