// A program on a terminal that controls it: Ctrl-C, Ctrl-Z and the loss of the terminal reach it as signals.
// Thread safety: none; one thread at a time.
#pragma once

#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "child.hpp"

namespace beltway::test {

class OnTerminal {
 public:
  /// Starts the program with `environment` added. Call it before the test has started threads.
  OnTerminal(const std::vector<std::string>& argv,
             const std::vector<std::pair<std::string, std::string>>& environment) {
    winsize size{.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
    pid_ = ::forkpty(&master_, nullptr, nullptr, &size);
    if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "forkpty");
    if (pid_ == 0) {
      for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
      std::vector<char*> arguments;
      for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
      arguments.push_back(nullptr);
      ::execv(arguments.front(), arguments.data());
      ::_exit(127);
    }
    ::fcntl(master_, F_SETFD, FD_CLOEXEC);
    ::fcntl(master_, F_SETFL, O_NONBLOCK);
  }
  OnTerminal(const OnTerminal&) = delete;
  OnTerminal& operator=(const OnTerminal&) = delete;
  ~OnTerminal() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    lose();
  }

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  void type(const std::string& text) const {
    if (::write(master_, text.data(), text.size()) < 0) throw std::system_error(errno, std::generic_category(), "type");
  }
  /// The terminal goes away, as a line that breaks.
  void lose() {
    if (master_ >= 0) ::close(std::exchange(master_, -1));
  }
  void resize(unsigned short columns, unsigned short rows) const {
    const winsize size{.ws_row = rows, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    ::ioctl(master_, TIOCSWINSZ, &size);
  }
  /// All that was written to it until now, with control sequences.
  const std::string& seen() {
    std::array<char, 4096> piece{};
    for (;;) {
      const ssize_t size = ::read(master_, piece.data(), piece.size());
      if (size <= 0) return seen_;
      seen_.append(piece.data(), static_cast<std::size_t>(size));
    }
  }
  [[nodiscard]] bool shows(const std::string& text) {
    return eventually([&] { return seen().find(text) != std::string::npos; });
  }
  void forget_seen() {
    (void)seen();
    seen_.clear();
  }
  /// Whether a signal has stopped it.
  [[nodiscard]] bool is_stopped() {
    return eventually([&] {
      int status = 0;
      return ::waitpid(pid_, &status, WNOHANG | WUNTRACED) == pid_ && WIFSTOPPED(status);
    });
  }
  /// Waits for its end.
  Exit wait() {
    int status = 0;
    const bool ended = eventually([&] {
      (void)seen();  // a full terminal would hold it up
      return ::waitpid(pid_, &status, WNOHANG) == pid_;
    });
    if (!ended) return {.code = -1, .signal = 0};
    pid_ = -1;
    if (WIFEXITED(status)) return {.code = WEXITSTATUS(status), .signal = 0};
    return {.code = -1, .signal = WTERMSIG(status)};
  }

 private:
  pid_t pid_ = -1;
  int master_ = -1;
  std::string seen_;
};

}  // namespace beltway::test
