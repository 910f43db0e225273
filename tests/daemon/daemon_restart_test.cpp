// The daemon's death, with its supervisor: it comes back with all that it knew, those who are attached notice nothing, those who
// died meanwhile are repaired, and whoever asks for something waits or is told.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "beltway/beltway.hpp"
#include "support/child.hpp"
#include "support/raw_client.hpp"
#include "support/supervised_daemon.hpp"

namespace beltway {
namespace {

using namespace std::chrono_literals;
using test::Child;
using test::error_of;
using test::eventually;
using test::is_gone;
using test::k_small;
using test::SupervisedDaemon;

TEST(DaemonRestart, a_restart_brings_back_queues_options_groups_and_counters) {
  const SupervisedDaemon daemon;
  const Connection link = daemon.connect();
  QueueOptions options = k_small;
  options.groups = {"billing", "archive"};
  options.mode = 0640;
  options.type = {.name = "Order \"x\\", .size = 8, .alignment = 8};
  options.description = "orders of the shop in Köln";
  const Queue queue = link.declare("orders", options);
  (void)link.declare("gone", k_small);
  link.remove("gone");
  queue.remove_group("archive");
  queue.add_group("late");
  auto out = queue.producer();
  auto in = queue.consumer({.group = "billing"});
  for (int i = 0; i < 5; ++i) out.publish(std::string(8, 'x'));
  in.receive(20s)->ack();
  Result<Message> held = in.receive(20s);
  const QueueSnapshot before = queue.snapshot();

  const int first = daemon.pid();
  daemon.kill_daemon();
  EXPECT_NE(link.ping().pid, first);

  const QueueSnapshot after = queue.snapshot();
  EXPECT_EQ(after.info.id, before.info.id);
  EXPECT_EQ(after.info.owner_uid, before.info.owner_uid);
  EXPECT_EQ(after.info.options.groups, (std::vector<NamedGroup>{"billing", "late"}));
  EXPECT_EQ(after.info.options.mode, 0640U);
  EXPECT_EQ(after.info.options.type, options.type);
  EXPECT_EQ(after.info.options.description, options.description);
  EXPECT_EQ(after.position, before.position);
  EXPECT_EQ(after.groups[0].floor, before.groups[0].floor);
  EXPECT_EQ(after.groups[0].leased, 1U);
  ASSERT_EQ(after.producers.size(), 1U);
  EXPECT_EQ(after.producers[0].counters.messages, 5U);
  EXPECT_EQ(after.producers[0].endpoint.pid, ::getpid());
  ASSERT_EQ(after.consumers.size(), 1U);
  EXPECT_EQ(after.consumers[0].counters.messages, 2U);
  EXPECT_EQ(after.totals.repairs, before.totals.repairs) << "nobody who lives was repaired";
  EXPECT_EQ(link.list().size(), 1U);
  EXPECT_TRUE(held->ack());
  EXPECT_EQ(error_of([&] { (void)link.declare("orders", k_small); }).reason(), Errc::already_exists);
}

TEST(DaemonRestart, attached_processes_go_on_and_requests_wait_during_a_restart) {
  SupervisedDaemon daemon;
  const Connection link = daemon.connect();
  const Queue queue = link.declare("orders", k_small);
  auto out = queue.producer();
  auto in = queue.consumer();
  const Connection hasty = daemon.connect(300ms);
  Child late = Child::fork([] { return 0; });
  {
    const SupervisedDaemon::Gap gap(daemon);
    for (int i = 0; i < 100; ++i) {
      out.publish("x");
      EXPECT_TRUE(in.receive(20s));
    }
    const Error error = error_of([&] { (void)hasty.declare("more", k_small); });
    EXPECT_EQ(error.reason(), Errc::no_daemon) << error.what();
    late = Child::fork([&] {
      const Connection own = daemon.connect();
      (void)own.declare("late", k_small).producer();
      return own.open_queue("orders").describe().endpoints.size() == 2 ? 0 : 1;
    });
    EXPECT_FALSE(late.poll().has_value());
  }
  EXPECT_TRUE(late.wait().ok());
  EXPECT_EQ(queue.describe().endpoints.size(), 2U);
  queue.producer().publish("y");
}

TEST(DaemonRestart, a_restarted_daemon_repairs_processes_that_died_meanwhile) {
  SupervisedDaemon daemon;
  QueueOptions options = k_small;
  options.groups = {"workers"};
  const Queue queue = daemon.connect().declare("orders", options);
  auto out = queue.producer();
  Child victim = Child::fork([&] {
    const Queue own = daemon.connect().open_queue("orders");
    auto in = own.consumer({.group = "workers"});
    auto everything = own.consumer();  // a private group that would hold the ring full
    const Result<Message> held = in.receive(20s);
    ::pause();
    return 0;
  });
  ASSERT_TRUE(eventually([&] { return queue.describe().endpoints.size() == 3; }));
  out.publish("precious");
  ASSERT_TRUE(eventually([&] { return queue.snapshot().groups[0].leased == 1; }));
  {
    const SupervisedDaemon::Gap gap(daemon);
    victim.kill();
    victim.wait();
  }
  EXPECT_TRUE(eventually([&] { return queue.describe().endpoints.size() == 1; }));
  auto in = queue.consumer({.group = "workers"});
  Result<Message> again = in.receive(20s);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->deliveries(), 2U);
  again->ack();
  for (std::uint32_t i = 0; i < 2 * k_small.slots; ++i) {
    EXPECT_EQ(out.publish_until("x", 20s), Status::ok);
    in.receive(20s)->ack();
  }
}

TEST(DaemonRestart, a_restarted_daemon_learns_of_the_death_of_a_process_that_had_not_reconnected) {
  SupervisedDaemon daemon;
  const Queue queue = daemon.connect().declare("orders", k_small);
  Child victim = Child::fork([&] {
    auto out = daemon.connect().open_queue("orders").producer();
    ::pause();
    return 0;
  });
  ASSERT_TRUE(eventually([&] { return queue.describe().endpoints.size() == 1; }));
  daemon.kill_daemon();
  EXPECT_EQ(queue.describe().endpoints.size(), 1U);
  victim.kill();
  victim.wait();
  EXPECT_TRUE(eventually([&] { return queue.describe().endpoints.empty(); }));
}

TEST(DaemonRestart, a_restarted_daemon_learns_of_a_detach_of_a_process_that_had_not_reconnected) {
  SupervisedDaemon daemon;
  const Connection own = daemon.connect();
  std::optional<Producer> out = own.declare("orders", k_small).producer();
  const Connection other = daemon.connect();
  daemon.kill_daemon();
  EXPECT_EQ(other.describe("orders").endpoints.size(), 1U);
  out.reset();
  EXPECT_TRUE(eventually([&] { return other.describe("orders").endpoints.empty(); }));
}

TEST(DaemonRestart, a_daemon_restarts_from_a_new_program_file_on_a_signal) {
  const test::TempDir dir;
  const auto program = dir.path() / "beltwayd";
  const auto marker = dir.path() / "new";
  std::filesystem::copy_file(test::program("beltwayd"), program);
  SupervisedDaemon daemon({.program = program});
  const Connection link = daemon.connect();
  const Queue queue = link.declare("orders", k_small);
  auto out = queue.producer();
  auto in = queue.consumer();
  const int first = daemon.pid();

  // As a package manager does it: a new file under the old name, while the old one runs.
  const auto update = dir.write("update", "#!/bin/sh\necho here > " + marker.string() + "\nexec " +
                                              test::program("beltwayd").string() + " \"$@\"\n");
  std::filesystem::permissions(update, std::filesystem::perms::owner_all);
  std::filesystem::rename(update, program);
  daemon.supervisor().kill(SIGUSR2);
  EXPECT_NE(daemon.wait_for_another(first), first);
  EXPECT_TRUE(std::filesystem::exists(marker));
  out.publish("x");
  EXPECT_TRUE(in.receive(20s));
  EXPECT_EQ(queue.describe().endpoints.size(), 2U);

  // A file that is gone is no reason to lose anything.
  std::filesystem::remove(program);
  const int second = daemon.pid();
  daemon.kill_daemon();
  EXPECT_NE(daemon.wait_for_another(second), second);
  EXPECT_EQ(queue.describe().endpoints.size(), 2U);
}

TEST(DaemonRestart, the_queues_survive_the_death_of_the_supervisor_and_then_of_the_daemon) {
  SupervisedDaemon daemon;
  const Connection link = daemon.connect();
  const Queue queue = link.declare("orders", k_small);
  auto out = queue.producer();
  const int first = daemon.pid();
  daemon.supervisor().kill(SIGKILL);
  daemon.supervisor().wait();
  const int second = daemon.wait_for_another(first);
  EXPECT_EQ(test::parent_of(second), first) << "the daemon has become the supervisor of the next";
  daemon.kill_daemon();
  const int third = daemon.wait_for_another(second);
  EXPECT_EQ(queue.describe().endpoints.size(), 1U);
  EXPECT_EQ(test::parent_of(third), first);
  ::kill(first, SIGTERM);
  EXPECT_TRUE(eventually([&] { return is_gone(first) && is_gone(third); }));
  EXPECT_FALSE(std::filesystem::exists(daemon.socket()));
}

TEST(DaemonRestart, attached_processes_go_on_when_daemon_and_supervisor_are_killed) {
  SupervisedDaemon daemon;
  const Queue queue = daemon.connect().declare("orders", k_small);
  auto out = queue.producer();
  auto in = queue.consumer();
  daemon.kill_both();
  for (int i = 0; i < 100; ++i) {
    out.publish("x");
    EXPECT_TRUE(in.receive(20s));
  }
  EXPECT_EQ(error_of([&] { (void)queue.describe(); }).reason(), Errc::no_daemon);
}

TEST(DaemonRestart, a_daemon_that_ended_cleanly_is_not_restarted) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    SupervisedDaemon daemon;
    const Queue queue = daemon.connect().declare("orders", k_small);
    auto in = queue.consumer();
    const int pid = daemon.pid();
    if (signal == SIGTERM) {
      ::kill(pid, signal);  // the daemon's own process: its clean end is the supervisor's
    } else {
      daemon.supervisor().kill(signal);
    }
    EXPECT_TRUE(daemon.supervisor().wait().ok());
    EXPECT_TRUE(is_gone(pid));
    EXPECT_EQ(in.receive(20s).status(), Status::removed);
    EXPECT_FALSE(std::filesystem::exists(daemon.socket()));
  }
}

