// A file descriptor that is closed with its owner, and the words for a system call that failed.
// Thread safety: as an int.
#pragma once

#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "beltway/error.hpp"
#include "beltway/limits.hpp"

namespace beltway::os {

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

/// What file descriptors are needed for, and what to do when there are none left.
[[nodiscard]] inline std::string descriptor_advice() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const std::string hard = limit.rlim_max == RLIM_INFINITY ? "none" : std::to_string(limit.rlim_max);
  return "Beltway keeps " + std::to_string(k_descriptors_per_queue) +
         " for each queue that a process is attached to, " + std::to_string(k_descriptors_per_event_endpoint) +
         " for each endpoint whose poll_fd() was called, 1 for each connection, and in the daemon " +
         std::to_string(k_daemon_descriptors_per_queue) +
         " a queue: raise RLIMIT_NOFILE (ulimit -n; the hard limit is " + hard + "), or attach to fewer queues";
}

/// `context`: operation and object. Running out of descriptors is a limit, everything else Errc::system.
[[nodiscard]] inline Error system_failure(const std::string& context, int error_number = errno) {
  if (error_number == EMFILE) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return {Errc::limit_reached, context + ": no file descriptor left, all " + std::to_string(limit.rlim_cur) +
                                     " that this process may have are in use; " + descriptor_advice()};
  }
  if (error_number == ENFILE) {
    return {Errc::limit_reached, context + ": no file can be opened on this machine any more; raise fs.file-max"};
  }
  return {Errc::system, context + ": " + std::generic_category().message(error_number)};
}

/// A new descriptor, or Error with `context`.
[[nodiscard]] inline Fd checked_fd(int descriptor, const std::string& context) {
  if (descriptor < 0) throw system_failure(context);
  return Fd(descriptor);
}

}  // namespace beltway::os
