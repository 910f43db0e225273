// Child processes.
#include "child.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <ostream>
#include <string_view>
#include <system_error>
#include <thread>

#include "temp_dir.hpp"

namespace beltway::test {
namespace {

[[noreturn]] void fail(int error, const std::string& what) {
  throw std::system_error(error, std::generic_category(), what);
}

Exit exit_of(int status) noexcept {
  if (WIFEXITED(status)) return {.code = WEXITSTATUS(status), .signal = 0};
  return {.code = -1, .signal = WTERMSIG(status)};
}

// The descriptors that a spawned program starts with.
class FileActions {
 public:
  FileActions() {
    if (const int error = posix_spawn_file_actions_init(&actions_); error != 0) fail(error, "posix_spawn");
  }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }

  void open(int descriptor, const std::string& file, int flags) {
    if (file.empty()) return;
    const int error = posix_spawn_file_actions_addopen(&actions_, descriptor, file.c_str(), flags, 0600);
    if (error != 0) fail(error, "posix_spawn " + file);
  }
  [[nodiscard]] const posix_spawn_file_actions_t* get() const noexcept { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

}  // namespace

void PrintTo(const Exit& exit, std::ostream* out) {
  if (exit.signal != 0) {
    *out << "killed by signal " << exit.signal;
  } else {
    *out << "exit code " << exit.code;
  }
}

Child Child::spawn(const std::vector<std::string>& argv, const Options& options) {
  std::vector<char*> arguments;
  for (const auto& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);

  std::vector<std::string> variables;
  for (const auto& [name, value] : options.environment) variables.push_back(name + '=' + value);
  std::vector<char*> environment;
  for (auto& variable : variables) environment.push_back(variable.data());
  // Of two of one name some programs take the first, and a shell the last.
  const auto is_given = [&](std::string_view inherited) {
    return std::any_of(options.environment.begin(), options.environment.end(), [&](const auto& variable) {
      return inherited.substr(0, inherited.find('=')) == variable.first;
    });
  };
  for (char** inherited = environ; *inherited != nullptr; ++inherited) {
    if (!is_given(*inherited)) environment.push_back(*inherited);
  }
  environment.push_back(nullptr);

  FileActions files;
  files.open(STDIN_FILENO, options.standard_input, O_RDONLY);
  files.open(STDOUT_FILENO, options.standard_output, O_WRONLY | O_CREAT | O_TRUNC);
  files.open(STDERR_FILENO, options.standard_error, O_WRONLY | O_CREAT | O_TRUNC);

  pid_t pid = -1;
  const int error = posix_spawnp(&pid, arguments[0], files.get(), nullptr, arguments.data(), environment.data());
  if (error != 0) fail(error, "start " + argv[0]);
  return Child(pid);
}

Child Child::fork(const std::function<int()>& body) {
  std::fflush(nullptr);  // or the child would print what waits in our buffers once more
  const pid_t pid = ::fork();
  if (pid < 0) fail(errno, "fork");
  if (pid > 0) return Child(pid);
  int code = 99;
  try {
    code = body();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "forked child: %s\n", error.what());
  }
  std::fflush(nullptr);
  ::_exit(code);
}

Child& Child::operator=(Child&& other) noexcept {
  std::swap(pid_, other.pid_);
  return *this;
}

Child::~Child() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Child::kill(int signal) const {
  if (pid_ > 0) ::kill(pid_, signal);
}

std::optional<Exit> Child::poll() {
  int status = 0;
  if (pid_ <= 0 || ::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  pid_ = -1;
  return exit_of(status);
}

Exit Child::wait(std::chrono::milliseconds patience) {
  std::optional<Exit> end;
  if (eventually([&] { return (end = poll()).has_value(); }, patience)) return *end;
  if (pid_ <= 0) return {};
  kill(SIGKILL);
  int status = 0;
  ::waitpid(std::exchange(pid_, -1), &status, 0);
  return exit_of(status);
}

Outcome run(const std::vector<std::string>& argv, const Child::Options& options, std::chrono::milliseconds patience) {
  // Files and not pipes: the test need not read them while the program runs.
  const TempDir dir;
  Child::Options redirected = options;
  redirected.standard_output = dir.path() / "out";
  redirected.standard_error = dir.path() / "err";
  auto child = Child::spawn(argv, redirected);
  const Exit exit = child.wait(patience);
  return {exit, read_file(redirected.standard_output), read_file(redirected.standard_error)};
}

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace beltway::test
