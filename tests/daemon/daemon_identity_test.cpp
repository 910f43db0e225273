// Who is who after a reconnection: a process that has become another user, one that asks for what is another's, and a daemon
// that does not know the queue. Whatever one client is or is refused, the queue goes on for the others.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>

#include "beltway/beltway.hpp"
#include "support/child.hpp"
#include "support/raw_client.hpp"
#include "support/supervised_daemon.hpp"
#include "support/temp_dir.hpp"

namespace beltway {
namespace {

using namespace std::chrono_literals;
using test::Child;
using test::eventually;
using test::k_small;
using test::RawClient;
using test::SupervisedDaemon;
using test::TestDaemon;

constexpr unsigned k_nobody = 65534;

/// A child that attaches to "orders", becomes what `become` makes of it, and asks the daemon something with each message
/// that it publishes.
Child asking_producer(const SupervisedDaemon& daemon, const std::function<bool()>& become) {
  return Child::fork([&] {
    // From the directory: the way to it may be closed to another user.
    if (::chdir(daemon.socket().parent_path().c_str()) != 0) return 1;
    const Connection link = Connection::open({.socket = daemon.socket().filename(), .start_daemon = false});
    const Queue queue = link.open_queue("orders");
    auto out = queue.producer();
    if (!become()) return 2;
    for (;;) {
      (void)link.ping();
      if (out.publish_until(std::string_view("still here"), 20s) != Status::ok) return 3;
    }
  });
}

void expect_that_the_queue_survives_a_reconnection_by(const std::function<bool()>& become) {
  const SupervisedDaemon daemon;
  std::filesystem::permissions(daemon.socket().parent_path(), std::filesystem::perms{0755});
  QueueOptions options = k_small;
  options.mode = 0600;
  const Queue queue = daemon.connect().declare("orders", options);
  auto in = queue.consumer();
  auto out = queue.producer();
  Child child = asking_producer(daemon, become);
  ASSERT_TRUE(in.receive(20s));
  const int before = daemon.pid();
  daemon.kill_daemon();
  daemon.wait_for_another(before);
  // More than the ring holds: the child has reconnected on the way.
  for (std::uint32_t i = 0; i < 4 * k_small.slots; ++i) {
    Result<Message> message = in.receive(20s);
    ASSERT_TRUE(message) << i << ' ' << to_string(message.status());
    EXPECT_EQ(message->text(), "still here");
  }
  EXPECT_FALSE(child.poll().has_value()) << "its own endpoint goes on, too";
  EXPECT_EQ(queue.describe().endpoints.size(), 3U);
  child.kill();
  child.wait();
  EXPECT_TRUE(eventually([&] { return queue.describe().endpoints.size() == 2; })) << "its death is noticed as before";
  while (in.try_receive()) {
  }
  EXPECT_EQ(out.publish_until(std::string_view("on"), 20s), Status::ok);
  EXPECT_EQ(in.receive(20s)->text(), "on");
}

TEST(Reconnection, a_reconnection_of_an_unchanged_process_ends_no_endpoint) {
  expect_that_the_queue_survives_a_reconnection_by([] { return true; });
}

TEST(Reconnection, a_reconnection_of_a_process_that_gave_up_root_ends_no_endpoint) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  expect_that_the_queue_survives_a_reconnection_by([] { return ::setgid(k_nobody) == 0 && ::setuid(k_nobody) == 0; });
}

TEST(Reconnection, a_reconnection_of_a_process_that_gave_up_root_for_a_while_ends_no_endpoint) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  expect_that_the_queue_survives_a_reconnection_by([] { return ::seteuid(k_nobody) == 0; });
}

TEST(Reconnection, a_reconnection_of_a_process_in_another_group_ends_no_endpoint) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become a member of another group";
  expect_that_the_queue_survives_a_reconnection_by([] { return ::setgid(k_nobody) == 0; });
}

