// What the daemon tells about the life of queues and processes, also over its own death.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <thread>

#include "beltway/beltway.hpp"
#include "support/child.hpp"
#include "support/fake_systemd.hpp"
#include "support/raw_client.hpp"
#include "support/supervised_daemon.hpp"

namespace beltway {
namespace {

using namespace std::chrono_literals;
using test::Child;
using test::connect;
using test::eventually;
using test::k_small;
using test::SupervisedDaemon;
using test::TestDaemon;

/// All events so far.
std::vector<Event> all_events(const Connection& link) {
  std::vector<Event> all;
  std::uint64_t next = 0;
  for (;;) {
    const EventPage page = link.events(next);
    all.insert(all.end(), page.events.begin(), page.events.end());
    if (!page.more) return all;
    next = page.next;
  }
}

std::vector<Event> events_of_kind(const Connection& link, const std::string& kind) {
  std::vector<Event> all = all_events(link);
  std::erase_if(all, [&kind](const Event& event) { return event.kind != kind; });
  return all;
}

bool has_event(const Connection& link, const std::string& kind) { return !events_of_kind(link, kind).empty(); }

TEST(DaemonEvents, events_tell_the_life_of_a_queue_in_order) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  {
    const Queue queue = link.declare("orders", k_small);
    queue.add_group({"g"});
    const Producer out = queue.producer();
    const Consumer in = queue.consumer({.group = "g"});
  }
  ASSERT_TRUE(eventually([&] { return events_of_kind(link, "left").size() == 2; }));
  link.remove("orders");
  const std::vector<Event> all = all_events(link);
  std::vector<std::string> kinds;
  for (const Event& event : all) kinds.push_back(event.kind);
  EXPECT_EQ(kinds, (std::vector<std::string>{"started", "declared", "group_added", "attached", "attached", "left",
                                             "left", "removed"}));
  EXPECT_EQ(all[3].role, "producer");
  EXPECT_EQ(all[4].role, "consumer");
  EXPECT_EQ(all[4].group, "g");
  EXPECT_EQ(all[4].pid, ::getpid());
  EXPECT_EQ(all[4].uid, ::geteuid());
  EXPECT_FALSE(all[4].command.empty());
  for (std::size_t i = 1; i < all.size(); ++i) {
    EXPECT_EQ(all[i].sequence, all[i - 1].sequence + 1);
    EXPECT_GE(all[i].monotonic_ns, all[i - 1].monotonic_ns);
  }
}

TEST(DaemonEvents, a_death_is_told_with_what_was_repaired) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  QueueOptions options = k_small;
  options.groups = {"g"};
  const Queue queue = link.declare("orders", options);
  Producer out = queue.producer();
  out.publish("held");
  Child worker = Child::fork([socket = daemon.socket()] {
    Consumer in = Connection::open({.socket = socket}).open_queue("orders").consumer({.group = "g"});
    const Result<Message> held = in.receive(20s);
    ::raise(SIGKILL);
    return held ? 0 : 1;
  });
  const int pid = worker.pid();
  worker.wait();
  ASSERT_TRUE(eventually([&] { return has_event(link, "repaired"); }));
  const Event died = events_of_kind(link, "died").at(0);
  EXPECT_EQ(died.pid, pid);
  EXPECT_EQ(died.role, "consumer");
  EXPECT_EQ(died.group, "g");
  const Event repaired = events_of_kind(link, "repaired").at(0);
  EXPECT_EQ(repaired.pid, pid);
  EXPECT_EQ(repaired.released, 1U);
  EXPECT_EQ(repaired.voided, 0U);
}

TEST(DaemonEvents, a_queue_that_stays_full_is_told_with_its_holder_and_so_is_its_end) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  QueueOptions options = k_small;
  options.groups = {"g"};
  options.max_parked = 0;
  const Queue queue = link.declare("orders", options);
  Producer out = queue.producer();
  Consumer in = queue.consumer({.group = "g"});
  for (std::uint32_t i = 0; i < k_small.slots; ++i) out.publish("x");
  Result<Message> held = in.receive(20s);
  ASSERT_TRUE(held);
  std::jthread waiting([&out] { EXPECT_EQ(out.publish_until("one more", 60s), Status::ok); });
  ASSERT_TRUE(eventually([&] { return has_event(link, "full"); }));
  const Event full = events_of_kind(link, "full").at(0);
  EXPECT_EQ(full.queue, "orders");
  EXPECT_EQ(full.group, "g");
  EXPECT_EQ(full.role, "consumer");
  EXPECT_EQ(full.pid, ::getpid());
  held->ack();
  waiting.join();
  EXPECT_TRUE(eventually([&] { return has_event(link, "room"); }));
  EXPECT_EQ(events_of_kind(link, "full").size(), 1U);
}

