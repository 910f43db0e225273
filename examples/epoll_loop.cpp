// A consumer in an event loop: its poll_fd() beside other descriptors, here a timer that also stands for your sockets.
// `epoll_loop [TICKS]` ends after them, or at SIGTERM or Ctrl-C.
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <stop_token>
#include <string>

#include "beltway/beltway.hpp"

namespace {
void watch(int loop, int descriptor) {
  epoll_event event{.events = EPOLLIN, .data = {.fd = descriptor}};
  epoll_ctl(loop, EPOLL_CTL_ADD, descriptor, &event);
}
}  // namespace

int main(int argc, char** argv) try {
  const int count = argc > 1 ? std::atoi(argv[1]) : 10;
  const auto stop = beltway::stop_on({SIGINT, SIGTERM});
  const auto queue = beltway::Connection::open().declare("events");
  auto out = queue.producer();
  auto in = queue.consumer();
  const int loop = epoll_create1(EPOLL_CLOEXEC);
  const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  const itimerspec every_10_ms{.it_interval = {0, 10'000'000}, .it_value = {0, 10'000'000}};
  timerfd_settime(timer, 0, &every_10_ms, nullptr);
  watch(loop, timer);
  watch(loop, in.poll_fd());

  // interrupt() makes poll_fd() readable, so the loop comes round and looks at the token.
  const std::stop_callback wake(stop.token(), [&in] { in.interrupt(); });
  int ticks = 0, received = 0;
  while (received < count && !stop.token().stop_requested()) {
    epoll_event event{};
    if (epoll_wait(loop, &event, 1, -1) != 1) continue;
    if (event.data.fd == timer) {
      std::uint64_t expirations = 0;
      if (read(timer, &expirations, sizeof expirations) > 0) out.publish("tick " + std::to_string(++ticks));
    } else {
      // Readable means: there may be something to do. Take all there is; then it is quiet until there is more.
      while (auto message = in.try_receive()) {
        std::cout << message->text() << '\n';
        ++received;
      }
    }
  }
  close(timer);
  close(loop);
  return 0;
} catch (const beltway::Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
