// What the daemon keeps of the process that starts it, and that it starts in odd surroundings.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>

#include "beltway/beltway.hpp"
#include "support/child.hpp"
#include "support/daemon.hpp"
#include "support/own_daemon.hpp"
#include "support/own_user.hpp"
#include "support/raw_client.hpp"
#include "support/supervised_daemon.hpp"

namespace beltway {
namespace {

using namespace std::chrono_literals;
using test::Child;
using test::eventually;
using test::k_small;
using test::program;

std::string proc(int pid, const std::string& file) { return "/proc/" + std::to_string(pid) + "/" + file; }

/// One line of /proc/PID/status.
std::string status_of(int pid, const std::string& name) {
  std::ifstream status(proc(pid, "status"));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name + ":")) return line.substr(line.find_first_not_of("\t ", name.size() + 1));
  }
  return {};
}

/// The user's own daemon is one of the test's directory. Whatever was started there is ended.
class Surroundings : public testing::Test {
 protected:
  void SetUp() override {
    if (std::filesystem::exists("/run/beltway/beltwayd.sock")) GTEST_SKIP() << "this machine has a daemon of its own";
  }

  [[nodiscard]] static int daemon_pid() { return Connection::open({.start_daemon = false}).ping().pid; }
  /// What a shell does: `before` and then a client.
  [[nodiscard]] static test::Outcome client(const std::string& before) {
    return test::run(
        {"bash", "-c", before + "; exec '" + program("beltway").string() + "' declare q --slots 16 --lane-bytes 0"});
  }

  test::OwnDaemonDir dir_;
};

/// Everything that a process can leave to its children, far from what is usual.
void become_strange(const std::filesystem::path& file) {
  ::setenv("FIRST_CLIENTS_SECRET", "1", 1);
  ::setenv("LISTEN_FDS", "1", 1);
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(0, &one);
  ::sched_setaffinity(0, sizeof one, &one);
  const sched_param ordinary{};
  ::sched_setscheduler(0, SCHED_BATCH, &ordinary);
  ::setpriority(PRIO_PROCESS, 0, 19);
  ::syscall(SYS_ioprio_set, 1, 0, 3 << 13);  // idle
  ::prctl(PR_SET_TIMERSLACK, 1'000'000'000UL);
  for (const auto resource : {RLIMIT_NOFILE, RLIMIT_FSIZE, RLIMIT_CPU, RLIMIT_MEMLOCK, RLIMIT_SIGPENDING}) {
    rlimit limit{};
    ::getrlimit(resource, &limit);
    limit.rlim_cur = resource == RLIMIT_CPU ? 100 : resource == RLIMIT_FSIZE ? 1'000'000 : 200;
    ::setrlimit(resource, &limit);
  }
  std::ofstream("/proc/self/oom_score_adj") << 500;
  ::umask(0777);
  ::personality(ADDR_NO_RANDOMIZE);
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGUSR1, SIG_IGN);
  sigset_t most;
  ::sigfillset(&most);
  ::sigdelset(&most, SIGCHLD);
  ::sigprocmask(SIG_SETMASK, &most, nullptr);
  ::open(file.c_str(), O_RDONLY);  // NOLINT: inherited
  static_cast<void>(!::chdir(file.parent_path().c_str()));
}

