// A consumer of JavaScript: it copies messages into memory of JavaScript, and holds what is to be acknowledged.
//
// Copies, because JavaScript has no read-only memory: a write to a view of a queue's mapping would be a SIGSEGV, and a view that
// outlives its message would show another one.
//
// Thread safety: the thread of the environment alone.
#pragma once

#include <node_api.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "beltway/consumer.hpp"
#include "node/held_messages.hpp"
#include "node/readiness.hpp"
#include "node/received_batch.hpp"

namespace beltway::node {

class ConsumerEndpoint {
 public:
  /// What receive() and receive_batch() return instead of a count. A number from -k_least_chunk on downward is the room that they
  /// need: bytes of the chunk, or of the batch behind its entries.
  static constexpr double k_empty = 0;
  static constexpr double k_end_of_stream = -1;
  static constexpr double k_least_chunk = 56;
  /// Added to a count: more messages are there, and the chunk has no room for them.
  static constexpr double k_room_ended = 0.5;

  ConsumerEndpoint(Environment& environment, Consumer consumer, const ConsumerOptions& options);

  /// Throws Error(misuse) after close().
  [[nodiscard]] Consumer& consumer();
  [[nodiscard]] Readiness& readiness() noexcept { return readiness_; }

  /// Where receive() writes records, from `used` bytes on. The memory must stay until the next call.
  void set_chunk(napi_env env, napi_value array_buffer, std::size_t used);
  /// Copies up to `most` messages that are there. Returns how many, or why there is none. Never blocks. With automatic
  /// acknowledgement, messages of earlier calls are acknowledged first. Throws Error(removed, evicted).
  double receive(std::uint32_t most);
  /// Copies the payload of one message to `target`, and its head and properties to `head`. Throws Error(too_large) if `target` is
  /// too small: then the next call gets the same message.
  double receive_into(std::span<std::byte> target, std::span<std::byte> head);
  /// As receive(), but into the memory of batch().
  double receive_batch(std::uint32_t most);
  [[nodiscard]] ReceivedBatch& batch() noexcept { return received_batch_; }

  /// The generation of a place that is the index of a message of batch(), and no slot.
  static constexpr std::uint32_t k_in_batch = HeldMessages::k_no_generation;
  [[nodiscard]] Message* find(HeldMessages::Place place) noexcept {
    return place.generation == k_in_batch ? received_batch_.find(place.slot) : held_.find(place);
  }
  [[nodiscard]] Message take(HeldMessages::Place place) {
    return place.generation == k_in_batch ? received_batch_.take(place.slot) : held_.take(place);
  }
  std::size_t ack_many(std::span<const std::uint32_t> places);
  /// With automatic acknowledgement: acknowledges what was received.
  void acknowledge_received();
  [[nodiscard]] std::size_t held() const noexcept { return held_.count() + received_batch_.held(); }
  /// Gives back what is held, and detaches.
  void close() noexcept;

 private:
  [[noreturn]] void throw_ended(Status status) const;

  static constexpr std::size_t k_batch = 64;

  /// The next message that was taken and not copied; null: there is none, and `why` is said.
  Message* next(std::size_t most, double& why);
  /// Takes messages that nobody has taken. Returns how many; 0: there is none, and `why` is said.
  std::size_t take_new(std::span<Message> to, double& why);
  /// Takes the messages that the next call of receive() would copy, at most as many as `to` has.
  std::size_t take_next(std::span<Message> to, double& why);
  /// The next take_next() or next() gives these again.
  void put_back(std::span<Message> messages) noexcept;
  [[nodiscard]] std::span<Message> waiting() noexcept { return std::span(batch_).subspan(next_, end_ - next_); }
  /// Copies a message and its head. False: it is not ours any more, and what was copied may be of another message.
  bool copy(Message& message, std::byte* payload, std::byte* head, std::size_t properties_bytes);

  std::shared_ptr<Environment> environment_;
  Readiness readiness_;
  std::optional<Consumer> consumer_;
  const bool is_named_;
  const bool is_automatic_;
  HeldMessages held_;
  ReceivedBatch received_batch_;
  std::vector<HeldMessages::Place> received_;  // with automatic acknowledgement
  std::array<Message, k_batch> batch_;
  std::size_t next_ = 0;
  std::size_t end_ = 0;
  std::span<std::byte> chunk_;
  std::size_t used_ = 0;
};

}  // namespace beltway::node