TEST(DaemonEvents, dead_letters_are_told_with_their_number) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  QueueOptions options = k_small;
  options.groups = {"g"};
  options.lane_bytes = 8192;
  Consumer letters = link.declare("failed", options).consumer({.group = "g", .ack = Ack::automatic});
  options.lane_bytes = k_small.lane_bytes;
  options.dead_letter = "failed";
  const Queue queue = link.declare("orders", options);
  Producer out = queue.producer();
  Consumer in = queue.consumer({.group = "g"});
  const auto reject = [&] {
    out.publish("x");
    Result<Message> message = in.receive(20s);
    ASSERT_TRUE(message);
    message->reject();
    EXPECT_TRUE(letters.receive(20s));
  };
  // The first look only learns where the count begins.
  ASSERT_TRUE(eventually([&] {
    reject();
    return has_event(link, "dead_lettered");
  }));
  const Event told = events_of_kind(link, "dead_lettered").at(0);
  EXPECT_EQ(told.queue, "orders");
  EXPECT_GE(told.messages, 1U);
}

TEST(DaemonEvents, an_unused_queue_that_expires_is_told) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  QueueOptions options = k_small;
  options.expire_after = 1s;
  static_cast<void>(link.declare("short", options));
  EXPECT_TRUE(eventually([&] { return has_event(link, "expired"); }, 60s));
}

TEST(DaemonEvents, events_outlive_the_daemon_and_their_numbers_go_on) {
  const SupervisedDaemon daemon;
  const Connection link = daemon.connect();
  static_cast<void>(link.declare("orders", k_small));
  const EventPage before = link.events();
  int pid = daemon.pid();
  for (unsigned round = 0; round < 3; ++round) {
    daemon.kill_daemon();
    pid = daemon.wait_for_another(pid);
  }
  const EventPage after = link.events(before.next);
  EXPECT_EQ(after.journal, before.journal);
  ASSERT_GE(after.events.size(), 1U);
  EXPECT_EQ(after.events.front().kind, "taken_over");
  EXPECT_EQ(after.events.front().sequence, before.last + 1);
  EXPECT_EQ(after.events.back().pid, pid);
  EXPECT_EQ(link.events(0, 1).events.front().kind, "started");
}

TEST(DaemonEvents, a_death_while_no_daemon_runs_is_told_by_the_next_one) {
  SupervisedDaemon daemon;
  const Connection link = daemon.connect();
  QueueOptions options = k_small;
  options.groups = {"g"};
  static_cast<void>(link.declare("orders", options));
  Child worker = Child::fork([socket = daemon.socket()]() -> int {
    const Consumer in = Connection::open({.socket = socket}).open_queue("orders").consumer({.group = "g"});
    for (;;) ::pause();
  });
  ASSERT_TRUE(eventually([&] { return has_event(link, "attached"); }));
  {
    const SupervisedDaemon::Gap gap(daemon);
    worker.kill();
    worker.wait();
  }
  EXPECT_TRUE(eventually([&] { return has_event(link, "died"); }));
}

/// The memory of the events has no event of that number any more: as if its daemon had died before it wrote the event.
void forget_event(test::FakeSystemd& systemd, std::uint64_t sequence) {
  const os::Fd memory = systemd.copy_of("EVTS");
  const std::uint64_t empty = 0;
  const auto record = static_cast<off_t>(k_event_heading_bytes + sequence % k_max_events * k_max_event_bytes);
  ASSERT_EQ(::pwrite(memory.get(), &empty, sizeof empty, record), static_cast<ssize_t>(sizeof empty));
}

TEST(DaemonEvents, an_eviction_whose_daemon_died_before_it_told_it_is_told_once_by_the_next_one) {
  const test::TempDir dir;
  test::FakeSystemd systemd({test::program("beltwayd"), "--socket", dir.socket()});
  systemd.start();
  const Connection link = Connection::open({.socket = dir.socket(), .start_daemon = false, .timeout = 20s});
  QueueOptions options = k_small;
  options.groups = {"g"};
  options.evict_after = 1h;
  const Queue queue = link.declare("orders", options);
  const Consumer healthy = queue.consumer({.group = "g"});
  const Consumer in = queue.consumer({.group = "g"});
  queue.evict(1);
  const auto next_daemon = [&systemd] {
    systemd.service().kill();
    systemd.service().wait();
    systemd.start();
  };
  const std::vector<Event> told = events_of_kind(link, "evicted");
  ASSERT_EQ(told.size(), 1U);
  systemd.service().kill();
  systemd.service().wait();
  forget_event(systemd, told[0].sequence);
  systemd.start();
  for (int life = 0; life < 2; ++life) {
    const std::vector<Event> again = events_of_kind(link, "evicted");
    ASSERT_EQ(again.size(), 1U) << "daemon " << life;
    EXPECT_EQ(again[0].group, "g");
    EXPECT_EQ(again[0].index, 1U);
    EXPECT_EQ(again[0].pid, ::getpid());
    EXPECT_EQ(again[0].text, "a daemon before this one evicted it, and died");
    next_daemon();
  }
}

TEST(DaemonEvents, a_hundred_followers_do_not_keep_a_request_waiting) {
  TestDaemon daemon;
  const Connection link = connect(daemon);
  static_cast<void>(link.declare("orders", k_small));
  std::vector<Connection> followers;
  for (unsigned i = 0; i < 100; ++i) followers.push_back(connect(daemon));
  for (unsigned round = 0; round < 3; ++round) {
    for (const Connection& follower : followers) EXPECT_FALSE(follower.events().events.empty());
    EXPECT_EQ(link.ping().pid, daemon.process().pid());
  }
}

}  // namespace
}  // namespace beltway