TEST(DaemonRestart, a_restart_loses_no_queue_that_was_declared_while_the_supervisor_was_stopped) {
  SupervisedDaemon daemon;
  const int pid = daemon.pid();
  const Connection link = daemon.connect();
  daemon.supervisor().kill(SIGSTOP);
  std::vector<std::string> declared;
  Error refused(Errc::system, "nothing was refused");
  for (int i = 0; i < 250 && refused.reason() != Errc::limit_reached; ++i) {
    const std::string name = "queue" + std::to_string(i);
    try {
      (void)link.declare(name, {.slots = 2, .lane_bytes = 0});
      declared.push_back(name);
    } catch (const Error& error) {
      refused = error;
    }
  }
  EXPECT_NE(std::string(refused.what()).find("does not read"), std::string::npos) << refused.what();
  ASSERT_FALSE(declared.empty());
  link.remove(declared.back());  // some of its descriptors are in the store, some are not
  declared.pop_back();
  ASSERT_EQ(::kill(pid, SIGUSR2), 0);
  EXPECT_EQ(link.ping().pid, pid) << "it hands over when the supervisor has everything";
  daemon.supervisor().kill(SIGCONT);
  EXPECT_NE(daemon.wait_for_another(pid), pid);
  EXPECT_EQ(daemon.connect().list().size(), declared.size()) << daemon.log();
  EXPECT_EQ(daemon.log().find("a queue is lost"), std::string::npos) << daemon.log();
  (void)daemon.connect().declare("one-more", {.slots = 2, .lane_bytes = 0});
}

