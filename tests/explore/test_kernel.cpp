// The kernel as the explorer has it: src/kernel.hpp, and the system calls of src/waiter.cpp, which the linker redirects here
// (-Wl,--wrap). A bell is a number and not a descriptor; the private epoll descriptor of a Waiter is its bell's number.
#include <sched.h>
#include <sys/epoll.h>
#include <time.h>

#include <cstdint>

#include "kernel.hpp"
#include "memory.hpp"

namespace beltway::kernel {

bool register_for_barriers() noexcept { return true; }
bool heavy_barrier() noexcept {
  explore::heavy_barrier();
  return true;
}
void ring_bell(int eventfd) noexcept { explore::ring_bell(eventfd); }
std::uint64_t now_ns() noexcept { return explore::now_ns(); }
std::uint64_t coarse_now_ns() noexcept { return 0; }

}  // namespace beltway::kernel

namespace {

// Above any real descriptor. A Waiter makes its epoll descriptor and adds its bell right afterwards.
constexpr int k_first_epoll = 1 << 20;
constexpr int k_epolls = 256;
int epolls = 0;
int bell_of[k_epolls];

}  // namespace

extern "C" {

int __real_close(int descriptor);

int __wrap_epoll_create1(int) { return k_first_epoll + epolls++ % k_epolls; }
int __wrap_epoll_ctl(int epoll, int, int bell, epoll_event*) {
  bell_of[epoll - k_first_epoll] = bell;
  return 0;
}
int __wrap_epoll_pwait2(int epoll, epoll_event*, int, const timespec* timeout, const void*) {
  const auto patience =
      static_cast<std::uint64_t>(timeout->tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(timeout->tv_nsec);
  return beltway::explore::sleep_on_bell(bell_of[epoll - k_first_epoll], patience) ? 1 : 0;
}
int __wrap_close(int descriptor) { return descriptor >= k_first_epoll ? 0 : __real_close(descriptor); }
int __wrap_sched_getaffinity(pid_t, std::size_t, cpu_set_t* allowed) {
  CPU_SET(0, allowed);
  return 0;
}
}
