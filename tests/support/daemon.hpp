// A daemon of the test's own, on a socket in a directory of its own, and the programs of this build.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "child.hpp"
#include "temp_dir.hpp"

namespace beltway::test {

/// A program of this build: `beltwayd`, `beltway`, or an example's name.
[[nodiscard]] std::filesystem::path program(const std::string& name);

/// Runs `beltwayd --no-keeper --socket` until it goes out of scope (see SupervisedDaemon for one with a supervisor); then SIGTERM
/// must end it with exit code 0, or the test fails.
class TestDaemon {
 public:
  /// Returns when the daemon answers. `arguments` are added to its command line. Throws std::runtime_error with its log.
  explicit TestDaemon(const std::vector<std::string>& arguments = {});
  TestDaemon(const TestDaemon&) = delete;
  TestDaemon& operator=(const TestDaemon&) = delete;
  ~TestDaemon();

  [[nodiscard]] std::filesystem::path socket() const { return dir_.socket(); }
  [[nodiscard]] const TempDir& dir() const noexcept { return dir_; }
  [[nodiscard]] Child& process() noexcept { return process_; }
  [[nodiscard]] std::string log() const;

  /// Options for a child that talks to this daemon: $BELTWAY_SOCKET.
  [[nodiscard]] Child::Options client_options() const;
  /// Runs the tool against this daemon.
  [[nodiscard]] Outcome tool(const std::vector<std::string>& arguments) const;

 private:
  TempDir dir_;
  Child process_;
};

}  // namespace beltway::test
