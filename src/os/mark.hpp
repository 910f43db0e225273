// How a process knows that a descriptor number is still its own.
//
// A program may close descriptors that it does not know, with closefrom(3) for example, and have files of its own at these
// numbers afterwards. A library that writes to the old number, or closes it, then hits the program's files. So what this
// library keeps open carries a mark in its open file description: the signal number of F_SETSIG, which no program sets on such
// descriptors and which means nothing without O_ASYNC. It is checked before each use and before closing.
//
// A thread that closes the descriptor between the check and the use is not noticed.
// Thread safety: any thread. Async-signal-safe, but for MarkedFd's constructor.
#pragma once

#include <string>
#include <utility>

#include "os/fd.hpp"

namespace beltway::os {

/// Marks an open file description. Throws Error(system) that names fcntl.
void mark_descriptor(int descriptor, const std::string& context);
/// Throws Error(protocol) for a descriptor that came without a mark, and Error(system) that names fcntl.
void require_mark(int descriptor, const std::string& context);
/// True if the open file of this number carries the mark, or if the kernel refuses to tell. False for another file, and for a
/// closed number.
[[nodiscard]] bool is_marked(int descriptor) noexcept;

/// A descriptor that is closed with its owner if it is still there.
class MarkedFd {
 public:
  MarkedFd() noexcept = default;
  /// Takes it over, marked already.
  explicit MarkedFd(Fd descriptor) noexcept : descriptor_(std::move(descriptor)) {}
  MarkedFd(MarkedFd&&) noexcept = default;
  MarkedFd& operator=(MarkedFd&& other) noexcept {
    if (this != &other) {
      reset();
      descriptor_ = std::move(other.descriptor_);
    }
    return *this;
  }
  MarkedFd(const MarkedFd&) = delete;
  MarkedFd& operator=(const MarkedFd&) = delete;
  ~MarkedFd() { reset(); }

  [[nodiscard]] int get() const noexcept { return descriptor_.get(); }
  [[nodiscard]] int release() noexcept { return descriptor_.release(); }
  [[nodiscard]] bool is_there() const noexcept { return is_marked(descriptor_.get()); }
  void reset() noexcept {
    if (descriptor_ && !is_there()) static_cast<void>(descriptor_.release());  // another file's by now
    descriptor_.reset();
  }
  explicit operator bool() const noexcept { return static_cast<bool>(descriptor_); }

 private:
  Fd descriptor_;
};

/// A new eventfd, marked, that does not block and starts at 0. Throws Error(limit_reached, system).
[[nodiscard]] Fd make_bell(const std::string& context);

}  // namespace beltway::os
