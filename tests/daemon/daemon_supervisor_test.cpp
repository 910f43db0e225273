// How the supervisor deals with daemons that do not come up, programs that do not work, and signals: nothing that it keeps is
// lost, and nothing is tried for ever without a word.
#include <gtest/gtest.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "beltway/beltway.hpp"
#include "support/child.hpp"
#include "support/raw_client.hpp"
#include "support/supervised_daemon.hpp"
#include "survival/supervisor.hpp"

namespace beltway {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using test::Child;
using test::eventually;
using test::is_gone;
using test::k_small;
using test::SupervisedDaemon;
using test::TempDir;

fs::path write_script(const TempDir& dir, const std::string& name, const std::string& script) {
  const fs::path file = dir.write(name, "#!/bin/sh\n" + script + "\n");
  fs::permissions(file, fs::perms::owner_all);
  return file;
}

/// A program file of the test's own, which can be replaced as a package manager does it.
class ProgramFile {
 public:
  ProgramFile() { fs::copy_file(test::program("beltwayd"), path()); }
  [[nodiscard]] fs::path path() const { return dir_.path() / "beltwayd"; }
  [[nodiscard]] const TempDir& dir() const { return dir_; }
  void replace_by_script(const std::string& script) const { fs::rename(write_script(dir_, "update", script), path()); }
  void replace_by_working_program() const {
    fs::copy_file(test::program("beltwayd"), dir_.path() / "update");
    fs::rename(dir_.path() / "update", path());
  }
  void replace_by_text() const { fs::rename(dir_.write("update", "no program"), path()); }

