// A received message: a view into shared memory, and the right and duty to end it.
#pragma once

#include "beltway/detail/requirements.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "beltway/detail/inline_receive.hpp"
#include "beltway/properties.hpp"
#include "beltway/status.hpp"

namespace beltway::endpoint {
class ConsumerCore;
}  // namespace beltway::endpoint

namespace beltway {

/// A message that a consumer holds. Move-only. Its end (destruction, ack, nack) frees its place in the ring.
///
/// In a private group a message ends when it is released. In a named group it is leased: `ack()` ends it, `nack()` gives it back
/// to the group, and `reject()` gives it up. Dropping it does what ConsumerOptions::ack says: with Ack::explicit_call it is a
/// nack (so an exception in a handler loses nothing), with Ack::automatic an ack. A message that is dropped after its Consumer
/// goes back at once.
///
/// Thread safety: one thread at a time. A message of a named group may be moved to, and ended in, another thread than
/// the consumer's; one of a private group must be released where its consumer is used. A message may outlive its
/// Consumer object: the endpoint stays attached until the last message is gone.
///
/// The bytes of a lossy consumer's message are a copy that stays valid until that consumer's next receive.
///
/// In a group with lease_timeout a message that is held for longer goes to another consumer: see extend() and still_held().
///
/// Blocking and errors: no member blocks. Only nack() with a delay and reject() throw. ack(), nack() and reject() return false if
/// the lease had ended before: by lease_timeout, an eviction, or a repair. In a forked child ending a message has no effect.
class Message {
 public:
  Message() noexcept = default;
  // The members one by one: a default value that is stored first is a store more.
  Message(Message&& other) noexcept
      : core_(std::exchange(other.core_, nullptr)),
        data_(std::exchange(other.data_, nullptr)),
        position_(other.position_),
        lost_(other.lost_),
        size_(std::exchange(other.size_, 0U)),
        producer_(other.producer_),
        tries_(other.tries_),
        properties_bytes_(other.properties_bytes_) {}
  Message& operator=(Message&& other) noexcept {
    if (this != &other) {
      if (core_ != nullptr) release_message();
      take(other);
    }
    return *this;
  }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
  ~Message() {
    if (core_ != nullptr) release_message();
  }

  /// The payload, aligned to 16 bytes. Never writable: consumers map messages read-only.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data_, size()}; }
  [[nodiscard]] std::string_view text() const noexcept { return {reinterpret_cast<const char*>(data_), size()}; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// True if the message was published with properties.
  [[nodiscard]] bool has_properties() const noexcept { return properties_bytes() != 0; }
  /// Its properties, read in place: their texts are valid as long as bytes() is. Without any, all are empty.
  [[nodiscard]] PropertiesView properties() const noexcept {
    return PropertiesView(std::span<const std::byte>(data_ - properties_bytes(), properties_bytes()));
  }

  /// The place in the queue's one total order, modulo 2^54.
  [[nodiscard]] std::uint64_t position() const noexcept { return position_; }

  /// The index of the producer that published it, 0 to max_producers - 1.
  [[nodiscard]] unsigned producer() const noexcept { return producer_; }

  /// How often it has been delivered, with this delivery: 1 the first time, one more each time after a nack, a drop without an
  /// ack or the death of a consumer that held it; at most 256.
  [[nodiscard]] unsigned deliveries() const noexcept { return tries() + 1U; }

  /// How long ago it was published, in whole microseconds. Nothing if it has no stamp: the queue does not stamp its messages
  /// (QueueOptions::stamps), or did not when it was published; the message was taken from the consumer; in a forked child.
  /// The age of a lossy consumer's message is known until that consumer's next receive. Coarse stamps are a few milliseconds
  /// early at most, so the age may be too high by that. A clock that is set changes no age.
  [[nodiscard]] std::optional<std::chrono::microseconds> age() const noexcept;
  /// When it was published, by the present clock of the day. Nothing as with age(). The daemon keeps the difference of both
  /// clocks: if the clock of the day was set a moment ago, the time may still be that of the old one.
  [[nodiscard]] std::optional<PublishTime> published_at() const noexcept;

  /// Lossy consumers: positions lost right before this message. Groups with drop_oldest: messages that the group dropped since
  /// this consumer's previous message, or since its attach; each consumer of the group is told of them. Otherwise 0.
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }

  /// Named groups: done. False if the lease had already ended (lease_timeout, evicted, or the queue was repaired past it).
  /// Private groups: releases the message, true. While the next message is there already, producers may learn of the free place
  /// late: up to 15 messages later, or slots / 16 - 1, if that is less. The view is empty afterwards.
  [[gnu::always_inline]] bool ack() noexcept {
    if (core_ == nullptr) return false;
    const bool done = (core_->inline_size_limit_ != 0 && core_->try_release(position_)) || end_by_ack();
    forget();
    return done;
  }

