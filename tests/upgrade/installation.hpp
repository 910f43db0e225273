// The programs of three versions, and a place where one after the other is installed.
//
// now: the programs of this build; old: those of the last commit with layout 1.1; other: these sources with another layout.
// Thread safety: none.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "beltway/beltway.hpp"
#include "support/child.hpp"
#include "support/daemon.hpp"
#include "support/temp_dir.hpp"

namespace beltway::test {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

struct Side {
  std::string name;
  fs::path programs;

  [[nodiscard]] fs::path daemon() const { return programs / "beltwayd"; }
  /// The tool of this build; of another side what build_side.sh has in its place, side_client.cpp.
  [[nodiscard]] fs::path tool() const { return programs / (name == "now" ? "beltway" : "side_client"); }
  /// Why it could not be built; empty if it was.
  [[nodiscard]] std::string missing() const {
    const fs::path file = programs.parent_path().parent_path() / "missing";
    return fs::exists(file) ? read_file(file) : "";
  }
};

inline Side now() { return {"now", program("beltwayd").parent_path()}; }
inline Side old() { return {"old", fs::path(BELTWAY_TEST_SIDES) / "old" / "build" / "bin"}; }
inline Side other() { return {"other", fs::path(BELTWAY_TEST_SIDES) / "other" / "build" / "bin"}; }

#define SKIP_WITHOUT(side)                                                                                  \
  do {                                                                                                      \
    if (const std::string why = (side).missing(); !why.empty()) GTEST_SKIP() << (side).name << ": " << why; \
  } while (false)

/// A program file into which one side after the other is installed, and its daemon.
class Installation {
 public:
  explicit Installation(const Side& first) {
    install(first);
    supervisor_.emplace(
        Child::spawn({program(), "--socket", dir_.socket(), "--log-level", "debug"},
                     {.standard_output = dir_.path() / "out.log", .standard_error = dir_.path() / "log"}));
    EXPECT_TRUE(eventually([&] { return run(first, {"ping"}).exit.ok(); })) << log();
  }
  Installation(const Installation&) = delete;
  Installation& operator=(const Installation&) = delete;
  ~Installation() {
    for (Child& child : children_) {
      if (child.pid() <= 0) continue;  // the test has waited for it
      child.kill(SIGTERM);
      child.wait();
    }
    supervisor_->kill(SIGTERM);
    EXPECT_TRUE(supervisor_->wait().ok()) << log();
  }

  /// As a package manager does it.
  void install(const Side& side) const {
    fs::copy_file(side.daemon(), dir_.path() / "new");
    fs::rename(dir_.path() / "new", program());
  }
  /// Has the daemon started again from what is installed; returns when one has the lock.
  void restart() {
    const std::string before = read_file(lock());
    supervisor_->kill(SIGUSR2);
    EXPECT_TRUE(eventually([&] {
      const std::string after = read_file(lock());
      return !after.empty() && after != before;
    })) << log();
  }
  [[nodiscard]] Outcome run(const Side& side, const std::vector<std::string>& arguments) const {
    std::vector<std::string> argv{side.tool()};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return test::run(argv, {.environment = {{"BELTWAY_SOCKET", dir_.socket()}}}, 20s);
  }
  [[nodiscard]] nlohmann::json run_json(const Side& side, std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--format", "json"});
    const Outcome result = run(side, arguments);
    EXPECT_TRUE(result.exit.ok()) << result.err;
    return nlohmann::json::parse(result.out, nullptr, false);
  }
  Child& subscribe(const Side& side, const std::string& queue) {
    const std::string number = std::to_string(children_.size());
    children_.push_back(Child::spawn({side.tool(), "sub", queue, "--group", "g", "--follow"},
                                     {.environment = {{"BELTWAY_SOCKET", dir_.socket()}},
                                      .standard_output = dir_.path() / ("out." + number),
                                      .standard_error = dir_.path() / ("err." + number)}));
    return children_.back();
  }
  [[nodiscard]] Child publish(const Side& side, const std::string& queue, int count, const std::string& rate) const {
    std::ofstream lines(dir_.path() / "lines");
    for (int i = 0; i < count; ++i) lines << i << '\n';
    lines.close();
    return Child::spawn({side.tool(), "pub", queue, "--rate", rate},
                        {.environment = {{"BELTWAY_SOCKET", dir_.socket()}},
                         .standard_input = dir_.path() / "lines",
                         .standard_output = "/dev/null",
                         .standard_error = dir_.path() / "pub.err"});
  }
  /// Different lines that all subscribers have printed.
  [[nodiscard]] std::size_t received() const {
    std::set<std::string> lines;
    for (std::size_t i = 0; i < children_.size(); ++i) {
      std::ifstream in(dir_.path() / ("out." + std::to_string(i)));
      for (std::string line; std::getline(in, line);) lines.insert(line);
    }
    return lines.size();
  }
  [[nodiscard]] fs::path socket() const { return dir_.socket(); }
  [[nodiscard]] Connection connect() const { return Connection::open({.socket = dir_.socket(), .timeout = 20s}); }
  [[nodiscard]] std::string log() const { return read_file(dir_.path() / "log"); }
  [[nodiscard]] Child& child(std::size_t index) { return children_[index]; }
  /// -1: it is just being written.
  [[nodiscard]] int daemon_pid() const {
    const std::string text = read_file(lock());
    return text.empty() ? -1 : std::stoi(text);
  }

 private:
  [[nodiscard]] fs::path program() const { return dir_.path() / "beltwayd"; }
  [[nodiscard]] fs::path lock() const { return dir_.socket().string() + ".lock"; }

  TempDir dir_;
  std::optional<Child> supervisor_;
  std::vector<Child> children_;
};

}  // namespace beltway::test
