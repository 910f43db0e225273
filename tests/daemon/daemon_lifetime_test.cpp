// Queues that end with their process or by disuse: whatever dies in whatever order, none is left, and none in use is removed.
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "beltway/beltway.hpp"
#include "os/segment.hpp"
#include "ring/queue_memory.hpp"
#include "support/child.hpp"
#include "support/raw_client.hpp"
#include "support/supervised_daemon.hpp"

#ifndef SYS_close_range  // Linux 5.9
#define SYS_close_range 436
#endif

namespace beltway {

using namespace beltway::os;
using namespace beltway::ring;

namespace {

using namespace std::chrono_literals;
using test::Child;
using test::error_of;
using test::eventually;
using test::k_small;
using test::SupervisedDaemon;

QueueOptions exclusive(std::uint32_t mode = 0600) {
  QueueOptions options = k_small;
  options.exclusive = true;
  options.mode = mode;
  return options;
}

bool is_there(const Connection& link, const std::string& name) {
  for (const QueueInfo& info : link.list()) {
    if (info.name == name) return true;
  }
  return false;
}

/// A process that declares an exclusive queue, then does `more`, then waits to be killed.
Child start_owner(
    const SupervisedDaemon& daemon, const std::string& name,
    const std::function<void(const Connection&, const Queue&)>& more = [](const auto&, const auto&) {},
    const QueueOptions& options = exclusive()) {
  Child child = Child::fork([&] {
    const Connection link = daemon.connect();
    const Queue queue = link.declare(name, options);
    more(link, queue);
    for (;;) ::pause();
    return 0;
  });
  const Connection link = daemon.connect();
  EXPECT_TRUE(eventually([&] { return is_there(link, name) && link.describe(name).owner_pid == child.pid(); }));
  return child;
}

TEST(ExclusiveQueue, exclusive_queue_ends_with_its_killed_process_and_tells_who_is_attached) {
  const SupervisedDaemon daemon;
  Child owner = start_owner(daemon, "reply");
  const Connection link = daemon.connect();
  const Queue queue = link.open_queue("reply");
  EXPECT_TRUE(queue.options().exclusive);
  auto out = queue.producer();
  auto in = queue.consumer();
  out.publish("x");
  EXPECT_TRUE(in.receive(20s));
  owner.kill();
  owner.wait();
  EXPECT_EQ(in.receive(20s).status(), Status::removed);
  EXPECT_TRUE(eventually([&] { return link.list().empty(); }));
  EXPECT_TRUE(eventually([&] { return daemon.log().find("queue reply: its process") != std::string::npos; }));
}

TEST(ExclusiveQueue, exclusive_queue_ends_if_its_process_died_while_no_daemon_ran) {
  SupervisedDaemon daemon;
  Child owner = start_owner(daemon, "dead");
  const Child survivor = start_owner(daemon, "alive");
  {
    const SupervisedDaemon::Gap gap(daemon);
    owner.kill();
    owner.wait();
  }
  const Connection link = daemon.connect();
  EXPECT_FALSE(is_there(link, "dead"));
  EXPECT_EQ(link.describe("alive").owner_pid, survivor.pid());
}

TEST(ExclusiveQueue,
     exclusive_queue_survives_crash_and_upgrade_of_the_daemon_and_then_ends_with_a_process_that_has_not_asked_since) {
  SupervisedDaemon daemon;
  Child owner = start_owner(daemon, "reply");
  int before = daemon.pid();
  daemon.kill_daemon();
  before = daemon.wait_for_another(before);
  daemon.supervisor().kill(SIGUSR2);
  daemon.wait_for_another(before);
  const Connection link = daemon.connect();
  EXPECT_EQ(link.describe("reply").owner_pid, owner.pid());
  owner.kill();
  owner.wait();
  EXPECT_TRUE(eventually([&] { return link.list().empty(); }));
}

TEST(ExclusiveQueue, exclusive_queue_is_known_to_the_next_daemon_by_the_resume_of_its_process) {
  SupervisedDaemon daemon;
  Child owner = start_owner(daemon, "reply", [](const Connection& link, const Queue&) {
    for (;;) static_cast<void>(link.ping());
  });
  const int before = daemon.pid();
  daemon.kill_daemon();
  daemon.wait_for_another(before);
  const Connection link = daemon.connect();
  EXPECT_TRUE(is_there(link, "reply"));
  owner.kill();
  owner.wait();
  EXPECT_TRUE(eventually([&] { return link.list().empty(); }));
}

TEST(ExclusiveQueue, exclusive_queue_outlives_the_connection_and_the_endpoints_of_its_process) {
  const SupervisedDaemon daemon;
  Child owner = Child::fork([&] {
    (void)daemon.connect().declare("closed", exclusive()).consumer();
    for (;;) ::pause();
    return 0;
  });
  Child rude = Child::fork([&] {
    (void)daemon.connect().declare("rude", exclusive());
    ::syscall(SYS_close_range, 3U, ~0U, 0U);  // the connection, too
    for (;;) ::pause();
    return 0;
  });
  const Connection link = daemon.connect();
  ASSERT_TRUE(eventually([&] { return is_there(link, "closed") && is_there(link, "rude"); }));
  ASSERT_TRUE(eventually([&] { return link.describe("closed").endpoints.empty(); }));
  std::this_thread::sleep_for(400ms);  // more than one test of the lock
  EXPECT_TRUE(is_there(link, "closed"));
  EXPECT_TRUE(is_there(link, "rude"));
  for (Child* each : {&owner, &rude}) {
    each->kill();
    each->wait();
  }
  EXPECT_TRUE(eventually([&] { return link.list().empty(); }));
}

TEST(ExclusiveQueue, exclusive_queue_ends_when_its_process_executes_another_program) {
  const SupervisedDaemon daemon;
  const std::filesystem::path go = daemon.socket().parent_path() / "go";
  const Child owner = start_owner(daemon, "reply", [&](const Connection&, const Queue&) {
    while (!std::filesystem::exists(go)) ::usleep(1000);
    ::execlp("sleep", "sleep", "1000", nullptr);
  });
  const Connection link = daemon.connect();
  std::ofstream(go) << "go";
  EXPECT_TRUE(eventually([&] { return link.list().empty(); }));
  EXPECT_FALSE(test::is_gone(owner.pid()));
}

TEST(ExclusiveQueue, exclusive_queue_is_not_inherited_by_a_forked_child) {
  const SupervisedDaemon daemon;
  const std::filesystem::path file = daemon.socket().parent_path() / "child";
  Child owner = start_owner(daemon, "reply", [&](const Connection&, const Queue&) {
    const pid_t child = ::fork();
    if (child != 0) return;
    // It has the socket, and may own queues of its own.
    (void)daemon.connect().declare("of_the_child", exclusive());
    std::ofstream(file) << ::getpid() << std::endl;
    for (;;) ::pause();
  });
  const Connection link = daemon.connect();
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(file) && !test::read_file(file).empty(); }));
  const int child = std::stoi(test::read_file(file));
  EXPECT_EQ(link.describe("of_the_child").owner_pid, child);
  owner.kill();
  owner.wait();
  EXPECT_TRUE(eventually([&] { return !is_there(link, "reply"); }));
  EXPECT_TRUE(is_there(link, "of_the_child"));
  ::kill(child, SIGKILL);
  EXPECT_TRUE(eventually([&] { return link.list().empty(); }));
}

