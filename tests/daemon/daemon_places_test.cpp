// One user in several environments: a login with XDG_RUNTIME_DIR, and cron, su or a service without. Which daemon each of
// them finds, and that root keeps out of a user's directories. Only root can play a user of its own, so only root runs most.
#include <dirent.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "beltway/beltway.hpp"
#include "client/socket_path.hpp"
#include "support/child.hpp"
#include "support/daemon.hpp"
#include "support/own_user.hpp"
#include "support/supervised_daemon.hpp"
#include "support/temp_dir.hpp"

namespace beltway {

using namespace beltway::client;

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using nlohmann::json;
using test::Child;
using test::eventually;
using test::Outcome;
using test::program;

using Environment = std::vector<std::string>;

/// A user whom nobody else is, without a home: its processes, its directories in /tmp and /run/user go with it.
class OneUser : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
    make_directory(special_, uid_);
    fs::permissions(dir_.path(), fs::perms{0755});
    if (!as(k_cron, {program("beltway"), "--version"}).exit.ok()) {
      GTEST_SKIP() << "another user cannot run the programs of this build: a directory above them is closed";
    }
  }
  void TearDown() override {
    for (const int pid : daemons()) ::kill(pid, SIGTERM);
    EXPECT_TRUE(eventually([this] { return daemons().empty(); }));
    for (const int pid : daemons()) ::kill(pid, SIGKILL);
  }

  static void make_directory(const fs::path& path, uid_t owner) {
    fs::create_directories(path);
    fs::permissions(path, fs::perms::owner_all);
    ASSERT_EQ(::chown(path.c_str(), owner, owner), 0);
  }

  [[nodiscard]] Outcome as(const Environment& environment, const std::vector<std::string>& arguments) const {
    const std::string user = std::to_string(uid_);
    std::vector<std::string> argv{"setpriv", "--reuid", user, "--regid", user, "--clear-groups", "env", "-i"};
    argv.insert(argv.end(), environment.begin(), environment.end());
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return test::run(argv);
  }
  [[nodiscard]] Outcome tool(const Environment& environment, std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), program("beltway"));
    return as(environment, arguments);
  }
  [[nodiscard]] json ping(const Environment& environment) const {
    const Outcome result = tool(environment, {"ping", "--format", "json"});
    EXPECT_TRUE(result.exit.ok()) << result.err;
    return result.exit.ok() ? json::parse(result.out) : json();
  }
  /// Declares in the first environment, publishes in the second, receives in the first.
  void expect_to_meet(const Environment& first, const Environment& second) const {
    ASSERT_TRUE(tool(first, {"declare", "orders", "--group", "billing"}).exit.ok());
    const Outcome declared = tool(second, {"declare", "orders", "--group", "billing"});
    ASSERT_TRUE(declared.exit.ok()) << declared.err;
    ASSERT_TRUE(tool(second, {"pub", "orders", "hello"}).exit.ok());
    const Outcome received = tool(first, {"sub", "orders", "--group", "billing", "--count", "1", "--timeout", "5"});
    EXPECT_EQ(received.out, "hello\n") << received.err;
    EXPECT_EQ(daemons().size(), 2U) << "one daemon and its supervisor";
    EXPECT_EQ(ping(first)["pid"], ping(second)["pid"]);
  }

  [[nodiscard]] std::vector<int> daemons() const {
    std::vector<int> found;
    for (const auto& entry : fs::directory_iterator("/proc")) {
      struct stat status{};
      if (::stat(entry.path().c_str(), &status) != 0 || status.st_uid != uid_) continue;
      const int pid = std::atoi(entry.path().filename().c_str());
      if (pid > 0 && !test::is_gone(pid)) found.push_back(pid);
    }
    return found;
  }

  const test::OwnUser user_;
  const uid_t uid_ = user_.id();
  test::TempDir dir_;
  const fs::path special_ = dir_.path() / "xdg";
  const Environment k_cron = {};
  const Environment special() const { return {"XDG_RUNTIME_DIR=" + special_.string()}; }
  const Environment login() const { return {"XDG_RUNTIME_DIR=" + run_user().string()}; }
  [[nodiscard]] fs::path run_user() const { return user_.run_user(); }
};

TEST_F(OneUser, one_user_with_and_without_a_runtime_directory_finds_the_same_daemon) {
  expect_to_meet(special(), k_cron);
}

TEST_F(OneUser, a_user_that_logs_in_finds_the_daemon_that_cron_has_started) {
  make_directory(run_user(), uid_);
  expect_to_meet(k_cron, login());
}

TEST_F(OneUser, a_user_that_is_logged_in_finds_the_daemon_that_cron_starts_later) {
  make_directory(run_user(), uid_);
  expect_to_meet(login(), k_cron);
}

