// The payload of a bench: every byte is written by the producer and read by the consumer, which checks it (bench_bytes.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "beltway/bytes.hpp"
#include "beltway/consumer.hpp"
#include "beltway/producer.hpp"
#include "tool/bench/bench_bytes.hpp"
#include "tool/bench/bench_plan.hpp"

namespace beltway::tool {

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
  void check(const Message& message) const;

  Consumer& consumer_;
  std::size_t size_;
  std::vector<Message> batch_;
};

}  // namespace beltway::tool
