// A pseudo terminal for programs that behave otherwise on one: its path stands for their standard input, output or error.
// Thread safety: none; one thread at a time.
#pragma once

#include <fcntl.h>
#include <pty.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>

#include "child.hpp"

namespace beltway::test {

class Terminal {
 public:
  explicit Terminal(unsigned short columns = 80, unsigned short rows = 24) {
    winsize size{.ws_row = rows, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    std::array<char, 64> name{};
    if (::openpty(&master_, &slave_, name.data(), nullptr, &size) != 0) {
      throw std::system_error(errno, std::generic_category(), "openpty");
    }
    path_ = name.data();
    ::fcntl(master_, F_SETFD, FD_CLOEXEC);
    ::fcntl(slave_, F_SETFD, FD_CLOEXEC);
    ::fcntl(master_, F_SETFL, O_NONBLOCK);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() {
    ::close(master_);
    ::close(slave_);
  }

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  /// What a person would type.
  void type(const std::string& text) const {
    if (::write(master_, text.data(), text.size()) < 0) throw std::system_error(errno, std::generic_category(), "type");
  }

  /// All that was written to it until now.
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

 private:
  int master_ = -1;
  int slave_ = -1;  // held, so that what was written stays after the program has ended
  std::string path_;
  std::string seen_;
};

}  // namespace beltway::test
