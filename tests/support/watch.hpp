// The three ways in which a program may watch a descriptor, behind one interface, so that a test can run with each.
// Thread safety: one thread at a time.
#pragma once

#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <system_error>

namespace beltway::test {

enum class WatchKind { poll, level, edge };

/// Watches one descriptor for reading.
class Watch {
 public:
  Watch(WatchKind kind, int fd) : fd_(fd) {
    if (kind == WatchKind::poll) return;
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    epoll_event event{};
    event.events = EPOLLIN;
    if (kind == WatchKind::edge) event.events |= EPOLLET;
    if (epoll_ < 0 || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) {
      throw std::system_error(errno, std::generic_category(), "watch");
    }
  }
  ~Watch() {
    if (epoll_ >= 0) ::close(epoll_);
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  /// True if the descriptor is readable (edge: has become so since the last answer) within `patience`.
  bool wait(std::chrono::milliseconds patience = std::chrono::milliseconds(0)) const {
    const auto timeout_ms = static_cast<int>(patience.count());
    epoll_event event{};
    pollfd entry{fd_, POLLIN, 0};
    return (epoll_ < 0 ? ::poll(&entry, 1, timeout_ms) : ::epoll_wait(epoll_, &event, 1, timeout_ms)) == 1;
  }

 private:
  int fd_;
  int epoll_ = -1;
};

inline std::string name_of(WatchKind kind) {
  switch (kind) {
    case WatchKind::poll: return "poll";
    case WatchKind::level: return "epoll_level";
    case WatchKind::edge: break;
  }
  return "epoll_edge";
}

}  // namespace beltway::test
