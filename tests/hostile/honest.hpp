// Honest endpoints of all kinds on one queue, and a call of one of them by number: whatever it returns is used as a program
// would.
// Thread safety: none.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "beltway/consumer.hpp"
#include "beltway/error.hpp"
#include "beltway/producer.hpp"
#include "hostile/scribble.hpp"
#include "support/local_queue.hpp"

namespace beltway::test {

/// The queue must have a group "workers" and places for one producer and four consumers.
class Honest {
 public:
  explicit Honest(LocalQueue& queue)
      : producer_(queue.producer({.wait = WaitStrategy::sleep})),
        reader_(queue.consumer({.wait = WaitStrategy::sleep})),
        worker_(queue.consumer({.group = "workers", .wait = WaitStrategy::sleep})),
        other_(queue.consumer({.group = "workers"})),
        lossy_(queue.consumer({.lossy = true})) {}

  /// One call; the neighbour may write while its result is held. Errors are answers like others.
  void call(Scribbler& scribbler) {
    try {
      if (scribbler.below(2) == 0) {
        publish(scribbler);
      } else {
        receive(scribbler);
      }
    } catch (const Error&) {  // removed, evicted, corrupt
    }
  }
  [[nodiscard]] std::uint64_t published() const { return producer_.counters().messages; }

 private:
  static constexpr std::chrono::milliseconds k_patience_ms{1};

  void publish(Scribbler& scribbler) {
    const std::vector<std::byte> data(scribbler.below(2) == 0 ? 24 : 700, std::byte{7});
    const std::array<Bytes, 3> batch{Bytes(data), Bytes(data), Bytes(data)};
    switch (scribbler.below(5)) {
      case 0: static_cast<void>(producer_.try_publish(batch[0])); break;
      case 3: static_cast<void>(producer_.try_publish(batch[0], {.key = "key", .reply_to = "replies"})); break;
      case 1: static_cast<void>(producer_.publish_until(batch[0], k_patience_ms)); break;
      case 2: static_cast<void>(producer_.try_publish_batch(batch)); break;
      default:
        if (Result<Loan> lent = producer_.try_loan(600)) static_cast<void>(lent->try_commit(scribbler.below(600) + 1));
    }
  }
  void receive(Scribbler& scribbler) {
    std::array<Message, 4> out;
    switch (scribbler.below(8)) {
      case 0: use(reader_.try_receive(), scribbler); break;
      case 1: use(reader_.receive(k_patience_ms), scribbler); break;
      case 2: use(worker_.try_receive(), scribbler); break;
      case 3: use(worker_.receive(k_patience_ms), scribbler); break;
      case 4: use(other_.try_receive(), scribbler); break;
      case 5:
        for (std::size_t i = 0, count = worker_.try_receive_batch(out).value_or(0); i < count; ++i) touch(out[i]);
        break;
      case 6: use(lossy_.try_receive(), scribbler); break;
      default: use(lossy_.receive(k_patience_ms), scribbler); break;
    }
  }

  static void touch(const Message& message) {
    volatile std::byte kept{};
    for (const std::byte each : message.bytes()) kept = each;
    const PropertiesView properties = message.properties();
    for (const char each : properties.key()) kept = static_cast<std::byte>(each);
    for (const char each : properties.reply_to()) kept = static_cast<std::byte>(each);
    for (const MessageHeader& header : properties.headers()) {
      for (const char each : header.value) kept = static_cast<std::byte>(each);
    }
    static_cast<void>(kept);
  }
  static void use(Result<Message> received, Scribbler& scribbler) {
    if (!received) return;
    touch(*received);
    scribbler.scribble();
    touch(*received);
    switch (scribbler.below(3)) {
      case 0: static_cast<void>(received->ack()); break;
      case 1: static_cast<void>(received->nack()); break;
      default: break;  // dropped
    }
  }

  Producer producer_;
  Consumer reader_;
  Consumer worker_;
  Consumer other_;
  Consumer lossy_;
};

/// A small queue for them.
inline QueueOptions hostile_options(std::uint32_t producers) {
  return {.slots = 8,
          .slot_bytes = 64,
          .lane_bytes = 4096,
          .max_producers = producers,
          .max_consumers = 6,
          .max_groups = 2,
          .groups = {"workers"}};
}

}  // namespace beltway::test
