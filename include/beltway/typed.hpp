// Queues of one trivially copyable type: the bytes are the object.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <utility>

#include "beltway/connection.hpp"
#include "beltway/error.hpp"
#include "beltway/limits.hpp"
#include "beltway/result.hpp"

namespace beltway {

/// The name that a type has on the queue, checked at attach together with size and alignment. Either the type has a member
/// `static constexpr std::string_view beltway_name = "..."`, or this is specialised for it. Change the name
/// when the meaning of the bytes changes.
template <class T>
struct TypeName {
  static constexpr std::string_view value = T::beltway_name;
};

template <class T>
concept MessageType = std::is_trivially_copyable_v<T> && std::is_default_constructible_v<T> && !std::is_pointer_v<T> &&
                      alignof(T) <= k_payload_alignment && requires {
                        { TypeName<T>::value } -> std::convertible_to<std::string_view>;
                      };

/// The tag of T. Same type name, size and alignment: same type.
template <MessageType T>
[[nodiscard]] TypeTag type_tag() {
  static_assert(TypeName<T>::value.size() <= k_max_type_name_length);
  return {std::string(TypeName<T>::value), sizeof(T), alignof(T)};
}

/// A producer of T; the untyped one is `untyped()`. Thread safety as Producer.
template <MessageType T>
class TypedProducer {
 public:
  explicit TypedProducer(Producer producer) : producer_(std::move(producer)) {}

  std::uint64_t publish(const T& value) { return producer_.publish(Bytes(&value, sizeof value)); }
  [[nodiscard]] Status try_publish(const T& value) { return producer_.try_publish(Bytes(&value, sizeof value)); }
  [[nodiscard]] Status publish_until(const T& value, const Until& until) {
    return producer_.publish_until(Bytes(&value, sizeof value), until);
  }
  [[nodiscard]] Producer& untyped() noexcept { return producer_; }

 private:
  Producer producer_;
};

/// A received T, read in place. As Message.
template <MessageType T>
class TypedMessage {
 public:
  explicit TypedMessage(Message message) noexcept : message_(std::move(message)) {}

  /// The value in shared memory: valid until the message is let go, never changed by anybody.
  [[nodiscard]] const T& operator*() const noexcept { return *reinterpret_cast<const T*>(message_.bytes().data()); }
  [[nodiscard]] const T* operator->() const noexcept { return &**this; }
  bool ack() noexcept { return message_.ack(); }
  bool nack() noexcept { return message_.nack(); }
  [[nodiscard]] Message& untyped() noexcept { return message_; }

 private:
  Message message_;
};

/// A consumer of T. A message of another size (an untyped producer sent it) throws Error(wrong_type) and is acknowledged.
/// Thread safety as Consumer.
template <MessageType T>
class TypedConsumer {
 public:
  explicit TypedConsumer(Consumer consumer) : consumer_(std::move(consumer)) {}

  [[nodiscard]] Result<TypedMessage<T>> try_receive() { return check(consumer_.try_receive()); }
  [[nodiscard]] Result<TypedMessage<T>> receive(const Until& until = {}) { return check(consumer_.receive(until)); }

  /// Calls `handler(const T&, TypedMessage<T>&)` until the wait ends; see Consumer::consume.
  template <class Handler>
  Status consume(Handler&& handler, const Until& until = {}) {
    return consumer_.consume(
        [&](Message& message) {
          check_size(message);
          TypedMessage<T> typed(std::move(message));
          handler(*typed, typed);
        },
        until);
  }
  [[nodiscard]] Consumer& untyped() noexcept { return consumer_; }

 private:
  void check_size(Message& message) const {
    if (message.size() == sizeof(T)) return;
    const std::size_t size = message.size();
    message.ack();
    throw Error(Errc::wrong_type, "receive from \"" + consumer_.queue_name() + "\": a message of " +
                                      std::to_string(size) + " bytes where " + std::string(TypeName<T>::value) +
                                      " has " + std::to_string(sizeof(T)) + "; an untyped producer published it");
  }
  Result<TypedMessage<T>> check(Result<Message> received) const {
    if (!received) return received.status();
    check_size(*received);
    return TypedMessage<T>(std::move(*received));
  }

  Consumer consumer_;
};

/// A queue of T. As Queue, which is `untyped()`.
template <MessageType T>
class TypedQueue {
 public:
  /// Throws Error(wrong_type) if the queue was declared for another type, or for none.
  explicit TypedQueue(Queue queue) : queue_(std::move(queue)) {
    const TypeTag wanted = type_tag<T>();
    const TypeTag& there = queue_.options().type;
    if (there == wanted) return;
    throw Error(Errc::wrong_type, "open \"" + queue_.name() + "\": it holds " + text(there) + ", not " + text(wanted) +
                                      "; declare it with that type or open it as what it is");
  }

  [[nodiscard]] TypedProducer<T> producer(const ProducerOptions& options = {}) const {
    return TypedProducer<T>(queue_.producer(options));
  }
  [[nodiscard]] TypedConsumer<T> consumer(const ConsumerOptions& options = {}) const {
    return TypedConsumer<T>(queue_.consumer(options));
  }
  [[nodiscard]] const Queue& untyped() const noexcept { return queue_; }

 private:
  static std::string text(const TypeTag& tag) {
    if (tag.size == 0) return "untyped bytes";
    return tag.name + " (" + std::to_string(tag.size) + " bytes, aligned to " + std::to_string(tag.alignment) + ")";
  }

  Queue queue_;
};

template <class T>
auto Connection::declare(std::string_view name) const {
  return TypedQueue<T>(declare_some(name, {.type = type_tag<T>()}, {"type"}).queue);
}

template <class T>
auto Connection::declare(std::string_view name, QueueOptions options) const {
  options.type = type_tag<T>();
  return TypedQueue<T>(declare(name, std::as_const(options)));
}

template <class T>
auto Connection::open_queue(std::string_view name) const {
  return TypedQueue<T>(open_queue(name));
}

template <class T>
auto Connection::open_queue(std::string_view name, const Until& until) const {
  return TypedQueue<T>(open_queue(name, until));
}

}  // namespace beltway
