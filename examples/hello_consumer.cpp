// Prints what hello_producer says, with a callback, until Ctrl-C.
#include <csignal>
#include <iostream>
#include <stop_token>
#include <thread>

#include "beltway/beltway.hpp"

namespace {

// Ctrl-C becomes a stop request. A thread waits for the signal, since a handler may do almost nothing.
class StopOnSignal {
 public:
  StopOnSignal() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // before any other thread: all inherit it
    std::thread([signals, stop = stop_]() mutable {
      int signal = 0;
      sigwait(&signals, &signal);
      stop.request_stop();
    }).detach();
  }
  [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }

 private:
  std::stop_source stop_;
};

}  // namespace

int main() try {
  const StopOnSignal stop;
  const auto link = beltway::Connection::open();
  const auto queue = link.declare("hello", {.groups = {"listeners"}});
  // Without `follow` the stream would end when the last producer leaves.
  auto in = queue.consumer({.group = "listeners", .follow = true, .ack = beltway::Ack::automatic});
  const auto status =
      in.consume([](beltway::Message& message) { std::cout << message.text() << std::endl; }, stop.token());
  std::cout << "ended: " << beltway::to_string(status) << '\n';
  return 0;
} catch (const beltway::Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
