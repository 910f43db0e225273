// Says hello a few times: connect, declare, publish. Run hello_consumer beside it, before or afterwards.
//
//   hello_producer [COUNT]
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>

#include "beltway/beltway.hpp"

int main(int argc, char** argv) try {
  const int count = argc > 1 ? std::atoi(argv[1]) : 10;
  const auto stop = beltway::stop_on({SIGINT, SIGTERM});
  int sent = 0;

  const auto link = beltway::Connection::open();  // starts a daemon of yours if none runs
  // A group keeps messages for its consumers even while none is there.
  const auto queue = link.declare("hello", {.groups = {"listeners"}});
  auto out = queue.producer();
  for (int i = 1; i <= count; ++i) {
    // Waits while the queue is full, or until somebody wants this program to end.
    if (out.publish_until("hello " + std::to_string(i), stop) != beltway::Status::ok) break;
    ++sent;
  }
  std::cout << "sent " << sent << " messages\n";
  return 0;
} catch (const beltway::Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
