// The daemon under systemd's rules: what it stores, what it finds again, and what it does when something is missing.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "beltway/beltway.hpp"
#include "client/socket_path.hpp"
#include "support/child.hpp"
#include "support/daemon.hpp"
#include "support/fake_systemd.hpp"
#include "support/raw_client.hpp"
#include "survival/descriptor_store.hpp"
#include "survival/saved_records.hpp"

namespace beltway {

using namespace beltway::client;
using namespace beltway::os;

namespace {

using namespace std::chrono_literals;
using test::eventually;
using test::FakeSystemd;
using test::k_small;

class Systemd : public testing::Test {
 protected:
  std::vector<std::string> command() const {
    return {test::program("beltwayd"), "--socket", dir_.socket(), "--log-level", "debug"};
  }
  Connection connect() const { return Connection::open({.socket = dir_.socket(), .start_daemon = false}); }

  test::TempDir dir_;
};

TEST_F(Systemd, systemd_keeps_the_descriptors_of_a_daemon_over_its_death) {
  FakeSystemd systemd(command());
  systemd.start();
  const Connection link = connect();
  const Queue queue = link.declare("orders", k_small);
  auto out = queue.producer();
  auto in = queue.consumer();
  // 4 bells, ring, heap, control; registry, lock, listen socket, program.
  EXPECT_TRUE(eventually([&] { return systemd.stored().size() == 12; }));
  for (const auto& [name, count] : systemd.stored()) EXPECT_EQ(count, 1) << name;
  for (int life = 0; life < 2; ++life) {
    systemd.service().kill(SIGKILL);
    EXPECT_EQ(systemd.service().wait().signal, SIGKILL);
    out.publish("x");
    EXPECT_TRUE(in.receive(20s));
    systemd.start();
    EXPECT_EQ(queue.describe().endpoints.size(), 2U);
    EXPECT_EQ(queue.snapshot().totals.repairs, 0U);
  }
  link.remove("orders");
  EXPECT_TRUE(eventually([&] { return systemd.stored().size() == 5; })) << "a removed queue is stored no longer";
}

TEST_F(Systemd, systemd_restarts_a_daemon_that_ends_with_the_restart_code_on_a_signal) {
  FakeSystemd systemd(command());
  systemd.start();
  const Queue queue = connect().declare("orders", k_small);
  systemd.service().kill(SIGUSR2);
  EXPECT_EQ(systemd.service().wait().code, 4);
  EXPECT_TRUE(std::filesystem::exists(dir_.socket())) << "who connects now waits at the door";
  systemd.start();
  EXPECT_EQ(queue.describe().name, "orders");
}

TEST_F(Systemd, watchdog_hears_of_a_daemon_whose_event_loop_runs) {
  FakeSystemd systemd(command());
  systemd.watch("300000");
  systemd.start();
  EXPECT_TRUE(eventually([&] { return systemd.signs_of_life() >= 4; })) << systemd.log();
  EXPECT_EQ(systemd.watchdog_time(), "300000") << "a stored program may have turned it off";
}

TEST_F(Systemd, watchdog_of_another_process_or_of_none_hears_nothing) {
  for (const char* const process : {"1", ""}) {
    FakeSystemd systemd(command());
    systemd.watch(*process == '\0' ? "0" : "30000", process);
    systemd.start();
    const Connection link = connect();
    std::this_thread::sleep_for(100ms);
    EXPECT_EQ(link.ping().socket, dir_.socket());
    EXPECT_EQ(systemd.signs_of_life(), 0);
  }
}

TEST_F(Systemd, watchdog_is_off_for_a_program_that_this_one_gives_way_to) {
  // Several tests may run in one process: the next one's daemon must not hear of this service manager.
  struct Environment {
    ~Environment() {
      for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
    }
  } const at_the_end;
  FakeSystemd systemd(command());
  systemd.hear(::getpid());
  ::setenv("NOTIFY_SOCKET", systemd.notify_socket().c_str(), 1);
  ::setenv("WATCHDOG_USEC", "30000000", 1);
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  const daemon::DescriptorStore store = daemon::DescriptorStore::from_environment();
  EXPECT_EQ(store.watchdog_time(), 30s);
  store.hand_on();
  EXPECT_TRUE(eventually([&] { return systemd.watchdog_time() == "0"; }));
  EXPECT_STREQ(std::getenv("WATCHDOG_USEC"), "30000000") << "a program that knows the watchdog turns it on again";
}

TEST_F(Systemd, systemd_may_make_the_listen_socket_itself) {
  FakeSystemd systemd(command());
  systemd.listen_at(dir_.path() / "activated");
  systemd.start();
  const Connection link = Connection::open({.socket = dir_.path() / "activated"});
  const Queue queue = link.declare("orders", k_small);
  systemd.service().kill(SIGKILL);
  systemd.service().wait();
  systemd.start();
  EXPECT_EQ(queue.describe().name, "orders");
  systemd.service().kill(SIGTERM);
  EXPECT_TRUE(systemd.service().wait().ok());
  EXPECT_TRUE(std::filesystem::exists(dir_.path() / "activated")) << "it is systemd's";
}

TEST_F(Systemd, descriptors_that_systemd_loses_cost_only_their_queue) {
  FakeSystemd systemd(command(), 13);  // the first queue fits, the second does not
  systemd.start();
  const Connection link = connect();
  const Queue first = link.declare("first", k_small);
  const Queue second = link.declare("second", k_small);
  auto in = second.consumer();
  systemd.service().kill(SIGKILL);
  systemd.service().wait();
  systemd.start();
  EXPECT_EQ(first.describe().name, "first");
  EXPECT_EQ(test::error_of([&] { (void)second.describe(); }).reason(), Errc::removed);
  EXPECT_EQ(in.receive(20s).status(), Status::removed);
  EXPECT_TRUE(eventually([&] { return systemd.log().find("a queue is lost") != std::string::npos; })) << systemd.log();
}

/// Sends one descriptor as any service could.
void send_to(const std::filesystem::path& socket, const std::string& text, int descriptor) {
  const sockaddr_un address = socket_address(socket);
  const Fd sender(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  std::string body = text;
  iovec part{body.data(), body.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_name = const_cast<sockaddr_un*>(&address);
  message.msg_namelen = sizeof address;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  ASSERT_GE(::sendmsg(sender.get(), &message, 0), 0);
}

TEST_F(Systemd, systemd_drops_a_descriptor_that_has_hung_up_unless_it_may_not_poll_it) {
  FakeSystemd systemd(command());  // the fake is as strict as the real one
  systemd.hear(::getpid());
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const Fd read_end(ends[0]);
  Fd write_end(ends[1]);
  send_to(systemd.notify_socket(), "FDSTORE=1\nFDNAME=looked-at", read_end.get());
  send_to(systemd.notify_socket(), "FDSTORE=1\nFDNAME=left-alone\nFDPOLL=0", read_end.get());
  send_to(systemd.notify_socket(), "FDSTORE=1\nFDNAME=a:colon\nFDPOLL=0", read_end.get());
  EXPECT_TRUE(eventually([&] { return systemd.stored().size() == 3; }));
  write_end.reset();
  EXPECT_TRUE(eventually([&] { return systemd.stored().size() == 2; }));
  EXPECT_EQ(systemd.stored(), (std::map<std::string, int>{{"left-alone", 1}, {"stored", 1}}));

  ::setenv("NOTIFY_SOCKET", systemd.notify_socket().c_str(), 1);
  daemon::DescriptorStore store = daemon::DescriptorStore::from_environment();
  store.keep("ours", read_end.get());
  EXPECT_TRUE(eventually([&] { return systemd.stored().contains("ours"); }));
  store.forget("ours");
  EXPECT_TRUE(eventually([&] { return !systemd.stored().contains("ours"); }));
}

TEST(DescriptorStore, a_descriptor_store_that_does_not_read_delays_neither_start_nor_end_of_the_daemon) {
  const test::TempDir dir;
  const sockaddr_un address = socket_address(dir.path() / "notify");
  const Fd store(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  ASSERT_EQ(::bind(store.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const Fd filler(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  ASSERT_EQ(::connect(filler.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  while (::send(filler.get(), "x", 1, 0) == 1) continue;
  test::Child daemon = test::Child::spawn({test::program("beltwayd"), "--socket", dir.socket()},
                                          {.environment = {{"NOTIFY_SOCKET", dir.path() / "notify"}}});
  const auto connect = [&] { return Connection::open({.socket = dir.socket(), .start_daemon = false}); };
  ASSERT_TRUE(eventually([&] {
    try {
      return connect().ping().pid > 0;
    } catch (const Error&) {
      return false;
    }
  }));
  const Error error = test::error_of([&] { (void)connect().declare("orders", k_small); });
  EXPECT_EQ(error.reason(), Errc::limit_reached);
  EXPECT_NE(std::string(error.what()).find("does not read"), std::string::npos) << error.what();
  // It reads again: everything comes, in order, and queues can be made.
  std::array<char, 4096> text{};
  EXPECT_TRUE(eventually([&] {
    const ssize_t size = ::recv(store.get(), text.data(), text.size(), 0);
    return size > 0 && std::string_view(text.data(), static_cast<std::size_t>(size)).find("READY=1") == 0;
  }));
  EXPECT_TRUE(eventually([&] {
    while (::recv(store.get(), text.data(), text.size(), 0) > 0) continue;
    return test::error_of([&] { (void)connect().declare("orders", k_small); }).reason() == Errc{};
  }));
  while (::send(filler.get(), "x", 1, 0) == 1) continue;
  daemon.kill(SIGTERM);
  EXPECT_TRUE(daemon.wait(10s).ok());
}

TEST(DescriptorStore, a_descriptor_store_that_reads_slowly_is_waited_for_and_refuses_no_queue) {
  const test::TempDir dir;
  const sockaddr_un address = socket_address(dir.path() / "notify");
  const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::setenv("NOTIFY_SOCKET", (dir.path() / "notify").c_str(), 1);
  daemon::DescriptorStore store = daemon::DescriptorStore::from_environment();
  std::size_t kept = 0;
  for (; !store.is_behind(); ++kept) store.keep(std::to_string(kept), STDIN_FILENO);
  std::thread reader([&] {
    std::array<char, 4096> text{};
    for (std::size_t i = 0; i < kept; ++i) {
      // Longer than the daemon waits before it puts something aside.
      if (i < 3) std::this_thread::sleep_for(200ms);
      EXPECT_GT(::recv(socket.get(), text.data(), text.size(), 0), 0);
    }
  });
  EXPECT_NO_THROW(store.require_room(1, "declare"));
  EXPECT_FALSE(store.is_behind());
  reader.join();
}

TEST(DescriptorStore, the_names_of_all_stored_descriptors_fit_one_environment_variable) {
  EXPECT_LT(daemon::k_max_stored * (daemon::k_max_stored_name + 1), 131'072U - 16);
}

TEST(DescriptorStore, a_missing_descriptor_store_stores_nothing_and_fails_no_call) {
  daemon::DescriptorStore store;
  store.keep("ours", STDIN_FILENO);
  store.require_room(1U << 20, "declare");
  store.forget("ours");
  EXPECT_TRUE(store.stored().empty());
}

TEST(SavedRecords, a_record_whose_writer_is_killed_anywhere_is_the_old_or_the_new_one) {
  const daemon::SavedRecords segment;
  for (int turn = 0; turn < 20; ++turn) {
    test::Child writer = test::Child::fork([&segment] {
      daemon::SavedRecords own(Fd(::dup(segment.descriptor())));  // a mapping is not inherited
      for (std::uint64_t i = 0;; ++i) {
        own.write(7, std::string(1 + i % 9000, static_cast<char>('a' + i % 26)));
        if (i % 64 == 63) own.clear(8);
      }
      return 0;
    });
    ASSERT_TRUE(eventually([&] { return segment.read(7).has_value(); }));
    std::this_thread::sleep_for(std::chrono::microseconds(300 * turn));
    writer.kill(SIGKILL);
    writer.wait();
    const std::optional<std::string> record = segment.read(7);
    ASSERT_TRUE(record);
    EXPECT_EQ(record->find_first_not_of(record->front()), std::string::npos) << "torn in turn " << turn;
    EXPECT_FALSE(segment.read(8).has_value());
  }
}

TEST(SavedRecords, saved_records_of_another_layout_or_of_none_are_refused) {
  EXPECT_EQ(test::error_of([] { daemon::SavedRecords(Fd(::eventfd(0, 0))); }).reason(), Errc::incompatible);
  daemon::SavedRecords segment;
  EXPECT_EQ(test::error_of([&] { segment.write(0, std::string(daemon::k_max_record_bytes + 1, 'x')); }).reason(),
            Errc::system);
}

}  // namespace
}  // namespace beltway