  /// Named groups: gives it back to the group, to be delivered again with `deliveries()` raised, after the pause that
  /// QueueOptions::retry_delay says. If it was delivered max_deliveries times, it is given up: see reject(). Otherwise as ack().
  bool nack() noexcept;
  /// As nack(), but the message waits for `delay` before it is delivered again. 0: it is delivered at once, before newer ones.
  /// Throws Error(invalid_option) for a delay below 0 or above a day (k_max_retry_delay_ms). Then the message is still held.
  bool nack(std::chrono::microseconds delay);

  /// Named groups: gives it up, since no later delivery will succeed. The message goes to the group's dead letter queue
  /// (QueueOptions::dead_letter) and is counted (ConsumerCounters::dead_lettered). If that queue is full, the message waits, and
  /// some consumer of the group moves it later. In a group without a dead letter queue it is dropped and counted
  /// (ConsumerCounters::discarded). Otherwise as ack().
  /// Throws Error(misuse) if the group says neither (QueueOptions::discard). Then the message was given back as by nack().
  bool reject();

  /// Named groups with QueueOptions::lease_timeout: gives the message its whole time again, from now on, so that it does not go
  /// to another consumer meanwhile. Call it more often than once a lease_timeout while a job goes on. False if the message is not
  /// ours any more: then ack() will return false, too. Otherwise, and in other groups: true if it is still ours.
  /// Of a named group: in any thread, also while another thread reads the message.
  bool extend() noexcept;

  /// True while the message is ours. False once its lease is over (lease_timeout), or its consumer was evicted: then another
  /// consumer has the message, and what bytes() shows may be overwritten at any time. The answer may be out of date when it
  /// comes: ack() tells for sure. Of a named group: in any thread. An empty object: false.
  [[nodiscard]] bool still_held() const noexcept;

  /// True while this object holds a message.
  explicit operator bool() const noexcept { return core_ != nullptr; }

 private:
  friend class Consumer;
  friend class endpoint::ConsumerCore;
  friend std::size_t ack_batch(std::span<Message> messages) noexcept;

  Message(detail::InlineReceiver* core, const std::byte* data, std::uint64_t position, std::uint64_t lost,
          std::uint32_t size, std::uint8_t producer, std::uint8_t tries, std::uint16_t properties_bytes = 0) noexcept
      : core_(core),
        data_(data),
        position_(position),
        lost_(lost),
        size_(size),
        producer_(producer),
        tries_(tries),
        properties_bytes_(properties_bytes) {}

  [[nodiscard]] std::uint8_t tries() const noexcept { return tries_; }
  /// Of the properties block right before data_.
  [[nodiscard]] std::size_t properties_bytes() const noexcept { return data_ == nullptr ? 0 : properties_bytes_; }

  /// It has ended.
  void forget() noexcept {
    core_ = nullptr;
    data_ = nullptr;
    size_ = 0;
  }
  enum class End : std::uint8_t { ack, nack, reject, dropped };
  static constexpr std::uint64_t k_delay_of_group = ~std::uint64_t{0};
  /// Ends consecutive messages of one consumer of a named group, or one message of any group, unless the inline path has
  /// ended it. Returns how many were still the consumer's. `delay_us`: of a nack. In src/endpoint/consumer_end.cpp.
  static std::size_t end_run(std::span<const Message> run, End end, std::uint64_t delay_us = k_delay_of_group) noexcept;
  /// As end_run() of this message, acknowledged.
  bool end_by_ack() noexcept;
  void release_message() noexcept;
  /// When it was published, in us of CLOCK_MONOTONIC; 0: not known. In src/endpoint/consumer_ages.cpp.
  [[nodiscard]] std::uint64_t stamp_us() const noexcept;
  void take(Message& other) noexcept {
    core_ = std::exchange(other.core_, nullptr);
    data_ = std::exchange(other.data_, nullptr);
    position_ = other.position_;
    lost_ = other.lost_;
    size_ = std::exchange(other.size_, 0U);
    producer_ = other.producer_;
    tries_ = other.tries_;
    properties_bytes_ = other.properties_bytes_;
  }

  detail::InlineReceiver* core_ = nullptr;
  const std::byte* data_ = nullptr;
  std::uint64_t position_ = 0;
  std::uint64_t lost_ = 0;
  std::uint32_t size_ = 0;
  std::uint8_t producer_ = 0;
  std::uint8_t tries_ = 0;
  std::uint16_t properties_bytes_ =
      0;  // of the block right before data_; what a message without data has here says nothing
};

/// Acknowledges each of `messages`, in their order, and empties them: as Message::ack(), but for messages in a row of one
/// consumer of a named group, it moves the floor, wakes sleepers and stores the counters once. Empty ones are passed
/// over; there may be messages of several consumers. Returns how many acks were true. Never blocks; in any thread in which
/// each of the messages may be ended.
std::size_t ack_batch(std::span<Message> messages) noexcept;

}  // namespace beltway
