// A daemon of the test's own.
#include "daemon.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "beltway/connection.hpp"
#include "beltway/error.hpp"

namespace beltway::test {
namespace {

Child start(const TempDir& dir, const std::vector<std::string>& arguments) {
  std::vector<std::string> argv = {program("beltwayd"), "--no-keeper", "--socket", dir.socket()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return Child::spawn(argv, {.standard_output = dir.path() / "out.log", .standard_error = dir.path() / "err.log"});
}

}  // namespace

std::filesystem::path program(const std::string& name) { return std::filesystem::path(BELTWAY_TEST_PROGRAMS) / name; }

TestDaemon::TestDaemon(const std::vector<std::string>& arguments) : process_(start(dir_, arguments)) {
  const bool answers = eventually([&] {
    if (process_.poll()) throw std::runtime_error("beltwayd ended at once; its log:\n" + log());
    try {
      (void)Connection::open({.socket = socket(), .start_daemon = false}).ping();
      return true;
    } catch (const Error&) {
      return false;  // not there yet
    }
  });
  if (!answers) throw std::runtime_error("beltwayd does not answer; its log:\n" + log());
}

TestDaemon::~TestDaemon() {
  if (process_.pid() < 0) return;  // the test has waited for it
  process_.kill(SIGTERM);
  EXPECT_EQ(process_.wait(), (Exit{.code = 0, .signal = 0})) << "beltwayd did not end well; its log:\n" << log();
}

std::string TestDaemon::log() const { return read_file(dir_.path() / "out.log") + read_file(dir_.path() / "err.log"); }

Child::Options TestDaemon::client_options() const { return {.environment = {{"BELTWAY_SOCKET", socket()}}}; }

Outcome TestDaemon::tool(const std::vector<std::string>& arguments) const {
  std::vector<std::string> argv = {program("beltway")};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run(argv, client_options());
}

}  // namespace beltway::test
