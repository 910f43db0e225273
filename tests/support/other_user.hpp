// The tool as another user runs it, in this process's image: that user may not be able to reach the programs of this build.
// Thread safety: none; before the test has started threads.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "daemon.hpp"
#include "tool/commands/run.hpp"

namespace beltway::test {

/// The user "nobody", who owns nothing here.
inline constexpr unsigned k_other_user = 65534;

#define SKIP_UNLESS_ROOT() \
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user"

/// Runs the tool against this daemon as the other user. What it writes goes through files in the daemon's directory, which is
/// opened to all.
inline Outcome tool_as_other_user(const TestDaemon& daemon, std::vector<std::string> arguments) {
  const std::filesystem::path folder = daemon.dir().path();
  std::filesystem::permissions(folder, std::filesystem::perms{0755});
  for (const char* const name : {"seen", "said"}) {
    std::ofstream(folder / name).close();
    std::filesystem::permissions(folder / name, std::filesystem::perms{0666});
  }
  arguments.insert(arguments.begin(), {"beltway", "--socket", "./" + daemon.socket().filename().string()});
  Child other = Child::fork([&] {
    if (::chdir(folder.c_str()) != 0) return 90;
    if (::setgid(k_other_user) != 0 || ::setuid(k_other_user) != 0) return 91;
    if (std::freopen("seen", "w", stdout) == nullptr || std::freopen("said", "w", stderr) == nullptr) return 92;
    std::vector<char*> argv;
    for (std::string& each : arguments) argv.push_back(each.data());
    const int code = tool::run(static_cast<int>(argv.size()), argv.data());
    std::fflush(nullptr);
    return code;
  });
  Outcome outcome;
  outcome.exit = other.wait();
  outcome.out = read_file(folder / "seen");
  outcome.err = read_file(folder / "said");
  return outcome;
}

}  // namespace beltway::test