void expect_ordinary(int pid, const std::filesystem::path& file) {
  SCOPED_TRACE(proc(pid, "") + " " + test::read_file(proc(pid, "cmdline")));
  const std::string environment = test::read_file(proc(pid, "environ"));
  EXPECT_EQ(environment.find("FIRST_CLIENTS_SECRET"), std::string::npos);
  EXPECT_EQ(environment.find("PATH="), std::string::npos);
  cpu_set_t processors;
  ASSERT_EQ(::sched_getaffinity(pid, sizeof processors, &processors), 0);
  cpu_set_t ours;
  ASSERT_EQ(::sched_getaffinity(0, sizeof ours, &ours), 0);
  EXPECT_TRUE(CPU_EQUAL(&processors, &ours));
  EXPECT_EQ(::sched_getscheduler(pid), SCHED_OTHER);
  if (::geteuid() == 0) {
    EXPECT_EQ(::getpriority(PRIO_PROCESS, static_cast<id_t>(pid)), 0);
  }
  EXPECT_EQ(::syscall(SYS_ioprio_get, 1, pid) >> 13, 0) << "its class";
  for (const auto resource : {RLIMIT_NOFILE, RLIMIT_FSIZE, RLIMIT_CPU, RLIMIT_MEMLOCK, RLIMIT_SIGPENDING}) {
    rlimit limit{};
    ASSERT_EQ(::prlimit(pid, resource, nullptr, &limit), 0);
    EXPECT_EQ(limit.rlim_cur, limit.rlim_max) << resource;
  }
  if (::geteuid() == 0) {
    EXPECT_EQ(test::read_file(proc(pid, "oom_score_adj")), "0\n");
  }
  EXPECT_EQ(status_of(pid, "Umask"), "0022");
  EXPECT_EQ(std::stoul(test::read_file(proc(pid, "personality")), nullptr, 16) & ADDR_NO_RANDOMIZE, 0U);
  const auto has = [](const std::string& mask, int signal) {
    return (std::stoull(mask, nullptr, 16) >> (signal - 1) & 1) != 0;
  };
  EXPECT_FALSE(has(status_of(pid, "SigIgn"), SIGINT));
  EXPECT_FALSE(has(status_of(pid, "SigIgn"), SIGUSR1));
  EXPECT_TRUE(has(status_of(pid, "SigIgn"), SIGXFSZ) && has(status_of(pid, "SigIgn"), SIGPIPE));
  EXPECT_FALSE(has(status_of(pid, "SigBlk"), SIGUSR1));
  EXPECT_EQ(std::filesystem::read_symlink(proc(pid, "cwd")), "/");
  for (const auto& descriptor : std::filesystem::directory_iterator(proc(pid, "fd"))) {
    std::error_code gone;
    EXPECT_NE(std::filesystem::read_symlink(descriptor.path(), gone), file) << descriptor.path();
  }
  EXPECT_NE(::getsid(pid), ::getsid(0));
}

TEST_F(Surroundings, daemon_and_supervisor_leave_the_surroundings_of_the_first_client) {
  const auto file = dir_.write("a clients file", "x");
  Child first = Child::fork([&file] {
    become_strange(file);
    return Connection::open().declare("orders", k_small).name() == "orders" ? 0 : 1;
  });
  ASSERT_TRUE(first.wait().ok());
  const int pid = daemon_pid();
  expect_ordinary(pid, file);
  expect_ordinary(test::parent_of(pid), file);
  EXPECT_GT(test::parent_of(pid), 1) << "the supervisor";
}

TEST_F(Surroundings, a_hard_limit_that_is_too_low_is_named_and_the_next_client_gets_a_daemon) {
  std::vector<std::pair<std::string, std::string>> limits{
      {"ulimit -f 1000", "RLIMIT_FSIZE"}, {"ulimit -n 100", "RLIMIT_NOFILE"}, {"ulimit -t 1000", "RLIMIT_CPU"}};
#ifndef BELTWAY_SANITIZED  // it reserves more address space than these limits allow
  limits.insert(limits.end(), {{"ulimit -v 1000000", "RLIMIT_AS"}, {"ulimit -d 100000", "RLIMIT_DATA"}});
#endif
  for (const auto& [command, name] : limits) {
    const test::Outcome refused = client(command);
    EXPECT_EQ(refused.exit.code, 4) << command << refused.err;
    EXPECT_NE(refused.err.find(name), std::string::npos) << command << ": " << refused.err;
    EXPECT_NE(refused.err.find("ulimit -H"), std::string::npos) << "the remedy: " << refused.err;
    EXPECT_NE(refused.err.find("systemctl --user"), std::string::npos) << "the remedy: " << refused.err;
  }
  EXPECT_TRUE(client("true").exit.ok());
}

TEST_F(Surroundings, an_error_contains_the_words_of_the_program_that_failed_to_start) {
  const auto script = dir_.write("beltwayd", "#!/bin/sh\necho first >&2\necho 'beltwayd: no luck today' >&2\nexit 1\n");
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  ::setenv("BELTWAY_DAEMON", script.c_str(), 1);
  const Error error = test::error_of([] { (void)Connection::open(); });
  EXPECT_EQ(error.reason(), Errc::no_daemon);
  EXPECT_TRUE(std::string(error.what()).ends_with("said: no luck today")) << error.what();
  // One that says more than a pipe holds is not held up by that.
  std::ofstream(script) << "#!/bin/sh\nhead -c 300000 /dev/zero | tr '\\0' x >&2\necho >&2\necho the end >&2\nexit 1\n";
  EXPECT_TRUE(std::string(test::error_of([] { (void)Connection::open(); }).what()).ends_with("said: the end"));
}

