// The client side: finding and starting a daemon, going on when a connection breaks, forked children, threads, and looking
// into a queue without taking part.
#include "beltway/connection.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <thread>

#include "beltway/beltway.hpp"
#include "support/child.hpp"
#include "support/daemon.hpp"
#include "support/own_daemon.hpp"
#include "support/raw_client.hpp"
#include "support/supervised_daemon.hpp"
#include "support/temp_dir.hpp"

namespace beltway {
namespace {

using test::Child;
using test::connect;
using test::error_of;
using test::eventually;
using test::k_small;
using test::TestDaemon;

using test::is_gone;

/// An environment in which the user's own daemon lives in the test's directory.
class OwnDaemon : public testing::Test {
 protected:
  void SetUp() override {
    if (std::filesystem::exists("/run/beltway/beltwayd.sock")) GTEST_SKIP() << "this machine has a daemon of its own";
  }
  [[nodiscard]] std::filesystem::path socket() const { return dir_.socket(); }

  test::OwnDaemonDir dir_;
};

TEST_F(OwnDaemon, the_daemon_of_a_user_is_started_when_none_answers_and_found_the_next_time) {
  const Connection first = Connection::open();
  EXPECT_EQ(first.ping().socket, socket());
  EXPECT_EQ(Connection::open().ping().pid, first.ping().pid);
  struct stat status{};
  ASSERT_EQ(::stat(socket().parent_path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
}

TEST_F(OwnDaemon, the_directory_of_a_test_ends_a_daemon_and_its_supervisor_that_no_client_can_name) {
  const int daemon = Connection::open().ping().pid;
  const int supervisor = test::parent_of(daemon);
  EXPECT_EQ(dir_.processes().size(), 2U);
  std::filesystem::remove(socket());
  dir_.end();
  EXPECT_TRUE(is_gone(daemon));
  EXPECT_TRUE(is_gone(supervisor));
}

TEST_F(OwnDaemon, the_daemon_of_a_user_is_one_however_many_start_it_at_once) {
  constexpr int k_clients = 6;
  std::vector<Child> clients;
  for (int i = 0; i < k_clients; ++i) {
    clients.push_back(Child::fork([] {
      const Connection link = Connection::open();
      (void)link.declare("shared", {.slots = 2, .lane_bytes = 0});
      return link.list().size() == 1 ? 0 : 1;
    }));
  }
  for (Child& client : clients) EXPECT_TRUE(client.wait().ok());
  const Connection link = Connection::open({.start_daemon = false});
  EXPECT_EQ(link.list().size(), 1U);
}

TEST_F(OwnDaemon, the_daemon_of_a_user_is_not_started_if_that_is_off_or_a_socket_is_named) {
  EXPECT_EQ(error_of([] { (void)Connection::open({.start_daemon = false}); }).reason(), Errc::no_daemon);
  EXPECT_EQ(error_of([&] { (void)Connection::open({.socket = dir_.path() / "other"}); }).reason(), Errc::no_daemon);
  ::setenv("BELTWAY_SOCKET", (dir_.path() / "named").c_str(), 1);
  const Error error = error_of([] { (void)Connection::open(); });
  EXPECT_EQ(error.reason(), Errc::no_daemon);
  EXPECT_NE(std::string(error.what()).find("beltwayd --socket"), std::string::npos) << error.what();
  EXPECT_FALSE(std::filesystem::exists(socket()));
}

TEST_F(OwnDaemon, directory_in_place_of_its_socket_is_refused_with_the_socket_that_was_meant) {
  const std::string empty = dir_.path() / "empty";
  std::filesystem::create_directory(empty);
  const Error refused = error_of([&] { (void)Connection::open({.socket = empty}); });
  EXPECT_EQ(std::string(refused.what()),
            "connect to " + empty + ": that is a directory; name the socket in it: " + empty + "/beltwayd.sock");
  (void)Connection::open();
  const Error near = error_of([&] { (void)Connection::open({.socket = dir_.path()}); });
  EXPECT_NE(std::string(near.what()).find("name the socket in it: " + socket().string()), std::string::npos)
      << near.what();
  const test::Outcome daemon = test::run({test::program("beltwayd"), "--no-keeper", "--socket", empty});
  EXPECT_FALSE(daemon.exit.ok());
  EXPECT_NE(daemon.err.find("is a directory; name a socket in it: --socket " + empty + "/beltwayd.sock"),
            std::string::npos)
      << daemon.err;
}

TEST_F(OwnDaemon, an_error_says_why_the_daemon_of_a_user_cannot_be_started) {
  ::setenv("BELTWAY_DAEMON", "/no/such/program", 1);
  EXPECT_EQ(error_of([] { (void)Connection::open(); }).reason(), Errc::no_daemon);
  ::setenv("BELTWAY_DAEMON", "/bin/false", 1);
  const Error error = error_of([] { (void)Connection::open(); });
  EXPECT_NE(std::string(error.what()).find("ended with code 1"), std::string::npos) << error.what();
}

TEST_F(OwnDaemon, a_client_does_not_search_its_daemon_where_others_could_pose_as_it) {
  std::filesystem::create_directory(socket().parent_path());
  ASSERT_EQ(::chmod(socket().parent_path().c_str(), 0777), 0);
  EXPECT_EQ(error_of([] { (void)Connection::open(); }).reason(), Errc::no_permission);
}

TEST_F(OwnDaemon, the_daemon_of_a_user_comes_back_with_its_queues_after_its_death) {
  const Connection link = Connection::open();
  const int first = link.ping().pid;
  const Queue queue = link.declare("orders", k_small);
  auto in = queue.consumer();
  auto out = queue.producer();
  ASSERT_EQ(::kill(first, SIGKILL), 0);
  EXPECT_NE(link.ping().pid, first);
  out.publish("still there");
  EXPECT_TRUE(in.receive(std::chrono::seconds(20)));
  EXPECT_EQ(queue.describe().endpoints.size(), 2U);
}

TEST_F(OwnDaemon, the_next_request_starts_a_daemon_after_the_death_of_daemon_and_supervisor) {
  const Connection link = Connection::open();
  const int first = link.ping().pid;
  const Queue queue = link.declare("orders", k_small);
  auto in = queue.consumer();
  const int supervisor = test::parent_of(first);
  ASSERT_EQ(::kill(first, SIGSTOP), 0);  // or it would take the supervisor's place
  ASSERT_EQ(::kill(supervisor, SIGKILL), 0);
  ASSERT_EQ(::kill(first, SIGKILL), 0);
  ASSERT_TRUE(eventually([&] { return is_gone(first) && is_gone(supervisor); }));
  EXPECT_NE(link.ping().pid, first);
  EXPECT_EQ(in.receive(std::chrono::seconds(20)).status(), Status::removed) << "the new daemon does not know the queue";
  EXPECT_EQ(error_of([&] { (void)queue.describe(); }).reason(), Errc::removed);
}

TEST(Connection, an_option_that_does_not_exist_is_refused_with_its_name) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  const Error error = error_of([&] { (void)link.declare_some("jobs", {}, {"evict_after"}); });
  EXPECT_EQ(error.reason(), Errc::invalid_option);
  EXPECT_NE(std::string(error.what()).find("\"evict_after\""), std::string::npos) << error.what();
  EXPECT_NO_THROW((void)link.declare_some("jobs", {}, {"evict_after_ms"}));
}

TEST(Connection, a_connection_in_a_forked_child_answers_with_an_error_and_a_new_one_works) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  const Queue queue = link.declare("orders", k_small);
  auto out = queue.producer();
  EXPECT_EQ(Child::fork([&] {
              if (error_of([&] { (void)link.ping(); }).reason() != Errc::forked) return 1;
              if (error_of([&] { (void)queue.consumer(); }).reason() != Errc::forked) return 2;
              if (error_of([&] { out.publish("x"); }).reason() != Errc::forked) return 3;
              const Producer given_up = std::move(out);  // its end must not detach the parent's endpoint
              auto own = connect(daemon).open_queue("orders").producer();
              own.publish("from the child");
              return 0;
            }).wait(),
            (test::Exit{.code = 0, .signal = 0}));
  out.publish("from the parent");
  EXPECT_TRUE(eventually([&] { return queue.describe().endpoints.size() == 1; }));
  EXPECT_EQ(queue.snapshot().position, 2U);
}

TEST(Connection, a_consumer_in_a_forked_child_answers_with_an_error_with_and_without_a_message) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  const Queue queue = link.declare("orders", k_small);
  auto out = queue.producer();
  auto in = queue.consumer();
  const auto refused_in_child = [&] {
    return Child::fork([&] {
             if (error_of([&] { (void)in.try_receive(); }).reason() != Errc::forked) return 1;
             if (error_of([&] { (void)in.receive(); }).reason() != Errc::forked) return 2;
             return 0;
           }).wait() == test::Exit{.code = 0, .signal = 0};
  };
  EXPECT_TRUE(refused_in_child());
  out.publish("x");
  EXPECT_TRUE(refused_in_child());
  EXPECT_EQ(in.try_receive()->text(), "x");
}

TEST(Connection, a_connection_serves_several_threads_at_once) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  const Queue queue = link.declare("orders", {.slots = 16, .lane_bytes = 4096, .max_producers = 8});
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int turn = 0; turn < 20; ++turn) {
        auto out = queue.producer();
        out.publish(std::to_string(i));
        EXPECT_EQ(link.describe("orders").id, queue.id());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(queue.snapshot().position, 160U);
  EXPECT_TRUE(queue.describe().endpoints.empty());
}

