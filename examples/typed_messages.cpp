// Messages of a type: the bytes are the object, and both ends are checked to mean the same one.
#include <cstdint>
#include <iostream>

#include "beltway/beltway.hpp"

namespace {

struct Tick {
  static constexpr std::string_view beltway_name = "example.Tick.1";  // change it when the meaning changes
  std::uint64_t time_ns = 0;
  double price = 0;
  std::uint32_t volume = 0;
};

struct Order {
  static constexpr std::string_view beltway_name = "example.Order.1";
  std::uint64_t id = 0;
};

}  // namespace

int main() try {
  const auto link = beltway::Connection::open();
  const auto ticks = link.declare<Tick>("ticks");
  auto out = ticks.producer();
  auto in = ticks.consumer();
  for (std::uint32_t i = 1; i <= 3; ++i) out.publish({.time_ns = i, .price = 100 + 0.5 * i, .volume = 10 * i});
  while (auto tick = in.try_receive()) {
    const Tick& value = **tick;  // in shared memory, not a copy
    std::cout << value.time_ns << ": " << value.volume << " at " << value.price << '\n';
  }
  try {
    (void)link.open_queue<Order>("ticks");
  } catch (const beltway::Error& error) {
    std::cout << "refused: " << error.what() << '\n';
  }
  return 0;
} catch (const beltway::Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
