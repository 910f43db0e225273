#include "own_daemon.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>

#include "child.hpp"
#include "daemon.hpp"
#include "supervised_daemon.hpp"

namespace beltway::test {

namespace {

std::string contents(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();  // not by iterators: they throw when the process of a file in /proc has ended
  return text.str();
}

}  // namespace

OwnDaemonDir::OwnDaemonDir() {
  ::unsetenv("BELTWAY_SOCKET");
  ::setenv("XDG_RUNTIME_DIR", path().c_str(), 1);
  ::setenv("BELTWAY_DAEMON", program("beltwayd").c_str(), 1);
}
OwnDaemonDir::~OwnDaemonDir() { end(); }

// By what they were started with, not by what a client is told: a daemon that was killed has a successor, and one that is late
// answers nobody yet. A client names the socket on the command line.
std::vector<int> OwnDaemonDir::processes() const {
  std::vector<int> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const int pid = std::atoi(entry.path().filename().c_str());
    if (pid <= 0 || pid == ::getpid() || is_gone(pid)) continue;
    const std::string command = contents(entry.path() / "cmdline");
    const bool is_daemon = std::string_view(command.c_str()).ends_with("beltwayd");
    if (is_daemon && command.find(path().string() + '/') != std::string::npos) found.push_back(pid);
  }
  return found;
}

void OwnDaemonDir::end() const {
  std::set<int> told;
  const bool all_ended = eventually([&] {
    const std::vector<int> left = processes();
    for (const int pid : left) {
      if (told.insert(pid).second) ::kill(pid, SIGTERM);
    }
    return left.empty();
  });
  if (all_ended) return;
  for (const int pid : processes()) {
    ADD_FAILURE() << "beltwayd, process " << pid << " of " << path() << ", does not end";
    ::kill(pid, SIGKILL);
  }
}

}  // namespace beltway::test
