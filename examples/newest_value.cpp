// Newest value only: a sensor publishes faster than the display draws. The display draws the newest value each time, and the
// sensor never waits for it.
#include <iostream>
#include <string>
#include <thread>

#include "beltway/beltway.hpp"

namespace {

using namespace std::chrono_literals;

constexpr int k_values = 2000;

void measure(beltway::Producer out) {
  for (int value = 1; value <= k_values; ++value) {
    out.publish(std::to_string(value));
    std::this_thread::sleep_for(20us);
  }
}

}  // namespace

int main() try {
  const auto link = beltway::Connection::open();
  const auto speed = link.declare("speed", {.slots = 16, .max_producers = 1});
  auto display = speed.consumer({.lossy = true, .conflate = true});
  std::jthread sensor(measure, speed.producer());
  int drawn = 0;
  unsigned long long skipped = 0;
  std::string shown;
  while (auto value = display.receive(5s)) {  // until the sensor has gone
    shown = value->text();                    // valid until the next receive
    skipped += value->lost();
    ++drawn;
    std::this_thread::sleep_for(1ms);  // drawing takes its time
  }
  std::cout << "drawn " << drawn << ", skipped " << skipped << ", the last value is " << shown << '\n';
  return drawn + static_cast<int>(skipped) == k_values ? 0 : 1;
} catch (const beltway::Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