TEST_F(OneUser, cron_finds_the_daemon_of_a_user_whose_login_has_ended) {
  make_directory(run_user(), uid_);
  ASSERT_TRUE(tool(login(), {"declare", "orders"}).exit.ok());
  const json before = ping(login());
  fs::remove_all(run_user());
  EXPECT_EQ(ping(k_cron)["pid"], before["pid"]);
  make_directory(run_user(), uid_);
  EXPECT_TRUE(eventually([this] { return fs::is_socket(run_user() / "beltway" / "beltwayd.sock"); }));
  EXPECT_EQ(ping(login())["pid"], before["pid"]);
}

TEST_F(OneUser, all_listen_sockets_of_a_user_survive_the_death_of_its_daemon) {
  ASSERT_TRUE(tool(special(), {"declare", "orders"}).exit.ok());
  const int before = ping(k_cron)["pid"];
  ::kill(before, SIGKILL);
  ASSERT_TRUE(eventually([&] { return ping(special())["pid"] != before; }));
  EXPECT_EQ(ping(k_cron)["pid"], ping(special())["pid"]);
  EXPECT_TRUE(tool(k_cron, {"show", "orders"}).exit.ok());
}

TEST_F(OneUser, a_user_that_names_its_own_place_is_told_of_its_other_daemon) {
  ASSERT_TRUE(tool(k_cron, {"declare", "orders"}).exit.ok());
  const Outcome declared = tool(special(), {"declare", "orders"});
  ASSERT_TRUE(declared.exit.ok()) << declared.err;
  EXPECT_NE(declared.err.find("another daemon of this user"), std::string::npos) << declared.err;
  const json own = ping(special());
  ASSERT_EQ(own["others"].size(), 1U);
  EXPECT_EQ(own["others"][0]["pid"], ping(k_cron)["pid"]);
  EXPECT_EQ(own["uid"], uid_);
  const Outcome list = tool(special(), {"list"});
  EXPECT_NE(list.err.find("process " + own["pid"].dump() + " of "), std::string::npos) << list.err;
  EXPECT_NE(list.err.find(special_.string()), std::string::npos) << list.err;
  EXPECT_EQ(json::parse(tool(special(), {"list", "--format", "json"}).out)["daemon"]["pid"], own["pid"]);
}

TEST_F(OneUser, the_second_listen_socket_of_a_user_is_served_by_the_next_daemon) {
  test::TempDir other_dir;
  fs::permissions(other_dir.path(), fs::perms{0755});
  make_directory(other_dir.path() / "xdg", uid_);
  const Environment other{"XDG_RUNTIME_DIR=" + (other_dir.path() / "xdg").string()};
  ASSERT_TRUE(tool(special(), {"declare", "first"}).exit.ok());
  ASSERT_TRUE(tool(other, {"declare", "second"}).exit.ok());
  const int first = ping(special())["pid"];
  const int second = ping(other)["pid"];
  EXPECT_EQ(ping(k_cron)["pid"], first);
  ::kill(test::parent_of(first), SIGTERM);
  EXPECT_TRUE(eventually([&] {
    const Outcome result = tool(k_cron, {"ping", "--format", "json"});
    return result.exit.ok() && json::parse(result.out)["pid"] == second;
  }));
}

TEST_F(OneUser, one_user_cannot_start_a_second_daemon_for_its_standard_places) {
  make_directory(run_user(), uid_);
  ASSERT_TRUE(tool(k_cron, {"declare", "orders"}).exit.ok());
  for (const Environment& environment : {k_cron, login()}) {
    const Outcome second = as(environment, {program("beltwayd"), "--no-keeper"});
    EXPECT_EQ(second.exit.code, 3);
    EXPECT_NE(second.err.find("a daemon is alive"), std::string::npos) << second.err;
  }
}

