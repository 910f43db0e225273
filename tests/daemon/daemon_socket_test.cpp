// What the daemon does when somebody removes, moves or replaces its socket, its lock file or their directory.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <thread>

#include "beltway/beltway.hpp"
#include "client/living_daemon.hpp"
#include "client/socket_path.hpp"
#include "service/listen_socket.hpp"
#include "support/child.hpp"
#include "support/daemon.hpp"
#include "support/fake_systemd.hpp"
#include "support/raw_client.hpp"
#include "support/supervised_daemon.hpp"
#include "support/temp_dir.hpp"

namespace beltway {
using namespace beltway::client;

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using test::Child;
using test::error_of;
using test::eventually;
using test::Exit;
using test::k_small;
using test::program;

/// A daemon without a supervisor in a directory that may be removed, and one queue.
class ListenSocket : public testing::Test {
 protected:
  void SetUp() override { start(); }
  void TearDown() override {
    if (daemon_->pid() < 0) return;
    daemon_->kill(SIGCONT);
    daemon_->kill(SIGTERM);
    EXPECT_EQ(daemon_->wait(), (Exit{.code = 0, .signal = 0})) << log();
  }
  void start() {
    daemon_.emplace(Child::spawn(command(), {.standard_error = dir_.path() / "log"}));
    ASSERT_TRUE(eventually([this] { return answers(); })) << log();
    (void)connect().declare("orders", k_small);
  }

  [[nodiscard]] std::vector<std::string> command() const {
    return {program("beltwayd"), "--no-keeper", "--socket", socket_};
  }
  [[nodiscard]] Connection connect(std::chrono::milliseconds timeout = 20s) const {
    return Connection::open({.socket = socket_, .start_daemon = false, .timeout = timeout});
  }
  [[nodiscard]] std::string log() const { return test::read_file(dir_.path() / "log"); }
  [[nodiscard]] bool answers() const {
    try {
      return connect(50ms).ping().pid == daemon_->pid();
    } catch (const Error&) {
      return false;
    }
  }
  /// A daemon that ends at once, since the first one lives; one that does not end is killed.
  [[nodiscard]] test::Outcome run_second() const { return test::run(command(), {}, 10s); }
  /// A newcomer finds the queue of the daemon that has been there all the time, at this socket and no other place.
  void expect_same_daemon() const {
    const Connection link = connect();
    EXPECT_EQ(link.ping().pid, daemon_->pid()) << log();
    EXPECT_EQ(link.open_queue("orders").name(), "orders");
  }
  /// Also after all that the removal causes has been done.
  void expect_mended() const {
    EXPECT_TRUE(eventually([this] { return fs::is_socket(socket_) && lock_holder(socket_); })) << log();
    expect_same_daemon();
    EXPECT_EQ(run_second().exit.code, 3) << "no second daemon starts here";
  }
  [[nodiscard]] std::string message_of_newcomer() const {
    return error_of([this] { (void)connect(300ms); }).what();
  }

