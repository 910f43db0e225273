// The few system calls of an endpoint's waiter, in place of the C library's (ld --wrap): an endpoint is made for almost every
// image, and nobody sleeps here. Nothing is ever readable.
#include <sched.h>
#include <sys/epoll.h>

#include <cstddef>

extern "C" {

namespace {
constexpr int k_no_descriptor = 1'000'000;
}

int __real_close(int descriptor);
int __wrap_close(int descriptor);
int __wrap_epoll_create1(int flags);
int __wrap_epoll_ctl(int epoll, int operation, int descriptor, epoll_event* event);
int __wrap_epoll_pwait2(int epoll, epoll_event* events, int count, const timespec* timeout, const sigset_t* signals);
int __wrap_sched_getaffinity(pid_t process, std::size_t size, cpu_set_t* set);

int __wrap_close(int descriptor) { return descriptor == k_no_descriptor ? 0 : __real_close(descriptor); }
int __wrap_epoll_create1(int /*flags*/) { return k_no_descriptor; }
int __wrap_epoll_ctl(int /*epoll*/, int /*operation*/, int /*descriptor*/, epoll_event* /*event*/) { return 0; }
int __wrap_epoll_pwait2(int /*epoll*/, epoll_event* /*events*/, int /*count*/, const timespec* /*timeout*/,
                        const sigset_t* /*signals*/) {
  return 0;
}
int __wrap_sched_getaffinity(pid_t /*process*/, std::size_t /*size*/, cpu_set_t* /*set*/) { return -1; }
}