TEST(ExclusiveQueue, exclusive_queue_is_refused_to_a_second_process_and_free_for_the_next_one_at_once) {
  const SupervisedDaemon daemon;
  Child owner = start_owner(daemon, "reply");
  const Connection link = daemon.connect();
  const Error refused = error_of([&] { (void)link.declare("reply", exclusive()); });
  EXPECT_EQ(refused.reason(), Errc::already_exists);
  EXPECT_NE(std::string(refused.what()).find("process " + std::to_string(owner.pid())), std::string::npos)
      << refused.what();
  owner.kill();
  owner.wait();
  (void)link.declare("reply", exclusive());  // without a pause: a supervisor starts programs again at once
  EXPECT_EQ(link.describe("reply").owner_pid, ::getpid());
  link.remove("reply");
}

TEST(ExclusiveQueue, exclusive_queue_that_was_removed_leaves_nothing_in_its_process_and_may_be_declared_again) {
  const SupervisedDaemon daemon;
  const Connection link = daemon.connect();
  const Connection other = daemon.connect();
  const auto mappings = [] {
    std::size_t count = 0;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) count += line.find("beltway:mine") != std::string::npos ? 1 : 0;
    return count;
  };
  for (int i = 0; i < 3; ++i) {
    (void)link.declare("mine", exclusive());
    EXPECT_EQ(mappings(), 1U);
    EXPECT_NO_THROW((void)link.declare("mine", exclusive())) << "its own process may";
    EXPECT_EQ(mappings(), 1U);
    other.remove("mine");
    EXPECT_EQ(mappings(), 0U);
  }
}