TEST(DaemonRestart, a_client_does_not_wait_for_a_daemon_that_never_ran) {
  const SupervisedDaemon daemon;
  const test::Outcome second = test::run({test::program("beltwayd"), "--socket", daemon.socket()});
  EXPECT_EQ(second.exit.code, 3);
  EXPECT_NE(second.err.find("process " + std::to_string(daemon.pid())), std::string::npos) << second.err;
}

TEST(DaemonRestart, a_restart_during_declare_attach_detach_or_remove_leaves_a_whole_queue) {
  const SupervisedDaemon daemon;
  std::vector<Child> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(Child::fork([&daemon, i] {
      const std::string name = "queue" + std::to_string(i);
      const Connection link = daemon.connect(30s);
      QueueOptions options = k_small;
      options.groups = {"workers"};
      for (const auto end = std::chrono::steady_clock::now() + 2s; std::chrono::steady_clock::now() < end;) {
        try {
          const Queue queue = link.declare(name, options);
          auto out = queue.producer();
          auto in = queue.consumer({.group = "workers", .ack = Ack::automatic});
          auto tap = queue.consumer({.start = Start::oldest});
          queue.add_group("passing");
          for (int n = 0; n < 40; ++n) {  // more than a lap: a group that nobody knows would hold it up
            if (n == 8) queue.remove_group("passing");
            if (out.publish_until("x", 20s) != Status::ok || !in.receive(20s) || !tap.receive(20s)) return 1;
          }
          link.remove(name);
        } catch (const Error& error) {
          // Requests that must not be repeated say that they do not know; the rest is never refused.
          const bool unsure = error.reason() == Errc::no_daemon || error.reason() == Errc::not_found;
          if (!unsure) return std::fprintf(stderr, "%s\n", error.what()), 2;
          // From the beginning: the passing group, were it left, would hold what the next round publishes.
          while (error_of([&] { link.remove(name); }).reason() == Errc::no_daemon) continue;
        }
      }
      return 0;
    }));
  }
  int kills = 0;
  for (const auto end = std::chrono::steady_clock::now() + 2s; std::chrono::steady_clock::now() < end; ++kills) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10 + kills * 7 % 40));
    daemon.kill_daemon();
  }
  for (Child& client : clients) EXPECT_TRUE(client.wait().ok()) << daemon.log();
  const Connection link = daemon.connect();
  for (const QueueInfo& left : link.list()) {
    const Queue queue = link.open_queue(left.name);
    EXPECT_TRUE(eventually([&] { return queue.describe().endpoints.empty(); })) << left.name;
    link.remove(left.name);
  }
  EXPECT_GT(kills, 3);
}

}  // namespace
}  // namespace beltway