TEST_F(Surroundings, a_daemon_that_a_client_started_logs_beside_the_socket) {
  const Connection link = Connection::open();
  (void)link.declare("orders", k_small);
  const std::string log = link.ping().log;
  EXPECT_EQ(log, link.ping().socket + ".log");
  EXPECT_TRUE(eventually([&] { return test::read_file(log).find("orders") != std::string::npos; }));
}

TEST_F(Surroundings, a_daemon_starts_without_a_home_and_without_variables) {
  const test::TempDir place;
  Child daemon = Child::spawn({"env", "-i", program("beltwayd"), "--socket", place.socket()});
  const auto answers = [&] {
    try {
      return Connection::open({.socket = place.socket()}).ping().pid > 0;
    } catch (const Error&) {
      return false;
    }
  };
  EXPECT_TRUE(eventually(answers));
  daemon.kill(SIGTERM);
  EXPECT_TRUE(daemon.wait().ok());
}

/// A daemon in the foreground, started by a shell.
class ShellDaemon {
 public:
  explicit ShellDaemon(const std::string& before, const std::string& arguments = "")
      : process_(Child::spawn({"bash", "-c",
                               before + "; exec '" + program("beltwayd").string() + "' --socket '" +
                                   dir_.socket().string() + "' " + arguments})) {
    EXPECT_TRUE(eventually([&] { return pid() > 0; }));
  }
  ~ShellDaemon() {
    process_.kill(SIGTERM);
    EXPECT_TRUE(process_.wait().ok());
  }
  ShellDaemon(const ShellDaemon&) = delete;
  ShellDaemon& operator=(const ShellDaemon&) = delete;
  [[nodiscard]] int pid() const {
    try {
      return Connection::open({.socket = dir_.socket(), .start_daemon = false}).ping().pid;
    } catch (const Error&) {
      return -1;
    }
  }
  [[nodiscard]] int supervisor() const { return process_.pid(); }

 private:
  test::TempDir dir_;
  Child process_;
};

TEST(StartedByAShell, a_daemon_started_without_standard_descriptors_writes_into_no_socket_of_its_own) {
  const ShellDaemon daemon("exec 0<&- 1>&- 2>&-");
  for (const int pid : {daemon.pid(), daemon.supervisor()}) {
    for (const std::string descriptor : {"fd/0", "fd/1", "fd/2"}) {
      EXPECT_EQ(std::filesystem::read_symlink(proc(pid, descriptor)), "/dev/null") << descriptor;
    }
  }
}

TEST(StartedByAShell, a_daemon_started_by_a_shell_under_nohup_survives_a_hangup) {
  const ShellDaemon daemon("trap '' HUP");
  const int pid = daemon.pid();
  ASSERT_EQ(::kill(daemon.supervisor(), SIGHUP), 0);
  ASSERT_EQ(::kill(pid, SIGHUP), 0);
  EXPECT_EQ(daemon.pid(), pid);
  EXPECT_FALSE(eventually([&] { return test::is_gone(pid) || test::is_gone(daemon.supervisor()); }, 300ms));
}

TEST(StartedByAShell, a_daemon_started_by_a_shell_keeps_the_limits_and_variables_of_an_operator_in_the_foreground) {
  const ShellDaemon daemon("ulimit -S -t 5000; export AN_OPERATORS_VARIABLE=1");
  rlimit limit{};
  ASSERT_EQ(::prlimit(daemon.pid(), RLIMIT_CPU, nullptr, &limit), 0);
  EXPECT_EQ(limit.rlim_cur, 5000U);
  EXPECT_NE(test::read_file(proc(daemon.pid(), "environ")).find("AN_OPERATORS_VARIABLE"), std::string::npos);
}

