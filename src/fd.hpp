// A file descriptor that is closed with its owner, and the words for a system call that failed.
// Thread safety: as an int.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "beltway/error.hpp"

namespace beltway {

class Fd {
 public:
  Fd() noexcept = default;
  explicit Fd(int descriptor) noexcept : descriptor_(descriptor) {}
  Fd(Fd&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.descriptor_, -1));
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  [[nodiscard]] int get() const noexcept { return descriptor_; }
  [[nodiscard]] int release() noexcept { return std::exchange(descriptor_, -1); }
  /// Closes what it holds. EINTR is not tried again: Linux has freed the number by then.
  void reset(int descriptor = -1) noexcept {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = descriptor;
  }
  explicit operator bool() const noexcept { return descriptor_ >= 0; }

 private:
  int descriptor_ = -1;
};

/// `what`: operation and object. Running out of descriptors is a limit, everything else Errc::system.
[[nodiscard]] inline Error system_failure(const std::string& what, int error_number = errno) {
  if (error_number == EMFILE || error_number == ENFILE) {
    return {Errc::limit_reached, what + ": no file descriptor left; raise RLIMIT_NOFILE (ulimit -n)"};
  }
  return {Errc::system, what + ": " + std::generic_category().message(error_number)};
}

/// A new descriptor, or Error with `what`.
[[nodiscard]] inline Fd checked_fd(int descriptor, const std::string& what) {
  if (descriptor < 0) throw system_failure(what);
  return Fd(descriptor);
}

}  // namespace beltway
