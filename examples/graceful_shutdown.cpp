// A worker that leaves in order when it is told to (SIGTERM or Ctrl-C): it takes no more jobs, finishes and acknowledges those
// that it has in hand, and goes. What it has not taken stays for others.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <iostream>

#include "beltway/asio.hpp"
#include "beltway/beltway.hpp"

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

asio::awaitable<void> work(beltway::AsyncConsumer& jobs, const bool& leaving) {
  asio::steady_timer effort(jobs.get_executor());
  while (!leaving) {
    auto [error, job] = co_await jobs.async_receive(asio::as_tuple(asio::use_awaitable));
    if (error) co_return;  // cancelled; no message is lost by that
    effort.expires_after(20ms);
    co_await effort.async_wait(asio::use_awaitable);
    std::cout << "done " << job.text() << std::endl;
    job.ack();
  }
}

}  // namespace

int main() try {
  asio::io_context io;
  asio::signal_set signals(io, SIGINT, SIGTERM);  // first: from here on the signals are handled
  const auto queue = beltway::Connection::open().declare("long-jobs", {.groups = {"workers"}});
  auto in = queue.consumer({.group = "workers"});
  beltway::AsyncConsumer jobs(io, in);
  bool leaving = false;
  signals.async_wait([&](auto error, int) {
    leaving = !error;
    if (leaving) jobs.cancel();  // those who wait for a job; what is in hand goes on
  });
  int workers = 3;
  for (int i = workers; i > 0; --i) {
    asio::co_spawn(io, work(jobs, leaving), [&](const std::exception_ptr&) {
      if (--workers == 0) signals.cancel();
    });
  }
  io.run();
  std::cout << "left in order\n";
  return 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
