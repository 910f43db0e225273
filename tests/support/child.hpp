// Child processes that cannot outlive their object: programs, and functions of the test in a forked process.
// Thread safety: none; one thread at a time.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace beltway::test {

/// How a process ended: its exit code, or the signal that killed it.
struct Exit {
  int code = -1;
  int signal = 0;

  [[nodiscard]] bool ok() const noexcept { return code == 0; }
  bool operator==(const Exit&) const = default;
};
/// GoogleTest's printer.
void PrintTo(const Exit& exit, std::ostream* out);

/// One child process: killed with SIGKILL and reaped by the destructor unless it has been waited for.
class Child {
 public:
  struct Options {
    std::vector<std::pair<std::string, std::string>> environment = {};  ///< added to the test's own
    std::string standard_input = "/dev/null";                           ///< a file to read
    std::string standard_output = {};                                   ///< a file to write; empty: the test's own
    std::string standard_error = {};                                    ///< likewise
  };

  /// Starts a program; argv[0] is searched in $PATH unless it has a slash. Throws std::system_error.
  static Child spawn(const std::vector<std::string>& argv, const Options& options);
  static Child spawn(const std::vector<std::string>& argv) { return spawn(argv, Options()); }

  /// Runs `body` in a forked process, which exits with its result, or with 99 if it throws. Use it before the test has started
  /// threads. Nothing of the test's objects is destroyed there.
  static Child fork(const std::function<int()>& body);

  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  Child& operator=(Child&& other) noexcept;
  ~Child();

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  void kill(int signal = SIGKILL) const;

  /// Waits for the end. Without an answer in time the child is killed (Exit has SIGKILL then).
  Exit wait(std::chrono::milliseconds patience = std::chrono::seconds(30));
  /// Nothing while it runs.
  std::optional<Exit> poll();

 private:
  explicit Child(pid_t pid) noexcept : pid_(pid) {}
  pid_t pid_;  // -1: none, or already reaped
};

/// A program's end and everything that it wrote.
struct Outcome {
  Exit exit;
  std::string out;
  std::string err;
};
/// Runs a program to its end and collects its output.
Outcome run(const std::vector<std::string>& argv, const Child::Options& options = {},
            std::chrono::milliseconds patience = std::chrono::seconds(60));

/// Waits until `condition` holds; false if it does not within `patience`. Checks every millisecond.
bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds patience = std::chrono::seconds(20));

}  // namespace beltway::test
