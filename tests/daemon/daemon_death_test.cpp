// How the daemon learns that a process is gone, and that it does not believe so too early: killed, forked, replaced by
// another program, without a connection, without descriptors, without its main thread.
#include <gtest/gtest.h>

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "beltway/beltway.hpp"
#include "support/child.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

namespace beltway {

using namespace beltway::os;

namespace {

using test::Child;
using test::connect;
using test::eventually;
using test::k_small;
using test::RawClient;
using test::TestDaemon;

TEST(Daemon, a_daemon_frees_the_place_of_a_process_that_is_killed) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("orders", k_small);
  Child victim = Child::fork([&] {
    const Queue own = connect(daemon).open_queue("orders");
    auto out = own.producer();
    auto in = own.consumer();
    out.publish("last words");
    ::pause();
    return 0;
  });
  ASSERT_TRUE(eventually([&] { return queue.describe().endpoints.size() == 2 && queue.snapshot().position == 1; }));
  EXPECT_EQ(queue.describe().endpoints[0].pid, victim.pid());
  victim.kill(SIGKILL);
  victim.wait();
  EXPECT_TRUE(eventually([&] { return queue.describe().endpoints.empty(); }));
  const QueueSnapshot after = queue.snapshot();
  EXPECT_EQ(after.totals.repairs, 2U);
  EXPECT_EQ(after.totals.messages_in, 1U);
  EXPECT_EQ(after.used, 0U) << "its private group holds nobody back";
}

TEST(Daemon, a_daemon_finds_no_disorder_after_processes_that_were_killed_asleep) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("orders", {.slots = 2, .groups = {"g"}});
  std::vector<Child> victims;
  for (const std::string& group : {std::string(), std::string("g")}) {
    victims.push_back(Child::fork([&] {
      auto in = connect(daemon).open_queue("orders").consumer({.group = group, .wait = WaitStrategy::sleep});
      static_cast<void>(in.receive());
      return 1;
    }));
  }
  ASSERT_TRUE(eventually([&] {
    const std::vector<ConsumerState> consumers = queue.snapshot().consumers;
    return consumers.size() == 2 &&
           std::ranges::all_of(consumers, [](const ConsumerState& each) { return each.sleep == SleepState::asleep; });
  }));
  for (Child& victim : victims) victim.kill(SIGKILL), victim.wait();
  ASSERT_TRUE(eventually([&] { return queue.describe().endpoints.empty(); }));
  victims.clear();
  // The group has no consumer now, and holds the ring.
  victims.push_back(Child::fork([&] {
    auto out = connect(daemon).open_queue("orders").producer({.wait = WaitStrategy::sleep});
    for (;;) out.publish("x");
    return 1;
  }));
  ASSERT_TRUE(eventually([&] {
    const std::vector<ProducerState> producers = queue.snapshot().producers;
    return producers.size() == 1 && producers[0].sleep == SleepState::asleep;
  }));
  victims[0].kill(SIGKILL), victims[0].wait();
  ASSERT_TRUE(eventually([&] { return queue.describe().endpoints.empty(); }));
  EXPECT_EQ(daemon.log().find("disorder"), std::string::npos) << daemon.log();
}

TEST(Daemon, a_daemon_adds_up_the_messages_of_successive_single_producers) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("orders", {.slots = 8, .max_producers = 1});
  std::uint64_t all = 0;
  for (const std::uint64_t messages : {3U, 2U}) {
    Child victim = Child::fork([&] {
      auto out = connect(daemon).open_queue("orders").producer();
      for (std::uint64_t i = 1; i < messages; ++i) out.publish("four");
      out.publish_batch(std::array<Bytes, 1>{Bytes("four")});
      ::pause();
      return 0;
    });
    ASSERT_TRUE(eventually([&] {
      const QueueSnapshot now = queue.snapshot();
      return now.producers.size() == 1 && now.producers[0].counters.messages == messages &&
             now.producers[0].counters.bytes == 4 * messages;
    }));
    victim.kill(SIGKILL);
    victim.wait();
    all += messages;
    ASSERT_TRUE(eventually([&] { return queue.describe().endpoints.empty(); }));
    EXPECT_EQ(queue.snapshot().totals.messages_in, all);
    EXPECT_EQ(queue.snapshot().totals.bytes_in, 4 * all);
  }
}

