// System calls of the protocol.
#include "kernel.hpp"

#include <linux/membarrier.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

namespace beltway::kernel {

namespace {

long membarrier(int command) noexcept { return ::syscall(SYS_membarrier, command, 0U, 0); }

std::uint64_t read_clock(clockid_t clock) noexcept {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

bool register_for_barriers() noexcept {
  static const bool registered = membarrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED) == 0;
  return registered;
}

bool heavy_barrier() noexcept { return membarrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED) == 0; }

void ring_bell(int eventfd) noexcept {
  // A peer may have cleared O_NONBLOCK (the flag belongs to the shared description) and filled the counter: then write
  // would block, and whoever watches the bell would see no edge any more. So what is full is emptied first; RWF_NOWAIT
  // does not block whatever the flags say. Nobody asks how often a bell rang.
  pollfd writable{eventfd, POLLOUT, 0};
  if (::poll(&writable, 1, 0) != 1) {
    std::uint64_t rings = 0;
    const iovec there{&rings, sizeof rings};
    if (::preadv2(eventfd, &there, 1, -1, RWF_NOWAIT) != sizeof rings) return;
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(eventfd, &one, sizeof one);
}

std::uint64_t now_ns() noexcept { return read_clock(CLOCK_MONOTONIC); }
std::uint64_t coarse_now_ns() noexcept { return read_clock(CLOCK_MONOTONIC_COARSE); }

}  // namespace beltway::kernel
