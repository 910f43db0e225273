// A beltwayd of the program's own, with its keeper, on a socket in a folder of its own; both are gone with this object.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace beltway::bench {

class OwnDaemon {
 public:
  /// Starts the beltwayd beside the running program.
  OwnDaemon() {
    std::string pattern = (std::filesystem::temp_directory_path() / "beltway-bench-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("bench: cannot make " + pattern);
    folder_ = pattern;
    const std::string program = std::filesystem::read_symlink("/proc/self/exe").replace_filename("beltwayd");
    const std::string path = socket();
    keeper_ = fork();
    if (keeper_ == 0) {
      const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
      dup2(nowhere, STDERR_FILENO);
      execl(program.c_str(), program.c_str(), "--socket", path.c_str(), nullptr);
      _exit(127);
    }
    for (int i = 0; i < k_looks; ++i) {
      if (listens(path)) return;
      usleep(k_look_us);
    }
    kill(keeper_, SIGTERM);
    throw std::runtime_error("bench: " + program + " does not start");
  }
  ~OwnDaemon() {
    kill(keeper_, SIGTERM);
    waitpid(keeper_, nullptr, 0);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  OwnDaemon(const OwnDaemon&) = delete;
  OwnDaemon& operator=(const OwnDaemon&) = delete;

  [[nodiscard]] std::string socket() const { return folder_ / "beltwayd.sock"; }
  /// The keeper's process; the daemon's own number tells Connection::ping().
  [[nodiscard]] pid_t keeper() const noexcept { return keeper_; }

 private:
  /// By a bare connect(): a Connection would register this process for membarrier.
  static bool listens(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const int door = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    const bool connected = connect(door, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    close(door);
    return connected;
  }

  static constexpr int k_looks = 5000;
  static constexpr unsigned k_look_us = 1000;

  std::filesystem::path folder_;
  pid_t keeper_ = -1;
};

}  // namespace beltway::bench
