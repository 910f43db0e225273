// Every size that is copied inline, through a single producer's slots and back, in a program that is compiled as its user likes.
#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <vector>

#include "beltway/beltway.hpp"

int main() try {
  using namespace std::chrono_literals;
  const auto link = beltway::Connection::open();
  const auto queue = link.declare("inline", {.slots = 256, .slot_bytes = 128, .max_producers = 1});
  auto out = queue.producer();
  auto in = queue.consumer();
  std::vector<std::byte> sent(64);
  for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = std::byte(i + 1);
  const std::vector<std::byte> original = sent;
  for (std::size_t size = 0; size <= sent.size(); ++size) {
    out.publish(beltway::Bytes(sent.data(), size));
    auto got = in.receive(5s);
    const std::vector<std::byte> wanted(original.begin(), original.begin() + static_cast<std::ptrdiff_t>(size));
    if (!got || std::vector<std::byte>(got->bytes().begin(), got->bytes().end()) != wanted || sent != original) {
      std::cerr << "a message of " << size << " bytes did not come, or not as it was sent\n";
      return 1;
    }
  }
  if (in.counters().messages != sent.size() + 1 || in.counters().bytes != 64 * 65 / 2) {
    std::cerr << "counted " << in.counters().messages << " messages and " << in.counters().bytes << " bytes\n";
    return 1;
  }
  std::cout << "all as sent\n";
  return 0;
} catch (const beltway::Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