TEST(Reconnection, a_reconnection_cannot_take_an_endpoint_of_another_process) {
  const TestDaemon daemon;
  const Queue queue = test::connect(daemon).declare("orders", k_small);
  auto out = queue.producer();
  auto in = queue.consumer();
  Child thief = Child::fork([&] {
    RawClient client(daemon);
    client.say_hello();
    client.say({{"op", "resume"},
                {"n", 1},
                {"endpoints",
                 {{{"queue", queue.id()}, {"endpoint", 0}, {"incarnation", 1}},
                  {{"queue", queue.id()}, {"endpoint", 1}, {"incarnation", 1}},
                  {{"queue", queue.id() + 1}, {"endpoint", 0}, {"incarnation", 1}}}}});
    const nlohmann::json answer = client.hear();
    return answer["refused"] == nlohmann::json{0} && answer["gone"] == nlohmann::json{1, 2} ? 0 : 1;
  });
  EXPECT_EQ(thief.wait(), (test::Exit{.code = 0, .signal = 0}));
  out.publish("x");
  EXPECT_TRUE(in.receive(20s));
  EXPECT_EQ(queue.describe().endpoints.size(), 2U);
}

/// A client stands before a listen socket that leads to another daemon all at once, while its first one lives.
TEST(Reconnection, a_reconnection_to_a_daemon_without_the_queue_ends_only_that_endpoint) {
  TestDaemon first;
  const TestDaemon second;
  const test::TempDir dir;
  const auto listen_socket = dir.path() / "door";
  std::filesystem::create_symlink(first.socket(), listen_socket);
  QueueOptions options = k_small;
  options.max_producers = 3;
  const Queue queue = test::connect(first).declare("orders", options);
  auto out = queue.producer();
  auto in = queue.consumer();
  const Connection moved = Connection::open({.socket = listen_socket, .start_daemon = false, .timeout = 300ms});
  auto lost = moved.open_queue("orders").producer();
  lost.publish("first");
  EXPECT_TRUE(in.receive(20s));

  first.process().kill(SIGSTOP);
  EXPECT_EQ(test::error_of([&] { (void)moved.ping(); }).reason(), Errc::no_daemon);
  std::filesystem::remove(listen_socket);
  std::filesystem::create_symlink(second.socket(), listen_socket);
  EXPECT_TRUE(eventually([&] { return test::error_of([&] { (void)moved.ping(); }).reason() == Errc{}; }));
  first.process().kill(SIGCONT);

  EXPECT_EQ(lost.try_publish(std::string_view("x")), Status::removed);
  EXPECT_EQ(lost.try_publish(std::string_view("x")), Status::removed) << "for good";
  EXPECT_EQ(in.try_receive().status(), Status::empty);
  for (std::uint32_t i = 0; i < 2 * k_small.slots; ++i) {
    EXPECT_EQ(out.try_publish(std::string_view("on")), Status::ok);
    EXPECT_TRUE(in.receive(20s));
  }
  (void)queue.describe();
  EXPECT_EQ(queue.producer().try_publish(std::string_view("a newcomer")), Status::ok);
}

TEST(Reconnection, a_reconnection_after_the_death_of_daemon_and_supervisor_tells_all_that_are_attached) {
  SupervisedDaemon daemon;
  const Connection asking = daemon.connect();
  const Queue queue = asking.declare("orders", k_small);
  auto own = queue.producer();
  Child sleeper = Child::fork([&] {
    auto in = daemon.connect().open_queue("orders").consumer({.follow = true});
    return in.receive(20s).status() == Status::removed ? 0 : 1;
  });
  ASSERT_TRUE(eventually([&] { return queue.describe().endpoints.size() == 2; }));
  daemon.kill_both();
  Child next =
      Child::spawn({test::program("beltwayd"), "--no-keeper", "--log-level", "off", "--socket", daemon.socket()});
  ASSERT_TRUE(eventually([&] { return test::error_of([&] { (void)asking.ping(); }).reason() == Errc{}; }));
  EXPECT_EQ(own.try_publish(std::string_view("x")), Status::removed);
  EXPECT_EQ(sleeper.wait(), (test::Exit{.code = 0, .signal = 0}));
  next.kill(SIGTERM);
  EXPECT_TRUE(next.wait().ok());
}

}  // namespace
}  // namespace beltway
