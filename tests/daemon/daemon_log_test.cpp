// The log of daemon and supervisor: nobody waits for whoever reads it, what is dropped is counted, and a file stays small.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "beltway/beltway.hpp"
#include "support/child.hpp"
#include "support/daemon.hpp"
#include "support/raw_client.hpp"
#include "support/supervised_daemon.hpp"
#include "survival/log_writer.hpp"

namespace beltway {

using namespace beltway::os;

namespace {

using namespace std::chrono_literals;
using daemon::LogWriter;
using test::Child;
using test::eventually;
using test::k_small;

/// A daemon whose standard error is a file that the test chooses.
class LoggingDaemon {
 public:
  LoggingDaemon(const std::filesystem::path& log, const std::vector<std::string>& arguments)
      : process_(start(dir_.socket(), log, arguments)) {
    EXPECT_TRUE(eventually([&] {
      try {
        return connect().ping().pid > 0;
      } catch (const Error&) {
        return false;
      }
    }));
  }
  ~LoggingDaemon() {
    process_.kill(SIGTERM);
    EXPECT_EQ(process_.wait(10s), (test::Exit{.code = 0, .signal = 0})) << "it does not end when it is told to";
  }
  LoggingDaemon(const LoggingDaemon&) = delete;
  LoggingDaemon& operator=(const LoggingDaemon&) = delete;

  [[nodiscard]] Connection connect() const {
    return Connection::open({.socket = dir_.socket(), .start_daemon = false});
  }