 private:
  TempDir dir_;
};

fs::path program_of(int pid) { return fs::read_symlink("/proc/" + std::to_string(pid) + "/exe"); }

/// Breaks the program file in some way, has the daemon started again, and mends the file.
void break_and_mend(const std::function<void(const ProgramFile&)>& break_it) {
  const ProgramFile file;
  SupervisedDaemon daemon({.program = file.path()});
  const Queue queue = daemon.connect().declare("orders", k_small);
  auto out = queue.producer();
  auto in = queue.consumer();
  const int first = daemon.pid();
  break_it(file);
  daemon.supervisor().kill(SIGUSR2);
  const int second = daemon.wait_for_another(first);
  EXPECT_EQ(queue.describe().endpoints.size(), 2U);
  out.publish("x");
  EXPECT_TRUE(in.receive(20s));
  const std::string passed_over = daemon.connect().ping().passed_over;
  EXPECT_NE(passed_over.find(file.path().string()), std::string::npos) << passed_over;

  daemon.kill_daemon();  // while the file is still broken
  const int third = daemon.wait_for_another(second);
  EXPECT_NE(daemon.connect().ping().passed_over, "");
  file.replace_by_working_program();
  daemon.supervisor().kill(SIGUSR2);
  const int fourth = daemon.wait_for_another(third);
  EXPECT_EQ(program_of(fourth), file.path());
  EXPECT_EQ(daemon.connect().ping().passed_over, "");
  EXPECT_EQ(queue.describe().endpoints.size(), 2U);
}

TEST(BrokenProgramFile, a_broken_program_file_that_is_missing_gives_way_to_the_stored_program) {
  break_and_mend([](const ProgramFile& file) { fs::remove(file.path()); });
}

TEST(BrokenProgramFile, a_broken_program_file_that_is_no_program_gives_way_to_the_stored_program) {
  break_and_mend([](const ProgramFile& file) { file.replace_by_text(); });
}

TEST(BrokenProgramFile, a_broken_program_file_that_ends_with_a_code_gives_way_to_the_stored_program) {
  break_and_mend([](const ProgramFile& file) { file.replace_by_script("exit 127"); });
}

TEST(BrokenProgramFile, a_program_file_that_ends_with_code_0_before_it_is_ready_gives_way_to_the_stored_program) {
  break_and_mend([](const ProgramFile& file) { file.replace_by_script("exit 0"); });
}

TEST(BrokenProgramFile, a_broken_program_file_that_is_killed_by_a_signal_gives_way_to_the_stored_program) {
  break_and_mend([](const ProgramFile& file) { file.replace_by_script("kill -SEGV $$"); });
}

TEST(BrokenProgramFile, a_broken_program_file_is_tried_three_times_and_not_again_until_it_changes) {
  const ProgramFile file;
  SupervisedDaemon daemon({.program = file.path()});
  const Queue queue = daemon.connect().declare("orders", k_small);
  const int first = daemon.pid();
  const fs::path tried = file.dir().path() / "tried";
  const auto tries = [&] { return fs::file_size(tried) / 2; };
  file.replace_by_script("echo x >> " + tried.string() + "\nexit 7");
  daemon.kill_daemon();
  const int second = daemon.wait_for_another(first);
  EXPECT_EQ(tries(), 3U);
  EXPECT_NE(daemon.log().find("did not come up 3 times in a row: it ended with code 7"), std::string::npos);
  daemon.kill_daemon();
  const int third = daemon.wait_for_another(second);
  EXPECT_EQ(tries(), 3U) << "the same file";
  file.replace_by_script("echo x >> " + tried.string() + "\nexit 8");
  daemon.kill_daemon();
  static_cast<void>(daemon.wait_for_another(third));
  EXPECT_EQ(tries(), 6U) << "another file";
  EXPECT_EQ(queue.describe().name, "orders");
}

TEST(BrokenProgramFile, a_broken_program_file_does_not_run_as_the_supervisor_when_the_supervisor_is_killed) {
  const ProgramFile file;
  SupervisedDaemon daemon({.program = file.path()});
  const Queue queue = daemon.connect().declare("orders", k_small);
  auto out = queue.producer();
  const int first = daemon.pid();
  file.replace_by_script("exit 7");
  daemon.supervisor().kill(SIGKILL);
  daemon.supervisor().wait();
  const int second = daemon.wait_for_another(first);
  EXPECT_EQ(test::parent_of(second), first) << "the daemon has become the supervisor of the next";
  EXPECT_EQ(queue.describe().endpoints.size(), 1U);
  file.replace_by_working_program();
  ::kill(first, SIGUSR2);
  const int third = daemon.wait_for_another(second);
  EXPECT_EQ(program_of(third), file.path()) << "the new supervisor starts the program file, and not its own program";
  EXPECT_EQ(queue.describe().endpoints.size(), 1U);
  ::kill(first, SIGTERM);
  EXPECT_TRUE(eventually([&] { return is_gone(first) && is_gone(third); }));
}

/// A supervisor of a script from the beginning.
struct ScriptSupervisor {
  explicit ScriptSupervisor(const std::string& script, unsigned max_start_s = 20)
      : supervisor(Child::fork([this, script, max_start_s] {
          spdlog::set_default_logger(spdlog::basic_logger_st("supervisor", log().string()));
          spdlog::flush_on(spdlog::level::trace);
          return daemon::run_supervisor({.program = write_script(dir, "program", script),
                                         .arguments = {},
                                         .ready = [] {},
                                         .max_start_s = max_start_s});
        })) {}
  [[nodiscard]] fs::path log() const { return dir.path() / "log"; }

  TempDir dir;
  Child supervisor;
};

TEST(Supervisor, a_supervisor_ends_with_the_code_of_a_daemon_that_was_never_ready) {
  ScriptSupervisor script("exit 7");
  EXPECT_EQ(script.supervisor.wait(), (test::Exit{.code = 7, .signal = 0}));
}

TEST(Supervisor, a_supervisor_gives_up_after_three_deaths_by_a_signal_when_no_daemon_was_ever_ready) {
  ScriptSupervisor script("kill -XFSZ $$");
  EXPECT_EQ(script.supervisor.wait(), (test::Exit{.code = 1, .signal = 0}));
  const std::string log = test::read_file(script.log());
  EXPECT_NE(log.find("was killed by signal 25 (File size limit exceeded) 3 times, and was never ready; giving up"),
            std::string::npos)
      << log;
}

TEST(Supervisor, a_supervisor_kills_a_daemon_that_hangs_before_it_is_ready) {
  ScriptSupervisor script("trap '' TERM\nexec sleep 100", 1);
  EXPECT_EQ(script.supervisor.wait(), (test::Exit{.code = 1, .signal = 0}));
  EXPECT_NE(test::read_file(script.log()).find("did not come up within 1 s"), std::string::npos);
}

TEST(Supervisor, a_supervisor_kills_a_daemon_that_does_not_end_on_request) {
  ScriptSupervisor script("trap '' TERM\ntouch \"$0.runs\"\nexec sleep 100", 2);
  ASSERT_TRUE(eventually([&] { return fs::exists(script.dir.path() / "program.runs"); }));
  script.supervisor.kill(SIGTERM);
  EXPECT_EQ(script.supervisor.wait(), (test::Exit{.code = 1, .signal = 0}));
  EXPECT_NE(test::read_file(script.log()).find("did not end within 2 s"), std::string::npos);
}

/// A supervisor that is started with some signals ignored.
class Ignoring {
 public:
  explicit Ignoring(const std::string& signals)
      : starter_(write_script(dir_, "start",
                              "trap '' " + signals + "\nexec " + test::program("beltwayd").string() + " \"$@\"")),
        daemon_({.program = starter_}) {}
  [[nodiscard]] SupervisedDaemon& daemon() noexcept { return daemon_; }

