// Broadcast: a consumer that names no group sees every message. A lossy one never holds the producer back; it is told what
// it missed.
#include <iostream>
#include <string>

#include "beltway/beltway.hpp"

namespace {

using namespace std::chrono_literals;

void drain(beltway::Consumer& in, std::string_view who) {
  int seen = 0;
  unsigned long long lost = 0;
  while (auto message = in.try_receive()) {
    ++seen;
    lost += message->lost();
  }
  std::cout << who << " saw " << seen << ", lost " << lost << '\n';
}

}  // namespace

int main() try {
  const auto link = beltway::Connection::open();
  const auto news = link.declare("news", {.slots = 16});
  auto out = news.producer();
  auto first = news.consumer();
  auto second = news.consumer();
  auto tap = news.consumer({.lossy = true});

  for (int i = 1; i <= 10; ++i) out.publish("headline " + std::to_string(i));
  drain(first, "first");
  drain(second, "second");
  for (int i = 11; i <= 20; ++i) out.publish("headline " + std::to_string(i));
  drain(first, "first");
  drain(second, "second");
  // Twenty messages went through a ring of sixteen, and the tap did not look: the oldest are gone for it.
  drain(tap, "tap");

  // Reliable consumers hold the producer back instead: nothing is dropped, and it is told.
  for (int i = 0; i < 16; ++i) out.publish("filler");
  std::cout << "a full queue answers: " << beltway::to_string(out.try_publish("one more")) << '\n';
  return 0;
} catch (const beltway::Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
