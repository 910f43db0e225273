// A daemon with its supervisor.
#include "supervised_daemon.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>

#include <stdexcept>

#include "beltway/error.hpp"
#include "os/fd.hpp"

namespace beltway::test {

using namespace beltway::os;

namespace {

Child start(const TempDir& dir, const SupervisedDaemon::Options& options) {
  std::vector<std::string> argv = {options.program, "--socket", dir.socket(), "--log-level", "debug"};
  argv.insert(argv.end(), options.arguments.begin(), options.arguments.end());
  return Child::spawn(argv, {.standard_output = dir.path() / "out.log", .standard_error = dir.path() / "err.log"});
}

/// The words of /proc/PID/stat after the program's name: state, parent, ... Empty if there is no such process.
std::string stat_of(int pid) {
  try {
    const std::string text = read_file("/proc/" + std::to_string(pid) + "/stat");
    return text.substr(text.rfind(')') + 2);
  } catch (const std::exception&) {
    return {};
  }
}

}  // namespace

bool is_gone(int pid) {
  const std::string stat = stat_of(pid);
  return stat.empty() || stat[0] == 'Z' || stat[0] == 'X';
}

int parent_of(int pid) {
  const std::string stat = stat_of(pid);
  return stat.size() < 3 ? -1 : std::stoi(stat.substr(2));
}

SupervisedDaemon::SupervisedDaemon(const Options& options) : supervisor_(start(dir_, options)) {
  const bool answers = eventually([&] {
    if (supervisor_.poll()) throw std::runtime_error("beltwayd ended at once; its log:\n" + log());
    try {
      return connect().ping().pid > 0;
    } catch (const Error&) {
      return false;  // not there yet
    }
  });
  if (!answers) throw std::runtime_error("beltwayd does not answer; its log:\n" + log());
}

SupervisedDaemon::~SupervisedDaemon() {
  if (supervisor_.pid() > 0) {
    supervisor_.kill(SIGTERM);
    EXPECT_EQ(supervisor_.wait(), (Exit{.code = 0, .signal = 0})) << "beltwayd did not end well; its log:\n" << log();
  }
  // Whatever the test has done: if a daemon holds the lock, it is ours.
  const int last = pid();
  if (last <= 0 || is_gone(last)) return;
  ADD_FAILURE() << "process " << last << " was left; its log:\n" << log();
  const int parent = parent_of(last);
  if (parent > 1 && parent != ::getpid() && parent != ::getppid()) ::kill(last, SIGSTOP);
  ::kill(last, SIGKILL);
}

std::string SupervisedDaemon::log() const {
  return read_file(dir_.path() / "out.log") + read_file(dir_.path() / "err.log");
}

int SupervisedDaemon::pid() const {
  try {
    return std::stoi(read_file(socket().string() + ".lock"));
  } catch (const std::exception&) {
    return -1;
  }
}

void SupervisedDaemon::kill_daemon() const {
  // A daemon that is just starting has not written its number yet: kill one that answers, or is stopped.
  const int victim = pid();
  if (victim <= 0 || is_gone(victim)) return;
  ::kill(victim, SIGKILL);
  EXPECT_TRUE(eventually([&] { return is_gone(victim); }));
}

int SupervisedDaemon::wait_for_another(int before) const {
  int now = before;
  EXPECT_TRUE(eventually([&] {
    try {
      now = connect().ping().pid;
    } catch (const Error&) {
      return false;
    }
    return now != before;
  })) << log();
  return now;
}

void SupervisedDaemon::kill_both() {
  const int daemon = pid();
  ::kill(daemon, SIGSTOP);  // or it would become its own supervisor
  supervisor_.kill();
  supervisor_.wait();
  ::kill(daemon, SIGKILL);
  EXPECT_TRUE(eventually([&] { return is_gone(daemon); }));
  // A process whose first thread is gone has its files until the last one is.
  const std::string path = socket().string() + ".lock";
  EXPECT_TRUE(eventually([&] {
    const Fd lock(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    return !lock || ::flock(lock.get(), LOCK_EX | LOCK_NB) == 0;
  }));
}

}  // namespace beltway::test