TEST(Daemon, a_daemon_keeps_the_places_of_a_process_whose_child_has_its_socket) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("orders", k_small);
  Child parent = Child::fork([&] {
    const Queue own = connect(daemon).open_queue("orders");
    auto out = own.producer();
    // A child that outlives its parent and never execs: it holds the socket and the eventfds, and no mapping.
    if (::fork() == 0) {
      ::sleep(5);
      ::_exit(0);
    }
    ::pause();
    return 0;
  });
  ASSERT_TRUE(eventually([&] { return queue.describe().endpoints.size() == 1; }));
  parent.kill(SIGKILL);
  parent.wait();
  EXPECT_TRUE(eventually([&] { return queue.describe().endpoints.empty(); }));
}

TEST(Daemon, a_daemon_frees_the_place_of_a_process_that_becomes_another_program) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("orders", k_small);
  Child process = Child::fork([&] {
    auto out = connect(daemon).open_queue("orders").producer();
    out.publish("now");
    ::execlp("sleep", "sleep", "60", nullptr);
    return 1;
  });
  ASSERT_TRUE(eventually([&] { return queue.snapshot().position == 1; }));
  EXPECT_TRUE(eventually([&] { return queue.describe().endpoints.empty(); }));
  EXPECT_FALSE(process.poll().has_value()) << "it lives on as another program";
}

TEST(Daemon, a_daemon_keeps_the_place_of_a_process_that_closed_its_connection_only) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  const Queue queue = link.declare("orders", k_small);
  RawClient client(daemon);
  client.say_hello();
  client.say({{"op", "attach"}, {"n", 1}, {"queue", queue.id()}, {"role", "producer"}, {"barriers", true}});
  ASSERT_EQ(client.hear()["endpoint"], 0);
  std::vector<Fd> held = std::move(client.descriptors);
  client.close();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(queue.describe().endpoints.size(), 1U);
  held.clear();
  EXPECT_TRUE(eventually([&] { return queue.describe().endpoints.empty(); }));
}

TEST(Daemon, a_daemon_keeps_the_place_of_a_process_whose_main_thread_has_ended) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("orders", k_small);
  auto in = queue.consumer();
  Child process = Child::fork([&]() -> int {
    static Producer out = connect(daemon).open_queue("orders").producer();
    std::thread([] {
      for (;;) {
        out.publish("still here");
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    }).detach();
    return static_cast<int>(::syscall(SYS_exit, 0));  // this thread alone, and no destructor
  });
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(in.receive(std::chrono::seconds(20)));
  EXPECT_EQ(queue.describe().endpoints.size(), 2U);
  process.kill(SIGKILL);
  process.wait();
  EXPECT_TRUE(eventually([&] { return queue.describe().endpoints.size() == 1; }));
}

TEST(Daemon, a_daemon_keeps_the_place_of_a_thread_that_died_while_its_process_lives) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("orders", k_small);
  Child process = Child::fork([&] {
    static std::optional<Producer> left;
    std::thread([&] {
      left.emplace(connect(daemon).open_queue("orders").producer());
      left->publish("by the thread");
    }).join();
    left->publish("by who found it");
    ::pause();
    return 0;
  });
  ASSERT_TRUE(eventually([&] { return queue.snapshot().position == 2; }));
  EXPECT_EQ(queue.describe().endpoints.size(), 1U);
  process.kill(SIGKILL);
  process.wait();
  EXPECT_TRUE(eventually([&] { return queue.describe().endpoints.empty(); }));
}

TEST(Daemon, a_daemon_keeps_the_place_of_a_process_without_descriptors_until_it_dies) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("orders", k_small);
  auto in = queue.consumer({.wait = WaitStrategy::spin});  // nobody can ring it any more
  Child process = Child::fork([&] {
    auto out = connect(daemon).open_queue("orders").producer();
    ::syscall(SYS_close_range, 3U, ~0U, 0U);
    for (int i = 0; i < 10; ++i) out.publish("x");
    ::pause();
    return 0;
  });
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(in.receive(std::chrono::seconds(20)));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(queue.describe().endpoints.size(), 2U);
  process.kill(SIGKILL);
  process.wait();
  EXPECT_TRUE(eventually([&] { return queue.describe().endpoints.size() == 1; }));
}

TEST(Daemon, a_daemon_frees_a_place_whose_answer_was_never_read) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("orders", k_small);
  {
    RawClient client(daemon);
    client.say_hello();
    client.say({{"op", "attach"}, {"n", 1}, {"queue", queue.id()}, {"role", "producer"}, {"bells", true}});
  }
  EXPECT_TRUE(eventually([&] { return queue.snapshot().totals.repairs == 1; }));
  EXPECT_TRUE(queue.describe().endpoints.empty());
}

}  // namespace
}  // namespace beltway
