// Queues of one trivially copyable type: the bytes are the object.
#pragma once

#include "beltway/detail/requirements.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "beltway/connection.hpp"
#include "beltway/error.hpp"
#include "beltway/expected.hpp"
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

namespace detail {
/// Throws the Error(wrong_type) of a message that has another size than its type.
[[noreturn]] void throw_wrong_size(const std::string& queue, std::size_t size, const TypeTag& type);
/// The Error(wrong_type) of a queue that is not of type `wanted`.
[[nodiscard]] std::optional<Error> wrong_type(const Queue& queue, const TypeTag& wanted);
}  // namespace detail

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
    detail::throw_wrong_size(consumer_.queue_name(), size, type_tag<T>());
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
  explicit TypedQueue(Queue queue) : TypedQueue(make(std::move(queue)).value()) {}

  /// As the constructor, with the Error as a value.
  [[nodiscard]] static Expected<TypedQueue> make(Queue queue) {
    if (std::optional<Error> error = detail::wrong_type(queue, type_tag<T>())) return *std::move(error);
    return TypedQueue(std::move(queue), Checked());
  }

  [[nodiscard]] TypedProducer<T> producer(const ProducerOptions& options = {}) const {
    return TypedProducer<T>(queue_.producer(options));
  }
  [[nodiscard]] TypedConsumer<T> consumer(const ConsumerOptions& options = {}) const {
    return TypedConsumer<T>(queue_.consumer(options));
  }
  /// As producer() and consumer(), with the Error as a value.
  [[nodiscard]] Expected<TypedProducer<T>> try_producer(const ProducerOptions& options = {}) const noexcept {
    Expected<Producer> made = queue_.try_producer(options);
    if (!made) return made.error();
    return TypedProducer<T>(*std::move(made));
  }
  [[nodiscard]] Expected<TypedConsumer<T>> try_consumer(const ConsumerOptions& options = {}) const noexcept {
    Expected<Consumer> made = queue_.try_consumer(options);
    if (!made) return made.error();
    return TypedConsumer<T>(*std::move(made));
  }
  [[nodiscard]] const Queue& untyped() const noexcept { return queue_; }

 private:
  struct Checked {};
  TypedQueue(Queue queue, Checked /*type*/) : queue_(std::move(queue)) {}

  Queue queue_;
};

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
auto Connection::try_declare(std::string_view name, QueueOptions options) const noexcept {
  options.type = type_tag<T>();
  Expected<Queue> queue = try_declare(name, std::as_const(options));
  return queue ? TypedQueue<T>::make(*std::move(queue)) : Expected<TypedQueue<T>>(queue.error());
}

template <class T>
auto Connection::try_open_queue(std::string_view name) const noexcept {
  Expected<Queue> queue = try_open_queue(name);
  return queue ? TypedQueue<T>::make(*std::move(queue)) : Expected<TypedQueue<T>>(queue.error());
}

}  // namespace beltway
