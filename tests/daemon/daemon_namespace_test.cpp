// A daemon in namespaces of its own, as in a container: users that it cannot tell apart, and processes that it cannot see.
// Only root can make these namespaces in all places where tests run.
#include <grp.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <functional>

#include "beltway/beltway.hpp"
#include "queues/user_namespace.hpp"
#include "service/server.hpp"
#include "support/child.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"
#include "support/temp_dir.hpp"

namespace beltway {
namespace {

using namespace std::chrono_literals;
using daemon::Peer;
using daemon::UserNamespace;
using test::Child;
using test::error_of;
using test::eventually;
using test::k_small;

constexpr int k_refused = static_cast<int>(Errc::no_permission);

// -- which users there are ------------------------------------------------------------------------------------------

class Maps : public testing::Test {
 protected:
  UserNamespace read(const std::string& uids, const std::string& gids, const std::string& overflow = "65534\n") {
    std::filesystem::create_directories(dir_.path() / "self");
    std::filesystem::create_directories(dir_.path() / "sys/kernel");
    (void)dir_.write("self/uid_map", uids);
    (void)dir_.write("self/gid_map", gids);
    (void)dir_.write("sys/kernel/overflowuid", overflow);
    (void)dir_.write("sys/kernel/overflowgid", overflow);
    return UserNamespace::of_this_process(dir_.path());
  }
  static Errc check(const UserNamespace& users, std::uint32_t uid) {
    Peer peer{.pid = 1, .uid = uid, .gid = 1};
    return error_of([&] { users.check(peer); }).reason();
  }

  test::TempDir dir_;
};

const std::string k_all = "         0          0 4294967295\n";
const std::string k_rootless = "0 1000 1\n1 100000 65536\n";

TEST_F(Maps, maps_of_all_users_make_the_overflow_user_an_ordinary_user) {
  EXPECT_EQ(check(read(k_all, k_all), 65534), Errc{});
  EXPECT_EQ(check(read("0 0 1000\n1000 5000 1\n1001 6000 4294966294\n", k_all), 65534), Errc{});
}

TEST_F(Maps, maps_of_some_users_make_the_overflow_user_any_of_many) {
  const UserNamespace rootless = read(k_rootless, k_rootless);
  EXPECT_EQ(check(rootless, 0), Errc{});
  EXPECT_EQ(check(rootless, 70), Errc{});
  EXPECT_EQ(check(rootless, 65534), Errc::no_permission) << "mapped there as well, and not to be told from the others";
  EXPECT_EQ(check(read("0 1000 1\n", k_all, "99\n"), 99), Errc::no_permission) << "the number is the machine's choice";
  EXPECT_EQ(check(read("0 1000 1\n", k_all, "99\n"), 65534), Errc{});
  Peer peer{.pid = 1, .uid = 65534, .gid = 1};
  const std::string why = error_of([&] { rootless.check(peer); }).what();
  EXPECT_NE(why.find("map your user in that namespace"), std::string::npos) << why;
}

TEST_F(Maps, unreadable_maps_hold_no_user) {
  EXPECT_EQ(check(UserNamespace::of_this_process(dir_.path() / "none"), 65534), Errc::no_permission);
}

TEST_F(Maps, maps_remove_groups_that_may_be_any_group) {
  Peer peer{.pid = 1, .uid = 5, .gid = 65534, .groups = {7, 65534, 8}};
  read(k_all, "0 1000 1\n").check(peer);
  EXPECT_EQ(peer.gid, daemon::k_no_group);
  EXPECT_EQ(peer.groups, (std::vector<std::uint32_t>{7, 8}));
  daemon::QueueRecord queue;
  queue.owner_uid = 6;
  queue.owner_gid = daemon::k_no_group;
  queue.options.mode = 0660;
  EXPECT_FALSE(allowed(peer, queue, daemon::Right::consume)) << "two who have no group do not share one";
  Peer plain{.pid = 1, .uid = 5, .gid = 65534, .groups = {65534}};
  read(k_all, k_all).check(plain);
  EXPECT_EQ(plain.gid, 65534U);
  EXPECT_EQ(plain.groups.size(), 1U);
}

// -- daemons in namespaces ------------------------------------------------------------------------------------------

void write_file(const char* path, const std::string& text) {
  std::ofstream file(path);
  file << text;
}

/// Runs a daemon at `socket` of the present directory, for as long as its parent lives.
int serve(const std::filesystem::path& socket) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  daemon::Server server({.socket = socket, .quotas = {}});
  server.run();
  return 0;
}

class InNamespace : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user and make namespaces";
    std::filesystem::permissions(dir_.path(), std::filesystem::perms{0777});
  }
  [[nodiscard]] bool answers() const {
    return eventually([&] { return error_of([&] { (void)link().ping(); }).reason() != Errc::no_daemon; });
  }
  [[nodiscard]] Connection link() const { return Connection::open({.socket = dir_.socket(), .start_daemon = false}); }

  static bool become(unsigned id) { return ::setgroups(0, nullptr) == 0 && ::setgid(id) == 0 && ::setuid(id) == 0; }

  /// The reason of what `call` throws when user `id` makes it.
  int as(unsigned id, const std::function<void(const Connection&)>& call) {
    return Child::fork([&] {
             if (::chdir(dir_.path().c_str()) != 0 || !become(id)) return 90;
             const auto open = [&] {
               call(Connection::open({.socket = dir_.socket().filename(), .start_daemon = false}));
             };
             return static_cast<int>(error_of(open).reason());
           })
        .wait()
        .code;
  }
  /// A daemon of user 5001 in a user namespace that maps 5001 alone, as root.
  Child rootless_daemon() {
    return Child::fork([&] {
      if (::chdir(dir_.path().c_str()) != 0 || !become(5001)) return 90;
      ::prctl(PR_SET_DUMPABLE, 1);  // else its files in /proc stay root's
      if (::unshare(CLONE_NEWUSER) != 0) return 91;
      write_file("/proc/self/setgroups", "deny");
      write_file("/proc/self/uid_map", "0 5001 1");
      write_file("/proc/self/gid_map", "0 5001 1");
      return serve(dir_.socket().filename());
    });
  }

  test::TempDir dir_;
};