  test::TempDir dir_;
  fs::path home_ = dir_.path() / "home";
  fs::path socket_ = home_ / "beltwayd.sock";
  fs::path lock_ = lock_path_of(socket_);
  std::optional<Child> daemon_;
};

TEST_F(ListenSocket, a_listen_socket_is_made_anew_when_its_socket_is_removed) {
  fs::remove(socket_);
  expect_mended();
}

TEST_F(ListenSocket, a_listen_socket_is_made_anew_when_its_lock_is_removed) {
  fs::remove(lock_);
  expect_mended();
}

TEST_F(ListenSocket, a_listen_socket_is_made_anew_when_its_directory_is_removed) {
  for (int turn = 0; turn < 3; ++turn) {
    fs::remove_all(home_);
    expect_mended();
  }
  struct stat status{};
  ASSERT_EQ(::stat(home_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700U);
}

TEST_F(ListenSocket, a_listen_socket_is_made_anew_when_its_directory_or_its_socket_is_moved) {
  fs::rename(home_, dir_.path() / "elsewhere");
  expect_mended();
  fs::rename(socket_, dir_.path() / "socket elsewhere");
  expect_mended();
}

TEST_F(ListenSocket, a_listen_socket_is_made_anew_when_the_directory_above_comes_back) {
  test::TempDir dir;
  fs::create_directory(dir.path() / "above");
  socket_ = dir.path() / "above" / "home" / "beltwayd.sock";
  Child daemon = Child::spawn(command(), {.standard_error = dir.path() / "log"});
  ASSERT_TRUE(eventually([&] { return fs::is_socket(socket_); }));
  EXPECT_EQ(connect().ping().pid, daemon.pid()) << "it is ready, not only about to listen";
  fs::rename(dir.path() / "above", dir.path() / "elsewhere");
  EXPECT_TRUE(
      eventually([&] { return test::read_file(dir.path() / "log").find("cannot reach") != std::string::npos; }));
  fs::create_directory(dir.path() / "above");
  EXPECT_TRUE(eventually([&] { return fs::is_socket(socket_); })) << test::read_file(dir.path() / "log");
  EXPECT_EQ(connect().ping().pid, daemon.pid());
  daemon.kill(SIGTERM);
  EXPECT_TRUE(daemon.wait().ok());
}

TEST_F(ListenSocket, a_listen_socket_that_is_made_anew_keeps_its_connections) {
  const Connection before = connect();
  fs::remove_all(home_);
  expect_mended();
  EXPECT_EQ(before.ping().pid, daemon_->pid());
}

TEST_F(ListenSocket, a_listen_socket_does_not_remove_a_file_that_has_taken_its_place) {
  for (const bool link : {false, true}) {
    fs::remove(socket_);
    if (link) {
      fs::create_symlink("/dev/null", socket_);
    } else {
      std::ofstream(socket_) << "somebody's";
    }
    EXPECT_TRUE(eventually([this] { return log().find("there and no socket") != std::string::npos; })) << log();
    const std::string message = message_of_newcomer();
    EXPECT_NE(message.find("process " + std::to_string(daemon_->pid())), std::string::npos) << message;
    EXPECT_NE(message.find("no socket"), std::string::npos) << message;
    EXPECT_FALSE(fs::is_socket(socket_));
    fs::remove(socket_);
    expect_mended();
  }
}

TEST_F(ListenSocket, a_listen_socket_does_not_remove_one_at_which_another_process_listens) {
  fs::remove(socket_);
  const sockaddr_un address = socket_address(socket_);
  os::Fd other(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  while (::bind(other.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fs::remove(socket_);
  ASSERT_EQ(::listen(other.get(), 8), 0);
  struct stat status{};
  ASSERT_EQ(::lstat(socket_.c_str(), &status), 0);
  const auto inode = status.st_ino;
  EXPECT_TRUE(eventually([this] { return log().find("a daemon is alive") != std::string::npos; })) << log();
  daemon_->kill(SIGTERM);
  EXPECT_TRUE(daemon_->wait().ok());
  ASSERT_EQ(::lstat(socket_.c_str(), &status), 0) << "not even at its end";
  EXPECT_EQ(status.st_ino, inode);
  EXPECT_EQ(run_second().exit.code, 3) << "nor does a daemon that starts";
}

TEST_F(ListenSocket, a_listen_socket_replaces_one_at_which_no_process_listens) {
  fs::remove(socket_);
  const sockaddr_un address = socket_address(socket_);
  {
    const os::Fd dead(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    while (::bind(dead.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fs::remove(socket_);
  }
  EXPECT_TRUE(eventually([this] { return answers(); })) << log();
  expect_mended();
}

TEST_F(ListenSocket, a_stopped_daemon_whose_socket_files_are_removed_lets_no_second_one_start) {
  daemon_->kill(SIGSTOP);
  const std::string accepted = message_of_newcomer();
  EXPECT_NE(accepted.find("kill -CONT " + std::to_string(daemon_->pid())), std::string::npos) << accepted;
  fs::remove_all(home_);
  const std::string removed = message_of_newcomer();
  EXPECT_NE(removed.find("kill -CONT " + std::to_string(daemon_->pid())), std::string::npos) << removed;
  const test::Outcome second = run_second();
  EXPECT_EQ(second.exit.code, 3) << second.err;
  EXPECT_NE(second.err.find("process " + std::to_string(daemon_->pid())), std::string::npos) << second.err;
  daemon_->kill(SIGCONT);
  expect_mended();
}

TEST_F(ListenSocket, a_listen_socket_is_watched_without_waking_an_idle_daemon) {
  fs::remove(socket_);
  expect_mended();
  const auto wakes = [this] {
    std::ifstream status("/proc/" + std::to_string(daemon_->pid()) + "/status");
    std::string word;
    while (status >> word && word != "voluntary_ctxt_switches:") {
    }
    int count = -1;
    status >> count;
    return count;
  };
  int before = wakes();
  // What the test itself has caused comes to an end first.
  ASSERT_TRUE(eventually([&] {
    std::this_thread::sleep_for(300ms);
    return before == std::exchange(before, wakes());
  }));
  for (int i = 0; i < 10; ++i) std::ofstream(home_ / ("another" + std::to_string(i))) << "file";
  std::this_thread::sleep_for(2s);
  EXPECT_EQ(wakes(), before);
}

/// From now on, and for the programs that this process becomes, the system call fails with EMFILE.
void refuse(unsigned system_call) {
  std::array<sock_filter, 4> filter{
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, system_call, 0, 1),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EMFILE),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{filter.size(), filter.data()};
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

TEST_F(ListenSocket, a_listen_socket_is_polled_when_no_inotify_instance_is_left) {
  daemon_->kill(SIGTERM);
  ASSERT_TRUE(daemon_->wait().ok());
  daemon_.emplace(Child::fork([this] {
    refuse(SYS_inotify_init1);
    const os::Fd log(::open((dir_.path() / "log").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600));
    ::dup2(log.get(), STDERR_FILENO);
    ::execl(program("beltwayd").c_str(), "beltwayd", "--no-keeper", "--socket", socket_.c_str(), nullptr);
    return 98;
  }));
  ASSERT_TRUE(eventually([this] { return answers(); })) << log();
  const auto is_told = [this] { return log().find("fs.inotify.max_user_instances") != std::string::npos; };
  EXPECT_TRUE(eventually(is_told)) << log();
  fs::remove_all(home_);
  EXPECT_TRUE(eventually([this] { return answers(); })) << log();
}

TEST_F(ListenSocket, a_listen_socket_is_usable_whatever_the_umask_of_its_starter_was) {
  daemon_->kill(SIGTERM);
  ASSERT_TRUE(daemon_->wait().ok());
  fs::remove_all(home_);
  daemon_.emplace(Child::fork([this] {
    ::umask(0777);
    ::execl(program("beltwayd").c_str(), "beltwayd", "--no-keeper", "--log-level", "off", "--socket", socket_.c_str(),
            nullptr);
    return 98;
  }));
  ASSERT_TRUE(eventually([this] { return answers(); }));
  const auto mode = [](const fs::path& path) {
    struct stat status{};
    return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 0777U : 0U;
  };
  EXPECT_EQ(mode(home_), 0700U);
  EXPECT_EQ(mode(socket_), 0666U);
  EXPECT_EQ(mode(lock_), 0600U);
}

TEST(InheritedListenSocket, a_listen_socket_removed_while_no_daemon_ran_is_made_anew_by_the_next_one) {
  test::SupervisedDaemon daemon;
  (void)daemon.connect().declare("orders", k_small);
  for (const bool lock_too : {false, true}) {
    const int before = daemon.pid();
    {
      const test::SupervisedDaemon::Gap gap(daemon);
      fs::remove(daemon.socket());
      if (lock_too) fs::remove(lock_path_of(daemon.socket()));
    }
    ASSERT_TRUE(eventually([&] { return fs::is_socket(daemon.socket()) && lock_holder(daemon.socket()); }))
        << daemon.log();
    EXPECT_NE(daemon.wait_for_another(before), before);
    EXPECT_EQ(daemon.connect().open_queue("orders").name(), "orders");
  }
}

TEST(InheritedListenSocket, a_listen_socket_that_was_made_anew_survives_the_death_of_its_daemon) {
  test::SupervisedDaemon daemon;
  (void)daemon.connect().declare("orders", k_small);
  const int before = daemon.pid();
  fs::remove(daemon.socket());
  fs::remove(lock_path_of(daemon.socket()));
  ASSERT_TRUE(eventually([&] { return fs::is_socket(daemon.socket()) && lock_holder(daemon.socket()); }))
      << daemon.log();
  daemon.kill_daemon();
  EXPECT_NE(daemon.wait_for_another(before), before);
  EXPECT_EQ(daemon.connect().open_queue("orders").name(), "orders");
}

TEST(SystemdListenSocket, a_removed_listen_socket_of_systemd_is_logged_and_left_to_systemd) {
  test::TempDir dir;
  test::FakeSystemd systemd({program("beltwayd"), "--socket", dir.socket()});
  const fs::path given = dir.path() / "activated";
  systemd.listen_at(given);
  systemd.start();
  EXPECT_GT(Connection::open({.socket = given}).ping().pid, 0);
  fs::remove(given);
  EXPECT_TRUE(eventually([&] { return systemd.log().find(".socket unit") != std::string::npos; })) << systemd.log();
  EXPECT_FALSE(fs::exists(given));
}

/// As a first client's program: it may start a daemon, which counts itself.
class Starter : public testing::Test {
 protected:
  void SetUp() override {
    fs::permissions(dir_.path(), fs::perms::owner_all);
    (void)dir_.write("beltwayd", "#!/bin/sh\necho x >> " + (dir_.path() / "starts").string() + "\nexec " +
                                     program("beltwayd").string() + " \"$@\"\n");
    fs::permissions(dir_.path() / "beltwayd", fs::perms::owner_all);
  }
  void TearDown() override {
    const auto holder = lock_holder(socket_);
    if (!holder || holder->pid <= 0) return;
    ::kill(holder->pid, SIGCONT);
    ::kill(holder->pid, SIGTERM);
    EXPECT_TRUE(eventually([&] { return test::is_gone(holder->pid); }));
  }
  test::Outcome tool(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), program("beltway"));
    return test::run(arguments, {.environment = {{"BELTWAY_SOCKET", ""},
                                                 {"XDG_RUNTIME_DIR", dir_.path()},
                                                 {"BELTWAY_DAEMON", dir_.path() / "beltwayd"}}});
  }
  [[nodiscard]] std::size_t starts() const {
    const std::string lines = fs::exists(dir_.path() / "starts") ? test::read_file(dir_.path() / "starts") : "";
    return static_cast<std::size_t>(std::ranges::count(lines, '\n'));
  }

  test::TempDir dir_;
  fs::path socket_ = dir_.path() / "beltway" / "beltwayd.sock";
};

TEST_F(Starter, a_client_starts_no_second_daemon_beside_one_whose_socket_was_removed) {
  ASSERT_TRUE(tool({"declare", "orders"}).exit.ok());
  const auto first = lock_holder(socket_);
  ASSERT_TRUE(first && first->pid > 0);
  ASSERT_EQ(starts(), 1U);
  const std::array<std::function<void()>, 3> harms{[&] { fs::remove(socket_); },
                                                   [&] { fs::remove_all(socket_.parent_path()); },
                                                   [&] { fs::remove(lock_path_of(socket_)); }};
  for (const auto& harm : harms) {
    harm();
    const test::Outcome after = tool({"declare", "orders"});
    EXPECT_TRUE(after.exit.ok()) << after.err;
    EXPECT_NE(tool({"ping"}).out.find("process " + std::to_string(first->pid)), std::string::npos);
  }
  EXPECT_EQ(starts(), 1U);
}

TEST_F(Starter, a_client_starts_few_daemons_if_none_of_them_can_be_reached) {
  // The program says that it listens, and does not.
  (void)dir_.write("beltwayd", "#!/bin/sh\necho x >> " + (dir_.path() / "starts").string() + "\nexit 0\n");
  Child client = Child::fork([this] {
    ::setenv("BELTWAY_SOCKET", "", 1);
    ::setenv("XDG_RUNTIME_DIR", dir_.path().c_str(), 1);
    ::setenv("BELTWAY_DAEMON", (dir_.path() / "beltwayd").c_str(), 1);
    return static_cast<int>(error_of([] { (void)Connection::open({.timeout = 5s}); }).reason());
  });
  EXPECT_EQ(client.wait().code, static_cast<int>(Errc::no_daemon));
  EXPECT_GE(starts(), 2U);
  EXPECT_LE(starts(), 14U);
}

TEST_F(Starter, a_client_that_only_inspects_starts_no_daemon_and_leaves_no_file) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"list"}, {"ping"}, {"show", "orders"}, {"peek", "orders"}}) {
    const test::Outcome result = tool(arguments);
    EXPECT_EQ(result.exit.code, 4) << result.err;
    EXPECT_NE(result.err.find("none was started"), std::string::npos) << result.err;
  }
  EXPECT_EQ(starts(), 0U);
  EXPECT_FALSE(fs::exists(socket_.parent_path()));
}

}  // namespace
}  // namespace beltway