TEST(ExclusiveQueue, exclusive_queue_with_removal_notices_that_a_peer_forged_stays) {
  const SupervisedDaemon daemon;
  const Connection link = daemon.connect();
  const Queue mine = link.declare("mine", exclusive());
  test::RawClient peer(daemon.socket());
  peer.say_hello();
  peer.say({{"op", "attach"}, {"n", 1}, {"queue", mine.id()}, {"role", "producer"}});
  ASSERT_EQ(peer.hear()["n"], 1);
  const Geometry geometry{.slots = k_small.slots,
                          .slot_bytes = k_small.slot_bytes,
                          .lane_bytes = k_small.lane_bytes,
                          .max_producers = k_small.max_producers,
                          .max_consumers = k_small.max_consumers,
                          .max_groups = k_small.max_groups};
  const Mapping control(peer.descriptors.at(0).get(), {0, geometry.control_bytes()}, Access::read_write, "test");
  const QueueMemory memory{.geometry = geometry, .control = control.data()};
  memory.shared_status().notice.store_relaxed(Notice{9, k_notice_removed}.word());
  (void)link.declare("more", exclusive());  // unmaps the locks of removed queues
  EXPECT_EQ(link.describe("mine").owner_pid, ::getpid());
  link.remove("more");
  EXPECT_EQ(link.describe("mine").owner_pid, ::getpid());
  link.remove("mine");
}

TEST(ExclusiveQueue, exclusive_queue_of_many_slots_is_made_by_a_worker_and_ends_as_others) {
  const SupervisedDaemon daemon;
  QueueOptions large = exclusive();
  large.slots = 1U << 17;
  Child owner = start_owner(daemon, "large", [](const auto&, const auto&) {}, large);
  const Connection link = daemon.connect();
  owner.kill();
  owner.wait();
  EXPECT_TRUE(eventually([&] { return link.list().empty(); }));
}

TEST(ExclusiveQueue, exclusive_queue_of_another_user_may_be_used_and_neither_claimed_nor_removed) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  const SupervisedDaemon daemon;
  std::filesystem::permissions(daemon.socket().parent_path(), std::filesystem::perms{0755});
  const Child owner = start_owner(daemon, "reply", [](const auto&, const auto&) {}, exclusive(0606));
  const auto as_nobody = [&](const std::function<void(const Connection&)>& call) {
    return Child::fork([&] {
             if (::chdir(daemon.socket().parent_path().c_str()) != 0) return 90;
             if (::setgid(65534) != 0 || ::setuid(65534) != 0) return 91;
             const auto open = [&] {
               call(Connection::open({.socket = daemon.socket().filename(), .start_daemon = false}));
             };
             return static_cast<int>(error_of(open).reason());
           })
        .wait()
        .code;
  };
  EXPECT_EQ(as_nobody([](const Connection& link) { link.open_queue("reply").producer().publish("x"); }), 0);
  EXPECT_EQ(as_nobody([](const Connection& link) { (void)link.declare("reply", exclusive(0606)); }),
            static_cast<int>(Errc::already_exists));
  EXPECT_EQ(as_nobody([](const Connection& link) { link.remove("reply"); }), static_cast<int>(Errc::no_permission));
  EXPECT_EQ(daemon.connect().describe("reply").owner_pid, owner.pid());
}

