// Keeps a fork from taking what it must not have: a descriptor between its arrival and the end of its use.
//
// A descriptor of an endpoint's control segment carries the endpoint's lock. A child that is forked while the descriptor is
// open, or while its mapping may still be inherited, keeps the endpoint alive after its process has detached.
//
// fork(3) waits for the end of every ForkSection (pthread_atfork). So a section must be short. In a section: no allocation
// (the forking thread may hold the allocator's locks already), no exception, no blocking call, no other lock.
// Signals and cancellation of the thread are held off until its end.
//
// What sections do not reach: a bare clone(2) runs no handlers. vfork(2) and posix_spawn(3) run none either, but they
// execute a program at once, and every descriptor here is closed by that (CLOEXEC).
//
// Thread safety: everything, from any thread.
#pragma once

#include <csignal>

#include "os/fd.hpp"

namespace beltway::os {

/// While it lives, no thread of this process can fork. Do not nest.
class ForkSection {
 public:
  ForkSection() noexcept;
  ForkSection(const ForkSection&) = delete;
  ForkSection& operator=(const ForkSection&) = delete;
  ~ForkSection();

 private:
  sigset_t signals_{};
  int cancellation_ = 0;
};

/// A descriptor that every forked child closes before fork() returns there.
class ForkClosedFd {
 public:
  ForkClosedFd() noexcept = default;
  ForkClosedFd(const ForkClosedFd&) = delete;
  ForkClosedFd& operator=(const ForkClosedFd&) = delete;
  ~ForkClosedFd() { close(); }

  /// Owns `descriptor` from now on. Call it in the ForkSection in which the descriptor was received, and only while this object
  /// holds none.
  void adopt_in_section(int descriptor, const ForkSection& section) noexcept;
  /// Closes what it holds, in a section of its own.
  void close() noexcept;

  [[nodiscard]] int get() const noexcept { return descriptor_.get(); }
  explicit operator bool() const noexcept { return static_cast<bool>(descriptor_); }

 private:
  friend void close_all_in_child() noexcept;
  void unlink() noexcept;

  Fd descriptor_;
  ForkClosedFd* before_ = nullptr;
  ForkClosedFd* next_ = nullptr;
};

}  // namespace beltway::os
