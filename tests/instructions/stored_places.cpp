// The program that stored_places_test runs under valgrind's lackey: publishes of one producer, each behind a store to
// `g_marker`. It prints the address of the marker. First a burst whose messages are written into their slots, then one of typed
// values, then one of copies from a buffer.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <span>
#include <string_view>

#include "beltway/typed.hpp"
#include "counting.hpp"

namespace beltway::test {

alignas(64) volatile std::uint64_t g_marker[8];

/// In a function of its own, which keeps all of its variables in registers.
[[gnu::noinline]] void publish_in_place(Producer& producer, std::uint64_t first, std::uint64_t count) {
  for (std::uint64_t value = first; value != first + count; ++value) {
    g_marker[0] = value;
    producer.publish(sizeof value,
                     [value](std::span<std::byte> place) { std::memcpy(place.data(), &value, sizeof value); });
  }
}

[[gnu::noinline]] void publish_copies(Producer& producer, std::uint64_t first, std::uint64_t count) {
  for (std::uint64_t value = first; value != first + count; ++value) {
    g_marker[0] = value;
    producer.publish(Bytes(reinterpret_cast<const std::byte*>(&value), sizeof value));
  }
}

struct Value {
  static constexpr std::string_view beltway_name = "test.Value.1";
  std::uint64_t number;
};

[[gnu::noinline]] void publish_typed(TypedProducer<Value>& producer, std::uint64_t first, std::uint64_t count) {
  for (std::uint64_t value = first; value != first + count; ++value) {
    g_marker[0] = value;
    producer.publish(Value{value});
  }
}

}  // namespace beltway::test

int main() {
  using namespace beltway::test;
  LocalQueue queue(options(1));
  beltway::TypedProducer<Value> producer(queue.producer());
  beltway::Consumer consumer = queue.consumer();
  std::printf("%p\n", static_cast<const volatile void*>(g_marker));
  std::fflush(stdout);
  publish_in_place(producer.untyped(), 0, k_burst);
  drain(consumer);
  publish_typed(producer, 0, k_burst);
  drain(consumer);
  publish_copies(producer.untyped(), 0, k_burst);
  return 0;
}
