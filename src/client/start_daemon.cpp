#include "client/start_daemon.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/auxv.h>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "client/installed_daemon.hpp"

namespace beltway::client {

namespace {

namespace fs = std::filesystem;

constexpr const char* k_program = "beltwayd";

/// How much of the daemon's output is kept. A start prints a line or two.
constexpr std::size_t k_max_words_bytes = 2048;

/// A path, or the bare name for $PATH.
std::string find_program() {
  if (const char* named = std::getenv("BELTWAY_DAEMON"); named != nullptr && *named != '\0') {  // NOLINT
    return std::string(named).find('/') == std::string::npos ? named : fs::absolute(named).string();
  }
  std::error_code unknown;  // without /proc, say
  const fs::path own = fs::read_symlink("/proc/self/exe", unknown);
  const fs::path beside = own.parent_path() / k_program;
  if (!unknown && ::access(beside.c_str(), X_OK) == 0) return beside.string();
  for (const std::string& installed : {daemon_of_shared_library(), std::string(installed_daemon())}) {
    if (!installed.empty() && ::access(installed.c_str(), X_OK) == 0) return installed;
  }
  return k_program;
}

/// The end of what the starting daemon writes to its standard error. A pipe and no file: a limit of file size does not reach
/// it.
class Words {
 public:
  Words() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;  // then there are no words
    read_end_ = os::Fd(ends[0]);
    write_end_ = os::Fd(ends[1]);
    ::fcntl(read_end_.get(), F_SETFL, O_NONBLOCK);
  }
  /// -1: none.
  [[nodiscard]] int write_end() const noexcept { return write_end_.get(); }
  void close_write_end() noexcept { write_end_.reset(); }

  /// Reads what is there, so that the daemon never waits for room.
  void read() {
    std::array<char, 4096> piece{};
    ssize_t size = 0;
    while (read_end_ && (size = ::read(read_end_.get(), piece.data(), piece.size())) > 0) {
      text_.append(piece.data(), static_cast<std::size_t>(size));
      if (text_.size() > k_max_words_bytes) text_.erase(0, text_.size() - k_max_words_bytes);
    }
  }
  /// The last line without the program's name; empty if nothing was said.
  [[nodiscard]] std::string last_line() const {
    const std::size_t end = text_.find_last_not_of('\n');
    if (end == std::string::npos) return {};
    const std::size_t before = text_.rfind('\n', end);
    std::string line = text_.substr(before == std::string::npos ? 0 : before + 1, end + 1);
    line.resize(line.find_last_not_of('\n') + 1);
    constexpr std::string_view k_name = "beltwayd: ";
    return line.starts_with(k_name) ? line.substr(k_name.size()) : line;
  }

 private:
  os::Fd read_end_;
  os::Fd write_end_;
  std::string text_;
};

/// What the child does between fork and exec, freed with the object.
class SpawnPlan {
 public:
  explicit SpawnPlan(int standard_error) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
    if (standard_error >= 0) {  // first: its number may be one of those that are opened next
      ::posix_spawn_file_actions_adddup2(&actions_, standard_error, STDERR_FILENO);
    } else {
      ::posix_spawn_file_actions_addopen(&actions_, STDERR_FILENO, "/dev/null", O_RDWR, 0);
    }
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO}) {
      ::posix_spawn_file_actions_addopen(&actions_, standard, "/dev/null", O_RDWR, 0);
    }
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    ::posix_spawn_file_actions_addchdir_np(&actions_, "/");
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::sigdelset(&all, SIGHUP);  // one that is ignored stays so (nohup)
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  /// The pid; errno is the reason for -1.
  pid_t run(const std::string& program, char* const* arguments) {
    pid_t pid = -1;
    const int error = ::posix_spawnp(&pid, program.c_str(), &actions_, &attributes_, arguments, environ);
    if (error == 0) return pid;
    errno = error;
    return -1;
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

/// Nothing if another thread has reaped the child (SIGCHLD ignored, say), or at the deadline.
std::optional<int> exit_code_of(pid_t child, Words& words, const Deadline& deadline) {
  for (;;) {
    words.read();
    int status = 0;
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if ((ended < 0 && errno != EINTR) || deadline.is_over()) return std::nullopt;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace

std::string start_daemon(const fs::path& socket, const Deadline& deadline) {
  // A program with raised rights must not run what its caller's environment names.
  if (::getauxval(AT_SECURE) != 0) {
    throw Error(Errc::no_daemon, "start beltwayd: not done for a program with raised rights; start it beforehand");
  }
  const std::string program = find_program();
  const std::string idle = std::to_string(k_started_daemon_idle_s);
  std::array<std::string, 8> words_of_command{program,       "--background", "--socket",   socket.string(),
                                              "--idle-exit", idle,           "--log-file", socket.string() + ".log"};
  std::array<char*, words_of_command.size() + 1> arguments{};
  for (std::size_t i = 0; i < words_of_command.size(); ++i) arguments[i] = words_of_command[i].data();
  Words words;
  const pid_t child = SpawnPlan(words.write_end()).run(program, arguments.data());
  const int error = errno;
  words.close_write_end();
  if (child < 0) {
    throw Error(Errc::no_daemon, "start " + program + ": " + std::generic_category().message(error) +
                                     "; install the daemon, name it in $BELTWAY_DAEMON, or name a socket in "
                                     "$BELTWAY_SOCKET");
  }
  const std::optional<int> code = exit_code_of(child, words, deadline);
  words.read();
  if (!code || *code == 0 || *code == k_exit_already_running) return words.last_line();
  const std::string said = words.last_line();
  throw Error(Errc::no_daemon, "start " + program + " --socket " + socket.string() + ": it ended with code " +
                                   std::to_string(*code) +
                                   (said.empty() ? "; run it by hand to see why" : " and said: " + said));
}

}  // namespace beltway::client
