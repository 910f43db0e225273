// See beltway/event_loop.hpp.
#include "beltway/event_loop.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <stop_token>
#include <string>

#include "beltway/error.hpp"
#include "os/kernel.hpp"
#include "os/mark.hpp"
#include "waiting/waiter.hpp"

namespace beltway {

namespace {

constexpr int k_events_at_once = 64;

[[noreturn]] void throw_system(const std::string& operation) {
  throw Error(Errc::system, operation + ": " + std::strerror(errno));
}

/// What epoll hands back: events of an earlier registration of the same descriptor are recognised.
std::uint64_t tag(int fd, std::uint64_t registration) noexcept {
  return registration << 32U | static_cast<std::uint32_t>(fd);
}

int timeout_ms(const std::optional<Until::Clock::time_point>& deadline) {
  if (!deadline) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Until::Clock::now()).count();
  constexpr std::int64_t k_hour_ms = 3'600'000;  // then read the clock again
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, k_hour_ms));
}

}  // namespace

EventLoop::EventLoop() {
  const std::string context = "make an event loop";
  os::MarkedFd stop(os::make_bell(context));
  os::Fd epoll = os::checked_fd(::epoll_create1(EPOLL_CLOEXEC), context + ": epoll_create1");
  os::mark_descriptor(epoll.get(), context);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = tag(stop.get(), 0);
  if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, stop.get(), &event) != 0)
    throw os::system_failure(context + ": epoll_ctl");
  epoll_ = epoll.release();
  stop_ = stop.release();
}

EventLoop::~EventLoop() {
  os::MarkedFd{os::Fd(epoll_)}.reset();
  os::MarkedFd{os::Fd(stop_)}.reset();
}

void EventLoop::watch(int fd, Callback callback, bool once) {
  const auto [entry, fresh] = watched_.try_emplace(fd);
  Watched& watched = entry->second;
  const bool was_active = !fresh && watched.active;
  watched = {std::move(callback), ++last_registration_, once, true};
  if (!was_active) ++active_;
  control(fd, watched, !fresh);
}

void EventLoop::control(int fd, const Watched& watched, bool known) {
  epoll_event event{};
  event.events = EPOLLIN;
  if (watched.once) event.events |= EPOLLONESHOT;
  event.data.u64 = tag(fd, watched.registration);
  if (known && ::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) == 0) return;
  // A descriptor that was closed without being forgotten has left epoll by itself; this is another of the same number.
  if ((!known || errno == ENOENT) && ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0) return;
  const int error = errno;
  watched_.erase(fd);
  --active_;
  errno = error;
  throw_system("watch descriptor " + std::to_string(fd));
}

void EventLoop::forget(int fd) noexcept {
  const auto entry = watched_.find(fd);
  if (entry == watched_.end()) return;
  if (entry->second.active) --active_;
  watched_.erase(entry);
  epoll_event ignored{};
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, &ignored);
}

std::uint64_t EventLoop::registration_of(int fd) const noexcept {
  const auto entry = watched_.find(fd);
  return entry == watched_.end() ? 0 : entry->second.registration;
}

void EventLoop::call(int fd, std::uint32_t registration) {
  const auto entry = watched_.find(fd);
  if (entry == watched_.end() || static_cast<std::uint32_t>(entry->second.registration) != registration) return;
  // Called from here, so that it may forget or replace itself; put back if it did neither.
  struct PutBack {
    ~PutBack() {
      const auto there = loop.watched_.find(fd);
      if (there != loop.watched_.end() && there->second.registration == full && !there->second.once) {
        there->second.callback = std::move(callback);
      }
    }
    EventLoop& loop;
    int fd;
    std::uint64_t full;
    Callback callback;
  } running{*this, fd, entry->second.registration, std::move(entry->second.callback)};
  if (entry->second.once) {
    entry->second.active = false;
    --active_;
  }
  running.callback();
}

Status EventLoop::run(const Until& until) {
  if (runs_) {
    throw Error(Errc::misuse,
                "run an event loop: it runs already; return from the callback, or use another loop inside of it");
  }
  const struct Running {
    explicit Running(bool& flag) noexcept : runs(flag) { runs = true; }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    ~Running() { runs = false; }
    bool& runs;
  } running(runs_);
  const auto ring = [this] { stop(); };
  std::optional<std::stop_callback<decltype(ring)>> on_stop;
  if (until.stop().stop_possible()) on_stop.emplace(until.stop(), ring);
  std::array<epoll_event, k_events_at_once> events{};
  while (active_ != 0) {
    const int count = ::epoll_wait(epoll_, events.data(), k_events_at_once, timeout_ms(until.deadline()));
    if (count < 0 && errno != EINTR) throw_system("wait in an event loop");
    if (count < 0 && waiting::Waiter::ends_by_signal(until.stop()))
      return take_stop() ? Status::stopped : Status::interrupted;
    for (int i = 0; i < count; ++i) {
      const std::uint64_t seen = events[static_cast<std::size_t>(i)].data.u64;
      const int fd = static_cast<int>(seen & 0xffffffffU);
      if (fd != stop_) call(fd, static_cast<std::uint32_t>(seen >> 32U));
    }
    if (take_stop()) return Status::stopped;
    if (until.deadline() && Until::Clock::now() >= *until.deadline()) return Status::timeout;
  }
  // A stop that came before the last callback ended must not end a later run.
  return take_stop() ? Status::stopped : Status::ok;
}

bool EventLoop::take_stop() noexcept {
  std::uint64_t count = 0;
  return ::read(stop_, &count, sizeof count) == sizeof count;
}

void EventLoop::stop() noexcept { os::ring_bell(stop_); }

}  // namespace beltway
