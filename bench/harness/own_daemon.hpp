// OwnDaemon starts a beltwayd and its supervisor. The socket lies in a temporary folder. The destructor ends both processes and
// removes the folder.
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
  /// Starts the beltwayd that lies beside the running program, and waits until it listens. Throws if it does not start.
  OwnDaemon() {
    std::string pattern = (std::filesystem::temp_directory_path() / "beltway-bench-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("bench: cannot make " + pattern);
    folder_ = pattern;
    const std::string program = std::filesystem::read_symlink("/proc/self/exe").replace_filename("beltwayd");
    const std::string path = socket();
    supervisor_ = fork();
    if (supervisor_ == 0) {
      const int null_device = open("/dev/null", O_WRONLY | O_CLOEXEC);
      dup2(null_device, STDERR_FILENO);
      execl(program.c_str(), program.c_str(), "--socket", path.c_str(), nullptr);
      _exit(127);
    }
    for (int i = 0; i < k_max_tries; ++i) {
      if (listens(path)) return;
      usleep(k_try_gap_us);
    }
    kill(supervisor_, SIGTERM);
    throw std::runtime_error("bench: " + program + " does not start");
  }
  ~OwnDaemon() {
    kill(supervisor_, SIGTERM);
    waitpid(supervisor_, nullptr, 0);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  OwnDaemon(const OwnDaemon&) = delete;
  OwnDaemon& operator=(const OwnDaemon&) = delete;

  [[nodiscard]] std::string socket() const { return folder_ / "beltwayd.sock"; }
  /// The process of the supervisor. Connection::ping() returns the process of the daemon.
  [[nodiscard]] pid_t supervisor_pid() const noexcept { return supervisor_; }

 private:
  /// Uses connect() alone, because a Connection would register this process for membarrier.
  static bool listens(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const int probe = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    const bool connected = connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    close(probe);
    return connected;
  }

  static constexpr int k_max_tries = 5000;
  static constexpr unsigned k_try_gap_us = 1000;

  std::filesystem::path folder_;
  pid_t supervisor_ = -1;
};

}  // namespace beltway::bench
