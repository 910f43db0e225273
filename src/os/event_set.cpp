// See event_set.hpp.
#include "os/event_set.hpp"

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "os/fd.hpp"
#include "os/kernel.hpp"
#include "os/mark.hpp"

namespace beltway::os {

namespace {

constexpr std::uint32_t k_bell = 0;
constexpr std::uint32_t k_self = 1;

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

EventSet::EventSet(int bell, const std::string& context) {
  Fd self = make_bell(context);
  Fd epoll = checked_fd(::epoll_create1(EPOLL_CLOEXEC), context + ": epoll_create1");
  mark_descriptor(epoll.get(), context);
  watch(epoll.get(), bell, k_bell, context);
  watch(epoll.get(), self.get(), k_self, context);
  epoll_event event{};
  if (take_events(epoll.get(), &event, 1) < 0) throw system_failure(context + ": epoll_pwait");
  self_ = self.release();
  epoll_ = epoll.release();
}

EventSet::~EventSet() {
  MarkedFd{Fd(epoll_)}.reset();
  MarkedFd{Fd(self_)}.reset();
}

EventSet::Edges EventSet::take() const noexcept {
  if (!is_marked(epoll_)) {
    errno = EBADF;
    return {.refused = true};
  }
  epoll_event events[2] = {};
  int count = 0;
  do {
    count = take_events(epoll_, events, 2);
  } while (count < 0 && errno == EINTR);
  Edges edges{.refused = count < 0};
  for (int i = 0; i < count; ++i) (events[i].data.u32 == k_self ? edges.self : edges.bell) = true;
  return edges;
}

void EventSet::ring() const noexcept { ring_bell(self_); }

}  // namespace beltway::os