// Scenario of issue 18: programs that make a reply queue and crash.
TEST(ExclusiveQueue, three_hundred_killed_programs_leave_no_exclusive_queue_whether_or_not_a_daemon_ran) {
  constexpr std::size_t k_programs = 300;
  constexpr std::size_t k_part = k_programs / 3;
  SupervisedDaemon daemon({.arguments = {"--max-connections-per-user", "1000"}});
  std::vector<Child> programs;
  for (std::size_t i = 0; i < k_programs; ++i) {
    programs.push_back(Child::fork([&] {
      const Queue queue = daemon.connect().declare("reply." + std::to_string(i), exclusive());
      auto in = queue.consumer();
      for (;;) ::pause();
      return 0;
    }));
  }
  const Connection link = daemon.connect();
  const auto wait_for = [&](std::size_t count) { return eventually([&] { return link.list().size() == count; }, 60s); };
  ASSERT_TRUE(wait_for(k_programs)) << daemon.log();
  const auto kill_some = [&](std::size_t begin) {
    for (std::size_t i = begin; i < begin + k_part; ++i) programs[i].kill();
    for (std::size_t i = begin; i < begin + k_part; ++i) programs[i].wait();
  };
  kill_some(0);
  EXPECT_TRUE(wait_for(2 * k_part)) << "with a daemon: " << link.list().size() << " are left";
  {
    const SupervisedDaemon::Gap gap(daemon);
    kill_some(k_part);
  }
  EXPECT_TRUE(wait_for(k_part)) << "without a daemon: " << link.list().size() << " are left";
  const int before = daemon.pid();
  daemon.kill_daemon();
  kill_some(2 * k_part);
  daemon.wait_for_another(before);
  EXPECT_TRUE(wait_for(0)) << "while one started: " << link.list().size() << " are left";
}

TEST(ExpiringQueue, expiring_queue_with_messages_ends_when_nobody_is_attached_for_its_time_and_is_kept_by_a_consumer) {
  const SupervisedDaemon daemon;
  const Connection link = daemon.connect();
  QueueOptions options = k_small;
  options.expire_after = 1s;
  options.groups = {"g"};
  const Queue queue = link.declare("q", options);
  {
    auto in = queue.consumer({.group = "g"});
    queue.producer().publish("x");
    std::this_thread::sleep_for(1500ms);
    EXPECT_TRUE(is_there(link, "q")) << "a consumer is attached";
    EXPECT_EQ(queue.describe().expires_in, std::nullopt);
  }
  ASSERT_TRUE(eventually([&] { return queue.describe().expires_in.has_value(); }));
  EXPECT_LE(*queue.describe().expires_in, 1s);
  EXPECT_TRUE(eventually([&] {
    // A snapshot is no use.
    return error_of([&] { (void)link.open_queue("q").snapshot(); }).reason() == Errc::not_found;
  })) << "only messages are there";
  EXPECT_EQ(error_of([&] { (void)queue.producer(); }).reason(), Errc::removed);
}

TEST(ExpiringQueue, expiring_queue_has_its_time_without_use_counted_on_by_the_next_daemon) {
  const SupervisedDaemon daemon;
  const Connection link = daemon.connect();
  QueueOptions options = k_small;
  options.expire_after = 1h;
  const Queue queue = link.declare("q", options);
  std::this_thread::sleep_for(300ms);
  const int before = daemon.pid();
  daemon.kill_daemon();
  EXPECT_NE(link.ping().pid, before);
  const auto left = queue.describe().expires_in;
  ASSERT_TRUE(left);
  EXPECT_LE(*left, 1h - 300ms);
}

TEST(ExpiringQueue, expiring_queue_ends_when_its_last_user_was_killed_while_no_daemon_ran) {
  SupervisedDaemon daemon;
  const Connection link = daemon.connect();
  QueueOptions options = k_small;
  options.expire_after = 1s;
  const Queue queue = link.declare("q", options);
  Child user = Child::fork([&] {
    auto in = daemon.connect().open_queue("q").consumer();
    for (;;) ::pause();
    return 0;
  });
  ASSERT_TRUE(eventually([&] { return queue.describe().endpoints.size() == 1; }));
  {
    const SupervisedDaemon::Gap gap(daemon);
    user.kill();
    user.wait();
  }
  EXPECT_TRUE(eventually([&] { return link.list().empty(); }));
}

}  // namespace
}  // namespace beltway
