// One thread, one plain epoll loop: a timer, a socket and two queues, with callbacks. Lines from the socket are published; the
// timer counts; messages are printed.
// `event_loop [LINES]` ends after them, or at SIGTERM or Ctrl-C.
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include "beltway/beltway.hpp"

int main(int argc, char** argv) try {
  const int count = argc > 1 ? std::atoi(argv[1]) : 5;
  const auto stop = beltway::stop_on({SIGINT, SIGTERM});
  const auto link = beltway::Connection::open();
  const auto lines = link.declare("lines"), ticks = link.declare("ticks");
  auto lines_out = lines.producer(), ticks_out = ticks.producer();
  auto lines_in = lines.consumer(), ticks_in = ticks.consumer();
  beltway::EventLoop loop;
  std::array<int, 2> socket{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socket.data()) != 0) return 1;
  loop.on_readable(socket[0], [&] {
    std::array<char, 256> buffer{};
    const auto size = recv(socket[0], buffer.data(), buffer.size(), 0);
    if (size > 0) lines_out.publish(std::string_view(buffer.data(), static_cast<std::size_t>(size)));
  });

  const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  const itimerspec every_ms{.it_interval = {0, 1'000'000}, .it_value = {0, 1'000'000}};
  timerfd_settime(timer, 0, &every_ms, nullptr);
  loop.on_readable(timer, [&, count = 0]() mutable {
    std::uint64_t expirations = 0;
    if (read(timer, &expirations, sizeof expirations) > 0) ticks_out.publish("tick " + std::to_string(++count));
  });

  loop.on_message(ticks_in, [&](beltway::Result<beltway::Message> tick) {
    if (!tick) return;
    std::cout << tick->text() << '\n';
    send(socket[1], "hello over a socket", 19, 0);
  });
  loop.on_message(lines_in, [&, seen = 0](beltway::Result<beltway::Message> line) mutable {
    if (!line) return;
    std::cout << line->text() << '\n';
    if (++seen == count) loop.stop();
  });
  const beltway::Status status = loop.run(stop);
  std::cout << "ended: " << to_string(status) << '\n';
  for (const int descriptor : {socket[0], socket[1], timer}) close(descriptor);
  return 0;
} catch (const beltway::Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
