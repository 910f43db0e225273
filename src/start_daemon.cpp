#include "start_daemon.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/auxv.h>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>

namespace beltway {
namespace {

namespace fs = std::filesystem;

constexpr int k_already_running = 3;  // the exit code of beltwayd (daemon/main.cpp)
constexpr const char* k_program = "beltwayd";

/// A path, or the bare name for $PATH.
std::string find_program() {
  if (const char* named = std::getenv("BELTWAY_DAEMON"); named != nullptr && *named != '\0') {  // NOLINT
    return std::string(named).find('/') == std::string::npos ? named : fs::absolute(named).string();
  }
  std::error_code ignored;
  const fs::path beside = fs::read_symlink("/proc/self/exe", ignored).replace_filename(k_program);
  if (::access(beside.c_str(), X_OK) == 0) return beside.string();
#ifdef BELTWAY_INSTALLED_DAEMON
  if (::access(BELTWAY_INSTALLED_DAEMON, X_OK) == 0) return BELTWAY_INSTALLED_DAEMON;
#endif
  return k_program;
}

/// What the child does between fork and exec, freed with the object.
class SpawnPlan {
 public:
  SpawnPlan() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
      ::posix_spawn_file_actions_addopen(&actions_, standard, "/dev/null", O_RDWR, 0);
    }
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    ::posix_spawn_file_actions_addchdir_np(&actions_, "/");
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
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

/// Nothing if somebody else has reaped the child (SIGCHLD ignored, say), or at the deadline.
std::optional<int> exit_code_of(pid_t child, Deadline deadline) {
  for (;;) {
    int status = 0;
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if ((ended < 0 && errno != EINTR) || std::chrono::steady_clock::now() >= deadline) return std::nullopt;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace

void start_daemon(const fs::path& socket, Deadline deadline) {
  // A program with raised rights must not run what its caller's environment names.
  if (::getauxval(AT_SECURE) != 0) {
    throw Error(Errc::no_daemon, "start beltwayd: not done for a program with raised rights; start it beforehand");
  }
  const std::string program = find_program();
  std::array<std::string, 6> words{program,         "--background", "--socket",
                                   socket.string(), "--idle-exit",  std::to_string(k_started_daemon_idle_s)};
  std::array<char*, words.size() + 1> arguments{};
  for (std::size_t i = 0; i < words.size(); ++i) arguments[i] = words[i].data();
  const pid_t child = SpawnPlan().run(program, arguments.data());
  if (child < 0) {
    throw Error(Errc::no_daemon, "start " + program + ": " + std::generic_category().message(errno) +
                                     "; install the daemon, name it in $BELTWAY_DAEMON, or name a socket in "
                                     "$BELTWAY_SOCKET");
  }
  const std::optional<int> code = exit_code_of(child, deadline);
  if (!code || *code == 0 || *code == k_already_running) return;
  throw Error(Errc::no_daemon, "start " + program + " --socket " + socket.string() + ": it ended with code " +
                                   std::to_string(*code) + "; run it by hand to see why");
}

}  // namespace beltway
