// See event_set.hpp.
#include "os/event_set.hpp"

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <ctime>

#include "os/fd.hpp"
#include "os/kernel.hpp"
#include "os/mark.hpp"

namespace beltway::os {

namespace {

constexpr std::uint32_t k_bell = 0;
constexpr std::uint32_t k_self = 1;
constexpr std::uint32_t k_timer = 2;

void watch(int epoll, int descriptor, std::uint32_t which, const std::string& context) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.u32 = which;
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) != 0) throw system_failure(context + ": epoll_ctl");
}

/// Not epoll_wait(): that is a cancellation point.
int take_events(int epoll, epoll_event* events, int count) noexcept {
  return static_cast<int>(::syscall(SYS_epoll_pwait, epoll, events, count, 0, nullptr, 0UL));
}

}  // namespace

EventSet::EventSet(int bell, Timer timer, const std::string& context) : bell_(bell) {
  Fd self = make_bell(context);
  Fd clock;
  if (timer == Timer::one) {
    clock = checked_fd(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), context + ": timerfd_create");
    mark_descriptor(clock.get(), context);
  }
  Fd epoll = checked_fd(::epoll_create1(EPOLL_CLOEXEC), context + ": epoll_create1");
  mark_descriptor(epoll.get(), context);
  watch(epoll.get(), bell, k_bell, context);
  watch(epoll.get(), self.get(), k_self, context);
  if (clock) watch(epoll.get(), clock.get(), k_timer, context);
  epoll_event event{};
  if (take_events(epoll.get(), &event, 1) < 0) throw system_failure(context + ": epoll_pwait");
  self_ = self.release();
  timer_ = clock.release();
  epoll_ = epoll.release();
}

EventSet::~EventSet() {
  MarkedFd{Fd(epoll_)}.reset();
  MarkedFd{Fd(self_)}.reset();
  MarkedFd{Fd(timer_)}.reset();
}

void EventSet::listen_to(int bell, const std::string& context) {
  if (bell == bell_) return;
  watch(epoll_, bell, k_bell, context);
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, bell_, nullptr);
  bell_ = bell;
}

EventSet::Edges EventSet::take() const noexcept {
  if (!is_marked(epoll_)) {
    errno = EBADF;
    return {.refused = true};
  }
  epoll_event events[3] = {};
  int count = 0;
  do {
    count = take_events(epoll_, events, 3);
  } while (count < 0 && errno == EINTR);
  Edges edges{.refused = count < 0};
  for (int i = 0; i < count; ++i) {
    const std::uint32_t which = events[i].data.u32;
    (which == k_self ? edges.self : which == k_timer ? edges.timer : edges.bell) = true;
  }
  return edges;
}

void EventSet::set_timer(std::uint64_t ns) noexcept {
  if (ns == 0 && !timer_runs_) return;
  if (timer_ < 0 || !is_marked(timer_)) return;
  constexpr std::uint64_t k_ns_per_s = 1'000'000'000;
  itimerspec at{};
  at.it_value.tv_sec = static_cast<std::time_t>(ns / k_ns_per_s);
  at.it_value.tv_nsec = static_cast<long>(ns % k_ns_per_s);
  timer_runs_ = ns != 0;
  if (::timerfd_settime(timer_, TFD_TIMER_ABSTIME, &at, nullptr) == 0 || ns == 0) return;
  // A sandbox that was closed since poll_fd(): the endpoint must try again and again.
  constexpr std::uint64_t k_pause_ns = 1'000'000;
  nap(k_pause_ns);
  ring();
}

void EventSet::ring() const noexcept { ring_bell(self_); }

}  // namespace beltway::os
