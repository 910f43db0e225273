// The payload of a bench: every byte is written by the producer and read by the consumer, who checks it.
//
// A message is one 64-bit value again and again, its last bytes the value's first ones. So a message that is torn or
// was overwritten too early does not add up, and nobody measures memory that is never touched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "beltway/bytes.hpp"
#include "beltway/consumer.hpp"
#include "beltway/producer.hpp"
#include "bench_plan.hpp"

namespace beltway::tool {

inline void fill(std::span<std::byte> place, std::uint64_t value) noexcept {
  const std::size_t words = place.size() / sizeof value;
  for (std::size_t i = 0; i < words; ++i) std::memcpy(place.data() + i * sizeof value, &value, sizeof value);
  std::memcpy(place.data() + words * sizeof value, &value, place.size() % sizeof value);
}

/// True if `bytes` is what fill() makes of some value.
[[nodiscard]] inline bool adds_up(std::span<const std::byte> bytes) noexcept {
  std::uint64_t first = 0;
  const std::size_t words = bytes.size() / sizeof first;
  if (words > 0) std::memcpy(&first, bytes.data(), sizeof first);
  std::uint64_t difference = 0;
  for (std::size_t i = 1; i < words; ++i) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data() + i * sizeof word, sizeof word);
    difference |= word ^ first;
  }
  const std::size_t rest = bytes.size() % sizeof first;
  std::uint64_t tail = 0;
  std::memcpy(&tail, bytes.data() + words * sizeof tail, rest);
  if (words == 0 || rest == 0) return difference == 0;
  const std::uint64_t mask = (std::uint64_t{1} << (8 * rest)) - 1;
  return (difference | (tail ^ (first & mask))) == 0;
}

/// Publishes messages of one size in the way that the plan asks for. One thread.
class PayloadSource {
 public:
  PayloadSource(Producer& producer, const BenchPlan& plan);

  /// One message, in place: in its slot, or in the lane by a loan; or copied, if the plan says so.
  void publish_one();
  /// `count` messages, in batches if the plan says so.
  void publish(std::uint64_t count);

 private:
  Producer& producer_;
  std::size_t size_;
  bool copy_;
  bool in_slot_;
  std::uint64_t value_ = 0;
  std::vector<std::byte> buffer_;
  std::vector<Bytes> batch_;
};

/// Receives and checks messages. Throws Failure if one does not add up. One thread.
class PayloadSink {
 public:
  PayloadSink(Consumer& consumer, const BenchPlan& plan);

  void receive_one();
  /// Waits until `count` messages were received.
  void receive(std::uint64_t count);
  /// One message or, with batches, what there is; how many (0: nothing came in time).
  [[nodiscard]] std::uint64_t receive_some(std::uint64_t most, const Until& until);

 private:
  void check(Message& message) const;

  Consumer& consumer_;
  std::size_t size_;
  std::vector<Message> batch_;
};

}  // namespace beltway::tool