 private:
  static Child start(const std::string& socket, const std::string& log, const std::vector<std::string>& arguments) {
    std::vector<std::string> argv{test::program("beltwayd"), "--socket", socket, "--log-level", "debug"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return Child::spawn(argv, {.standard_error = log});
  }

  test::TempDir dir_;
  Child process_;
};

/// A FIFO that is open for reading and holds one page.
class Pipe {
 public:
  Pipe() {
    EXPECT_EQ(::mkfifo(path().c_str(), 0600), 0);
    descriptor_ = Fd(::open(path().c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
    EXPECT_GT(::fcntl(descriptor_.get(), F_SETPIPE_SZ, 4096), 0);
  }
  [[nodiscard]] std::filesystem::path path() const { return dir_.path() / "pipe"; }
  /// What is in it now.
  std::string read() const {
    std::array<char, 4096> piece{};
    const ssize_t size = ::read(descriptor_.get(), piece.data(), piece.size());
    return {piece.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
  }

 private:
  test::TempDir dir_;
  Fd descriptor_;
};

/// Makes the daemon log at least `lines` lines. Every request is answered.
void chatter(const Connection& link, int lines) {
  for (int i = 0; i < lines; i += 2) {
    (void)link.declare("chatter", {.slots = 2, .lane_bytes = 0});
    link.remove("chatter");
  }
}

/// A consumer that dies with a message in its hands: the message comes again.
void expect_repairs(const LoggingDaemon& daemon) {
  QueueOptions options = k_small;
  options.groups = {"g"};
  const Queue queue = daemon.connect().declare("repaired", options);
  auto out = queue.producer();
  Child victim = Child::fork([&daemon] {
    auto in = daemon.connect().open_queue("repaired").consumer({.group = "g"});
    const auto message = in.receive(20s);
    ::kill(::getpid(), SIGKILL);
    return message ? 1 : 2;
  });
  out.publish("x");
  EXPECT_EQ(victim.wait().signal, SIGKILL);
  auto in = queue.consumer({.group = "g"});
  auto again = in.receive(20s);
  ASSERT_TRUE(again);
  EXPECT_GT(again->deliveries(), 1U);
}

class DaemonLog : public testing::TestWithParam<std::vector<std::string>> {};

TEST_P(DaemonLog, a_log_into_an_unread_pipe_blocks_no_process_and_counts_its_losses) {
  const Pipe pipe;
  const LoggingDaemon daemon(pipe.path(), GetParam());
  const Connection link = daemon.connect();
  for (int turn = 0; turn < 30 && link.ping().log_lost == 0; ++turn) chatter(link, 400);
  EXPECT_GT(link.ping().log_lost, 0U);
  EXPECT_EQ(link.ping().log, "");
  expect_repairs(daemon);
  std::string log;
  EXPECT_TRUE(
      eventually([&] { return (log += pipe.read()).find("lines of this log were lost") != std::string::npos; }));
}

TEST_P(DaemonLog, a_log_at_a_stopped_terminal_blocks_no_process) {
  const Fd terminal(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(terminal && ::grantpt(terminal.get()) == 0 && ::unlockpt(terminal.get()) == 0);
  std::array<char, 64> name{};
  ASSERT_EQ(::ptsname_r(terminal.get(), name.data(), name.size()), 0);
  const Fd end(::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(end);
  ASSERT_EQ(::tcflow(end.get(), TCOOFF), 0);  // Ctrl-S
  const LoggingDaemon daemon(name.data(), GetParam());
  chatter(daemon.connect(), 100);
  expect_repairs(daemon);
}

TEST_P(DaemonLog, a_log_on_a_full_disk_blocks_no_process) {
  const LoggingDaemon daemon("/dev/full", GetParam());
  const Connection link = daemon.connect();
  chatter(link, 20);
  EXPECT_TRUE(eventually([&] { return link.ping().log_lost > 10; }));
  expect_repairs(daemon);
}

INSTANTIATE_TEST_SUITE_P(Of, DaemonLog,
                         testing::Values(std::vector<std::string>{}, std::vector<std::string>{"--no-keeper"}),
                         [](const auto& tested) { return tested.param.empty() ? "supervisor_and_daemon" : "daemon"; });

TEST(SupervisedDaemonLog, an_unread_log_does_not_keep_the_supervisor_from_restarting_the_daemon) {
  const Pipe pipe;
  const LoggingDaemon daemon(pipe.path(), {});
  const Connection link = daemon.connect();
  chatter(link, 200);  // the pipe is full
  int pid = link.ping().pid;
  for (int life = 0; life < 3; ++life) {
    ASSERT_EQ(::kill(pid, SIGKILL), 0);
    const int before = std::exchange(pid, link.ping().pid);
    EXPECT_NE(pid, before);
  }
}

TEST(DaemonLogFile, a_log_file_is_shown_by_ping_and_holds_the_log) {
  const test::TempDir dir;
  const auto file = dir.path() / "log";
  const LoggingDaemon daemon(dir.path() / "err", {"--log-file", file});
  const Connection link = daemon.connect();
  (void)link.declare("orders", k_small);
  EXPECT_EQ(link.ping().log, file);
  EXPECT_TRUE(eventually([&] { return test::read_file(file).find("orders") != std::string::npos; }));
  EXPECT_EQ(test::read_file(dir.path() / "err"), "");
  struct stat status{};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  std::filesystem::remove(file);  // a cleaner
  (void)link.declare("parcels", k_small);
  EXPECT_TRUE(eventually([&] { return std::filesystem::exists(file) && !test::read_file(file).empty(); }));
}

TEST(DaemonLogFile, a_log_file_with_a_wrong_name_is_refused) {
  const test::TempDir dir;
  const test::Outcome result =
      test::run({test::program("beltwayd"), "--socket", dir.socket(), "--log-file", "/no/such/log"});
  EXPECT_EQ(result.exit.code, 1);
  EXPECT_NE(result.err.find("/no/such/log"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("--log-file"), std::string::npos) << result.err;
}

TEST(UsageError, a_usage_error_ends_a_daemon_whose_standard_error_is_full) {
  const Pipe pipe;
  const Fd full(::open(pipe.path().c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  const std::string page(4096, 'x');
  while (::write(full.get(), page.data(), page.size()) > 0) continue;
  for (const std::vector<std::string>& wrong :
       {std::vector<std::string>{"--no-such-option"}, {"--socket", "/" + std::string(200, 'x')}}) {
    std::vector<std::string> argv{test::program("beltwayd")};
    argv.insert(argv.end(), wrong.begin(), wrong.end());
    Child child = Child::spawn(argv, {.standard_error = pipe.path()});
    EXPECT_GT(child.wait(20s).code, 0) << wrong[0];
  }
}

TEST(LogWriter, the_log_writer_moves_a_full_file_away_once) {
  const test::TempDir dir;
  const auto file = dir.path() / "log";
  LogWriter writer({.file = file, .file_bytes = 1000});
  const std::string line(99, 'x');
  for (int i = 0; i < 100; ++i) {
    writer.put(line + '\n');
    ASSERT_TRUE(writer.flush(20s));
  }
  EXPECT_LE(std::filesystem::file_size(file), 1100U);
  EXPECT_LE(std::filesystem::file_size(file.string() + ".1"), 1100U);
  const auto files = std::distance(std::filesystem::directory_iterator(dir.path()), {});
  EXPECT_EQ(files, 2);
}

TEST(LogWriter, the_log_writer_of_two_processes_moves_a_full_file_away_without_a_loss) {
  const test::TempDir dir;
  const auto file = dir.path() / "log";
  const auto write_lines = [&file](char letter) {
    LogWriter writer({.file = file, .file_bytes = 60'000});
    for (int i = 0; i < 1000; ++i) {
      writer.put(std::string(49, letter) + '\n');
      if (i % 10 == 0 && !writer.flush(20s)) return 1;
    }
    return writer.flush(20s) && writer.lost() == 0 ? 0 : 2;
  };
  Child other = Child::fork([&] { return write_lines('b'); });
  EXPECT_EQ(write_lines('a'), 0);
  EXPECT_TRUE(other.wait().ok());
  const std::string all = test::read_file(file) + test::read_file(file.string() + ".1");
  EXPECT_EQ(std::count(all.begin(), all.end(), 'a'), 49'000);
  EXPECT_EQ(std::count(all.begin(), all.end(), 'b'), 49'000);
}

TEST(LogWriter, the_log_writer_reports_the_missing_lines_as_soon_as_writing_works_again) {
  const Pipe pipe;
  LogWriter writer({.file = pipe.path(), .backlog_bytes = 10'000, .tell = [](std::uint64_t lost, const std::string&) {
                      return "lost " + std::to_string(lost) + "\n";
                    }});
  for (int i = 0; i < 1000; ++i) writer.put(std::string(99, 'x') + '\n');
  EXPECT_FALSE(writer.flush(50ms));
  const std::uint64_t lost = writer.lost();
  EXPECT_GT(lost, 0U);
  std::string text;
  EXPECT_TRUE(eventually([&] {
    text += pipe.read();
    return writer.flush(1ms);
  }));
  text += pipe.read();
  // The thread may have begun late, and have told a part of the loss before the pipe was full.
  std::uint64_t told = 0;
  std::ptrdiff_t lines = 0;
  for (std::size_t at = text.find("lost "); at != std::string::npos; at = text.find("lost ", at + 1), ++lines) {
    told += std::stoull(text.substr(at + 5));
  }
  EXPECT_GT(lines, 0);
  EXPECT_EQ(told, lost);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), static_cast<std::ptrdiff_t>(1000 - lost) + lines);
}

TEST(LogWriter, the_log_writer_of_a_forked_child_writes_no_line_of_its_parent) {
  const test::TempDir dir;
  const Pipe pipe;
  LogWriter writer({.file = pipe.path()});
  for (int i = 0; i < 500; ++i) writer.put("parent, some text to fill the pipe with\n");
  EXPECT_FALSE(writer.flush(50ms)) << "the thread hangs in a write now";
  writer.before_fork();
  Child child = Child::fork([&] {
    writer.after_fork(true);
    writer.put("child\n");
    return writer.flush(30s) ? 0 : 1;
  });
  writer.after_fork(false);
  std::string text;
  std::optional<test::Exit> end;
  EXPECT_TRUE(eventually([&] {
    text += pipe.read();
    return (end = child.poll()).has_value();
  }));
  EXPECT_TRUE(end && end->ok());
  EXPECT_TRUE(eventually([&] {
    text += pipe.read();
    return std::count(text.begin(), text.end(), '\n') == 501;
  })) << std::count(text.begin(), text.end(), '\n');
}

}  // namespace
}  // namespace beltway