 private:
  TempDir dir_;
  fs::path starter_;
  SupervisedDaemon daemon_;
};

TEST(IgnoredSignals, hangup_and_interrupt_stay_ignored_in_supervisor_and_daemon_also_after_a_restart) {
  Ignoring ignoring("HUP INT");
  SupervisedDaemon& daemon = ignoring.daemon();
  const Queue queue = daemon.connect().declare("orders", k_small);
  for (int life = 0; life < 2; ++life) {
    const int pid = daemon.pid();
    for (const int signal : {SIGHUP, SIGINT}) {
      daemon.supervisor().kill(signal);
      ::kill(pid, signal);
    }
    EXPECT_EQ(queue.describe().name, "orders");
    EXPECT_EQ(daemon.connect().ping().pid, pid);
    daemon.kill_daemon();
    static_cast<void>(daemon.wait_for_another(pid));
  }
}

TEST(IgnoredSignals, hangup_stays_ignored_in_a_daemon_that_becomes_the_supervisor) {
  Ignoring ignoring("HUP");
  SupervisedDaemon& daemon = ignoring.daemon();
  const Queue queue = daemon.connect().declare("orders", k_small);
  const int first = daemon.pid();
  daemon.supervisor().kill(SIGKILL);
  daemon.supervisor().wait();
  const int second = daemon.wait_for_another(first);
  ::kill(first, SIGHUP);
  ::kill(second, SIGHUP);
  EXPECT_EQ(queue.describe().name, "orders");
  EXPECT_EQ(daemon.connect().ping().pid, second);
  ::kill(first, SIGTERM);
  EXPECT_TRUE(eventually([&] { return is_gone(first) && is_gone(second); }));
}

TEST(IgnoredSignals, signals_to_end_and_restart_are_obeyed_though_hangup_is_ignored) {
  Ignoring ignoring("TERM USR2 CHLD PIPE XFSZ");
  SupervisedDaemon& daemon = ignoring.daemon();
  const Queue queue = daemon.connect().declare("orders", k_small);
  const int first = daemon.pid();
  daemon.supervisor().kill(SIGUSR2);
  const int second = daemon.wait_for_another(first);
  daemon.kill_daemon();
  static_cast<void>(daemon.wait_for_another(second));
  EXPECT_EQ(queue.describe().name, "orders");
  daemon.supervisor().kill(SIGTERM);
  EXPECT_TRUE(daemon.supervisor().wait().ok());
}

TEST(ExitCode, the_exit_code_is_2_for_wrong_usage_and_1_if_the_daemon_cannot_listen) {
  const TempDir dir;
  EXPECT_EQ(test::run({test::program("beltwayd"), "--no-such-option"}).exit.code, 2);
  const test::Outcome failed = test::run({test::program("beltwayd"), "--socket", "/proc/nowhere/socket"});
  EXPECT_EQ(failed.exit.code, 1);
  EXPECT_NE(failed.err.find("/proc/nowhere"), std::string::npos) << failed.err;
}

TEST(ExitCode, the_exit_code_is_2_for_an_unknown_store_format_and_no_descriptor_is_touched) {
  const TempDir dir;
  const test::Outcome later =
      test::run({test::program("beltwayd"), "--socket", dir.socket(), "--store-format", "1000000", "--no-keeper"});
  EXPECT_EQ(later.exit.code, 2);
  EXPECT_FALSE(fs::exists(dir.socket()));
}

}  // namespace
}  // namespace beltway