TEST(StartedByAProgram, a_daemon_started_with_an_alarm_and_a_umask_of_0777_lives_and_can_be_restarted) {
  const test::TempDir dir;
  const std::string socket = dir.path() / "own" / "s";
  for (int turn = 0; turn < 2; ++turn) {
    Child daemon = Child::fork([&socket] {
      ::umask(0777);
      const itimerval soon{.it_interval = {}, .it_value = {.tv_sec = 0, .tv_usec = 300'000}};
      ::setitimer(ITIMER_REAL, &soon, nullptr);
      ::execl(program("beltwayd").c_str(), "beltwayd", "--socket", socket.c_str(), "--idle-exit", "1", nullptr);
      return 1;
    });
    EXPECT_TRUE(daemon.wait().ok());
  }
}

/// Runs a script in a mount namespace of its own. Nothing if the machine does not allow it.
std::optional<test::Outcome> run_apart(const std::string& script) {
  if (!test::run({"unshare", "--mount", "true"}).exit.ok()) return std::nullopt;
  return test::run({"unshare", "--mount", "--propagation", "private", "bash", "-c", "set -e; " + script});
}

TEST_F(Surroundings, a_daemon_starts_with_a_full_disk_where_it_writes_its_process_number) {
  const std::string place = (dir_.path() / "full").string();
  const auto result =
      run_apart("mkdir " + place + "; mount -t tmpfs -o size=8k none " + place + "; cd " + place +
                "; dd if=/dev/zero of=filler bs=4k count=9 2>/dev/null || true; '" + program("beltwayd").string() +
                "' --background --socket " + place + "/s --log-file " + place + "/log; '" +
                program("beltway").string() + "' --socket " + place + "/s declare q --slots 16; '" +
                program("beltway").string() + "' --socket " + place + "/s ping --format json");
  if (!result) GTEST_SKIP() << "no mount namespace can be made here";
  EXPECT_TRUE(result->exit.ok()) << result->err;
  const auto at = result->out.find("\"pid\":");
  ASSERT_NE(at, std::string::npos) << result->out << result->err;
  const int pid = std::stoi(result->out.substr(at + 6));
  EXPECT_EQ(result->out.find("\"log_lost\":0,"), std::string::npos) << "the log is on that disk, too: " << result->out;
  ::kill(pid, SIGTERM);
  EXPECT_TRUE(eventually([&] { return test::is_gone(pid); }));
}

TEST_F(Surroundings, a_read_only_place_is_refused_with_the_remedy) {
  const std::string place = (dir_.path() / "ro").string();
  const auto result = run_apart("mkdir " + place + "; mount -t tmpfs -o ro none " + place + "; exec '" +
                                program("beltwayd").string() + "' --socket " + place + "/s");
  if (!result) GTEST_SKIP() << "no mount namespace can be made here";
  EXPECT_EQ(result->exit.code, 1);
  EXPECT_NE(result->err.find("Read-only file system"), std::string::npos) << result->err;
  EXPECT_NE(result->err.find("--socket"), std::string::npos) << result->err;
}

TEST_F(Surroundings, a_daemon_starts_without_proc) {
  const std::string place = dir_.path().string();
  const auto result = run_apart("mount -t tmpfs none /proc; cd " + place + "; '" + program("beltwayd").string() +
                                "' --background --socket s --log-file l; '" + program("beltway").string() +
                                "' --socket " + place + "/s ping --format json; '" + program("beltway").string() +
                                "' --socket " + place + "/s declare q --slots 16 || true");
  if (!result) GTEST_SKIP() << "no mount namespace can be made here";
  EXPECT_TRUE(result->exit.ok()) << result->err;
  const auto at = result->out.find("\"pid\":");
  ASSERT_NE(at, std::string::npos) << result->out << result->err;
  const int pid = std::stoi(result->out.substr(at + 6));
  if (!result->err.empty()) {
    EXPECT_NE(result->err.find("/proc"), std::string::npos) << result->err;
  }
  ::kill(pid, SIGTERM);
  EXPECT_TRUE(eventually([&] { return test::is_gone(pid); }));
}

TEST_F(Surroundings, a_user_without_a_passwd_entry_can_start_a_daemon) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  const test::OwnUser user;
  const uid_t id = user.id();
  ASSERT_EQ(::chown(dir_.path().c_str(), id, id), 0);
  const auto become_user = [id] { return ::setresgid(id, id, id) == 0 && ::setresuid(id, id, id) == 0; };
  const auto reaches_the_directory = [&] { return become_user() && ::access(dir_.path().c_str(), X_OK) == 0; };
  if (!Child::fork([&] { return reaches_the_directory() ? 0 : 1; }).wait().ok()) {
    GTEST_SKIP() << "another user cannot reach " << dir_.path() << ": a directory above it is closed";
  }
  Child client = Child::fork([&] {
    if (!become_user()) return 3;
    ::unsetenv("HOME");
    ::umask(0777);
    const Connection link = Connection::open();
    const bool good = link.declare("orders", k_small).describe().owner_uid == id;
    const int pid = link.ping().pid;
    ::kill(pid, SIGTERM);
    return good && eventually([&] { return test::is_gone(pid); }) ? 0 : 2;
  });
  EXPECT_TRUE(client.wait().ok());
}

}  // namespace
}  // namespace beltway