TEST(Connection, endpoints_of_a_queue_share_the_eventfds_of_their_connection) {
  const TestDaemon daemon;
  const Queue queue = connect(daemon).declare("orders", {.lane_bytes = 0, .max_producers = 64, .max_consumers = 64});
  const auto open_files = [] {
    const auto folder = std::filesystem::directory_iterator("/proc/self/fd");
    return std::distance(begin(folder), end(folder));
  };
  const auto first = queue.producer();
  const auto before = open_files();
  const auto second = queue.producer();
  EXPECT_LE(open_files() - before, 2);
}

TEST(Connection, a_connection_names_the_limit_of_open_files_when_an_attach_does_not_fit) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  const Queue queue = link.declare("orders", {.lane_bytes = 0, .max_producers = 64, .max_consumers = 64});
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  // Room for two more: an attach gets ring, control and four eventfds.
  const int next = ::dup(STDERR_FILENO);
  ::close(next);
  const rlimit low{static_cast<rlim_t>(next) + 2, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  const Error error = error_of([&] { (void)queue.producer(); });
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(error.reason(), Errc::limit_reached);
  EXPECT_NE(std::string(error.what()).find("RLIMIT_NOFILE"), std::string::npos) << error.what();
  EXPECT_NO_THROW((void)queue.producer()) << "the connection is made anew and the place was given back";
  EXPECT_TRUE(eventually([&] { return queue.describe().endpoints.empty(); }));
}

TEST(Connection, a_request_to_a_stopped_daemon_ends_at_its_timeout) {
  TestDaemon daemon;
  const Connection link = Connection::open({.socket = daemon.socket(), .timeout = std::chrono::milliseconds(100)});
  const Queue queue = link.declare("orders", k_small);
  auto out = queue.producer();
  daemon.process().kill(SIGSTOP);
  const Error error = error_of([&] { (void)link.ping(); });
  EXPECT_EQ(error.reason(), Errc::no_daemon);
  out.publish("goes on");
  daemon.process().kill(SIGCONT);
  EXPECT_TRUE(eventually([&] { return error_of([&] { (void)link.ping(); }).reason() == Errc{}; }));
  EXPECT_EQ(queue.describe().endpoints.size(), 1U) << "the producer belongs to the new connection";
  EXPECT_EQ(queue.snapshot().position, 1U);
  {
    const Producer ends = std::move(out);
  }
  EXPECT_TRUE(eventually([&] { return queue.describe().endpoints.empty(); }));
}

}  // namespace
}  // namespace beltway