TEST_F(InNamespace, users_that_are_not_mapped_are_refused_by_name_and_the_mapped_one_is_served) {
  Child daemon = rootless_daemon();
  std::optional<test::Exit> ended;  // poll() tells it once
  const bool serves = eventually([&] {
    ended = daemon.poll();
    return ended || as(5001, [](const Connection& link) { (void)link.ping(); }) == 0;
  });
  if (!serves || ended) GTEST_SKIP() << "no user namespaces here (or this is a chroot, which has none)";
  QueueOptions options = k_small;
  options.mode = 0660;
  EXPECT_EQ(as(5001, [&](const Connection& link) { (void)link.declare("mine", options); }), 0);
  for (const unsigned stranger : {5002U, 5003U, 65534U}) {
    EXPECT_EQ(as(stranger, [&](const Connection& link) { (void)link.declare("theirs", k_small); }), k_refused);
    EXPECT_EQ(as(stranger, [&](const Connection& link) { (void)link.open_queue("mine").consumer(); }), k_refused);
    EXPECT_EQ(as(stranger, [&](const Connection& link) { link.remove("mine"); }), k_refused);
  }
  EXPECT_EQ(error_of([&] { (void)link().list(); }).reason(), Errc::no_permission)
      << "root of the host is a stranger there";
  EXPECT_EQ(as(5001, [](const Connection& link) { link.remove("mine"); }), 0);
}

/// Of these two system calls the kernel says that it does not have them: as one before 5.3, or a sandbox.
void refuse_pidfds() {
  constexpr std::uint32_t k_peer_pidfd = 77;
  constexpr std::uint32_t k_pidfd_open = 434;
  std::array<sock_filter, 9> program{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k_pidfd_open, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getsockopt, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[2])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k_peer_pidfd, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOPROTOOPT),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) ::_exit(92);
}

class UnseenProcesses : public InNamespace {
 protected:
  enum class Pids { own, shared };
  enum class Pidfds { had, refused };