TEST_F(OneUser, one_user_starts_one_daemon_from_both_environments_at_once) {
  make_directory(run_user(), uid_);
  std::vector<std::thread> clients;
  for (int i = 0; i < 6; ++i) {
    clients.emplace_back([&, i] {
      const Outcome result = tool(i % 2 == 0 ? k_cron : login(), {"declare", "q" + std::to_string(i)});
      EXPECT_TRUE(result.exit.ok()) << result.err;
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(json::parse(tool(k_cron, {"list", "--format", "json"}).out)["queues"].size(), 6U);
  EXPECT_EQ(daemons().size(), 2U) << "one daemon and its supervisor";
}

TEST_F(OneUser, a_service_with_a_private_tmp_is_found_by_the_runtime_directory) {
  make_directory(run_user(), uid_);
  ASSERT_TRUE(tool(k_cron, {"declare", "orders"}).exit.ok());
  const int before = ping(k_cron)["pid"];
  Child service = Child::fork([&] {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("none", "/tmp", "tmpfs", 0, "mode=1777") != 0) {
      return 90;
    }
    if (::setgid(uid_) != 0 || ::setuid(uid_) != 0) return 91;
    ::unsetenv("XDG_RUNTIME_DIR");
    ::unsetenv("BELTWAY_SOCKET");
    return Connection::open({.start_daemon = false}).ping().pid == before ? 0 : 92;
  });
  const test::Exit exit = service.wait();
  if (exit.code == 90) GTEST_SKIP() << "no mount namespace of one's own here";
  EXPECT_EQ(exit.code, 0);
}

TEST_F(OneUser, root_with_the_environment_of_a_user_leaves_its_daemon_alone) {
  const auto as_root = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(),
                     {"env", "-u", "BELTWAY_SOCKET", "XDG_RUNTIME_DIR=" + special_.string(), program("beltway")});
    return test::run(arguments);
  };
  // Before there is a daemon, and beside one.
  EXPECT_EQ(as_root({"ping"}).out.find(special_.string()), std::string::npos);
  EXPECT_TRUE(fs::is_empty(special_)) << "nothing of root's lies in the user's directory";
  ASSERT_TRUE(tool(special(), {"declare", "left_alone"}).exit.ok());
  const int users = ping(special())["pid"];
  const Outcome roots = as_root({"ping", "--format", "json"});
  EXPECT_TRUE(!roots.exit.ok() || json::parse(roots.out)["pid"] != users) << roots.out;
  EXPECT_EQ(as_root({"show", "left_alone"}).out, "");
  for (const auto& entry : fs::recursive_directory_iterator(special_)) {
    struct stat status{};
    ASSERT_EQ(::lstat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, uid_) << entry.path();
  }
}

TEST_F(OneUser, root_inspects_the_daemon_of_a_user_without_a_trace) {
  ASSERT_TRUE(tool(special(), {"declare", "orders", "--group", "g"}).exit.ok());
  ASSERT_TRUE(tool(special(), {"pub", "orders", "x"}).exit.ok());
  const auto as_root = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), program("beltway"));
    arguments.insert(arguments.end(), {"--socket", special_ / "beltway" / "beltwayd.sock", "--format", "json"});
    return test::run(arguments);
  };
  const std::string before = as_root({"show", "orders"}).out;
  const auto written = fs::last_write_time(special_ / "beltway");
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"list"}, {"ping"}, {"show", "orders"}, {"peek", "orders", "--group", "g"}}) {
    const Outcome result = as_root(arguments);
    EXPECT_TRUE(result.exit.ok()) << result.err;
  }
  EXPECT_EQ(as_root({"show", "orders"}).out, before);
  EXPECT_EQ(fs::last_write_time(special_ / "beltway"), written);
}

/// Sets a variable for one test, which runs in a process of its own.
void set(const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); }

TEST(UserPlaces, the_places_of_a_user_are_the_standard_ones_without_a_runtime_directory_of_ones_own) {
  const std::string uid = std::to_string(::geteuid());
  const fs::path in_tmp = "/tmp/beltway-" + uid + "/beltwayd.sock";
  for (const std::string runtime : {"", "relative", "/nonexistent/directory", "/proc/1/cwd/nothing"}) {
    set("XDG_RUNTIME_DIR", runtime);
    EXPECT_EQ(user_socket_path(), in_tmp) << runtime;
    EXPECT_EQ(user_socket_paths().back(), in_tmp) << runtime;
    EXPECT_TRUE(other_user_socket_paths().empty()) << runtime;
  }
  EXPECT_TRUE(is_standard_user_socket(in_tmp));
  EXPECT_TRUE(is_standard_user_socket("/run/user/" + uid + "/beltway/beltwayd.sock"));
}

TEST(UserPlaces, the_places_of_a_user_are_one_in_a_runtime_directory_of_ones_own) {
  const test::TempDir dir;
  const fs::path socket = dir.path() / "beltway" / "beltwayd.sock";
  for (const std::string end : {"", "/", "/.", "//"}) {
    set("XDG_RUNTIME_DIR", dir.path().string() + end);
    EXPECT_EQ(user_socket_path(), socket) << end;
    EXPECT_EQ(user_socket_paths(), std::vector{socket}) << end;
    EXPECT_FALSE(other_user_socket_paths().empty()) << end;
  }
  EXPECT_EQ(further_sockets_of(socket).size(), 1U) << "also for those without such a directory";
  EXPECT_TRUE(further_sockets_of(dir.path() / "my.sock").empty()) << "a socket that was named is all there is";
  EXPECT_TRUE(further_sockets_of(system_socket_path()).empty());
}

TEST(UserPlaces, the_places_of_a_user_get_back_the_rights_that_a_umask_took) {
  const test::TempDir dir;
  const fs::path closed = dir.path() / "beltway";
  ::umask(0777);
  make_private_directory(closed);
  ::umask(022);
  struct stat status{};
  ASSERT_EQ(::stat(closed.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
}

}  // namespace
}  // namespace beltway
