// Prints what hello_producer says, with a callback, until Ctrl-C.
#include <csignal>
#include <iostream>

#include "beltway/beltway.hpp"

int main() try {
  // Ctrl-C and SIGTERM end the wait below, whenever they come.
  const auto stop = beltway::stop_on({SIGINT, SIGTERM});
  const auto link = beltway::Connection::open();
  const auto queue = link.declare("hello", {.groups = {"listeners"}});
  // A consumer of a named group goes on when the last producer leaves: it waits for producers yet to come.
  auto in = queue.consumer({.group = "listeners", .ack = beltway::Ack::automatic});
  const auto status = in.consume([](beltway::Message& message) { std::cout << message.text() << std::endl; }, stop);
  std::cout << "ended: " << beltway::to_string(status) << '\n';
  return 0;
} catch (const beltway::Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