  /// A daemon that is process 1 of a pid namespace of its own, or sees all processes.
  Child daemon(Pids pids, Pidfds pidfds) {
    return Child::fork([&] {
      if (pids == Pids::own && ::unshare(CLONE_NEWPID | CLONE_NEWNS) != 0) return 91;
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const pid_t inner = ::fork();
      if (inner == 0) {
        if (pids == Pids::own && (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
                                  ::mount("proc", "/proc", "proc", 0, nullptr) != 0)) {
          ::_exit(93);
        }
        if (pidfds == Pidfds::refused) refuse_pidfds();
        ::_exit(serve(dir_.socket()));
      }
      ::waitpid(inner, nullptr, 0);
      return 1;
    });
  }

  /// A consumer that holds a message, whose child has a copy of its socket, is killed.
  void expect_that_the_message_of_the_dead_comes_again(Pids pids, Pidfds pidfds) {
    Child serving = daemon(pids, pidfds);
    if (!answers() || serving.poll()) GTEST_SKIP() << "no pid namespaces here";
    QueueOptions options = k_small;
    options.groups = {"g"};
    const Connection own = link();
    const Queue queue = own.declare("orders", options);
    auto out = queue.producer();
    // The child's number, so that it does not outlive the test.
    auto* const inheritor = static_cast<std::atomic<pid_t>*>(
        ::mmap(nullptr, sizeof(std::atomic<pid_t>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    ASSERT_NE(inheritor, MAP_FAILED);
    Child holder = Child::fork([&] {
      auto in = link().open_queue("orders").consumer({.group = "g"});
      const Result<Message> held = in.receive(20s);
      const pid_t child = ::fork();
      if (child == 0) {
        ::sleep(60);
        ::_exit(0);
      }
      *inheritor = child;
      ::pause();
      return held ? 0 : 1;
    });
    out.publish("job");
    ASSERT_TRUE(eventually([&] { return queue.snapshot().groups[0].leased == 1 && *inheritor != 0; }));
    shown_ = queue.describe().endpoints.back();
    holder.kill(SIGKILL);
    holder.wait();
    auto in = queue.consumer({.group = "g"});
    Result<Message> again = in.receive(10s);
    EXPECT_EQ(::kill(*inheritor, SIGKILL), 0) << "its child must have lived until now";
    ::munmap(inheritor, sizeof(std::atomic<pid_t>));
    ASSERT_TRUE(again) << to_string(again.status());
    EXPECT_EQ(again->text(), "job");
    EXPECT_EQ(again->deliveries(), 2U);
  }

  EndpointInfo shown_;
};

TEST_F(UnseenProcesses, unseen_processes_are_watched_across_pid_namespaces) {
  expect_that_the_message_of_the_dead_comes_again(Pids::own, Pidfds::had);
  EXPECT_EQ(shown_.pid, 0) << "its number means nothing there";
}

TEST_F(UnseenProcesses, unseen_processes_are_found_dead_by_their_locks_where_the_kernel_has_no_pidfd_for_them) {
  expect_that_the_message_of_the_dead_comes_again(Pids::own, Pidfds::refused);
}

TEST_F(UnseenProcesses, unseen_processes_are_found_dead_by_their_locks_where_a_sandbox_refuses_pidfds) {
  expect_that_the_message_of_the_dead_comes_again(Pids::shared, Pidfds::refused);
}

TEST_F(UnseenProcesses, unseen_processes_are_shown_as_unknown_and_not_as_process_0) {
  Child serving = daemon(Pids::own, Pidfds::had);
  if (!answers() || serving.poll()) GTEST_SKIP() << "no pid namespaces here";
  const Queue queue = link().declare("orders", k_small);
  const auto out = queue.producer();
  const Child::Options at{.environment = {{"BELTWAY_SOCKET", dir_.socket()}}};
  const std::string text = test::run({test::program("beltway"), "show", "orders"}, at).out;
  EXPECT_NE(text.find("another pid namespace"), std::string::npos) << text;
  const auto shown =
      nlohmann::json::parse(test::run({test::program("beltway"), "list", "--format", "json"}, at).out, nullptr, false);
  EXPECT_NE(shown.dump().find("\"pid\":null"), std::string::npos) << shown;
}

}  // namespace
}  // namespace beltway
