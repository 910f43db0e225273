// Queues of one trivially copyable type: the bytes are the object.
#pragma once

#include "beltway/detail/requirements.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "beltway/connection.hpp"
#include "beltway/detail/caught.hpp"
#include "beltway/error.hpp"
#include "beltway/limits.hpp"
#include "beltway/message_type.hpp"
#include "beltway/result.hpp"

namespace beltway {

namespace detail {

/// Throws the Error(wrong_type) of a message that has another size than its type.
[[noreturn]] void throw_wrong_size(const std::string& queue, std::size_t size, const TypeTag& type);
/// Declares a queue of that type, or opens it if it exists.
[[nodiscard]] Result<Queue, Error> try_declare_typed(const Connection& link, std::string_view name,
                                                     TypeTag type) noexcept;
/// The Error(wrong_type) of a queue that is not of type `wanted`.
[[nodiscard]] std::optional<Error> wrong_type(const Queue& queue, const TypeTag& wanted);

/// Messages that a typed batch handles at a time.
inline constexpr std::size_t k_typed_batch = 64;
[[nodiscard]] constexpr std::size_t at_most_a_batch(std::size_t count) noexcept {
  return count < k_typed_batch ? count : k_typed_batch;
}

}  // namespace detail

/// A T in the producer's lane that is not published yet. As Loan, which is `untyped()`: the same waits, end, errors and
/// thread safety.
/// The T is default-initialised: members without an initialiser hold old bytes, so write each member that consumers read.
template <class T>
class [[nodiscard]] TypedLoan : detail::MessageTypeCheck<T> {
 public:
  explicit TypedLoan(Loan loan) noexcept : loan_(std::move(loan)) {
    value_ = ::new (static_cast<void*>(loan_.bytes().data())) T;
  }

  [[nodiscard]] T& operator*() const noexcept { return *value_; }
  [[nodiscard]] T* operator->() const noexcept { return value_; }
  std::uint64_t commit() { return loan_.commit(); }
  [[nodiscard]] Status try_commit() { return loan_.try_commit(); }
  [[nodiscard]] Status commit_until(const Until& until) { return loan_.commit_until(sizeof(T), until); }
  void drop() noexcept { loan_.drop(); }
  /// True while the loan is open.
  explicit operator bool() const noexcept { return static_cast<bool>(loan_); }
  [[nodiscard]] Loan& untyped() noexcept { return loan_; }

 private:
  Loan loan_;
  T* value_ = nullptr;
};

/// A producer of T. As Producer, which is `untyped()`: the same waits, Statuses, errors and thread safety.
template <class T>
class TypedProducer : detail::MessageTypeCheck<T> {
 public:
  explicit TypedProducer(Producer producer) : producer_(std::move(producer)) {}

  std::uint64_t publish(const T& value) {
    if constexpr (k_fits_registers) {
      return producer_.publish(sizeof value, writer_of(value));
    } else {
      return producer_.publish(bytes_of(value));
    }
  }
  [[nodiscard]] Status try_publish(const T& value) {
    if constexpr (k_fits_registers) {
      return producer_.try_publish(sizeof value, writer_of(value));
    } else {
      return producer_.try_publish(bytes_of(value));
    }
  }
  [[nodiscard]] Status publish_until(const T& value, const Until& until) {
    return producer_.publish_until(bytes_of(value), until);
  }

  /// As above, with properties.
  std::uint64_t publish(const T& value, const Properties& properties) {
    return producer_.publish(bytes_of(value), properties);
  }
  [[nodiscard]] Status try_publish(const T& value, const Properties& properties) {
    return producer_.try_publish(bytes_of(value), properties);
  }
  [[nodiscard]] Status publish_until(const T& value, const Properties& properties, const Until& until) {
    return producer_.publish_until(bytes_of(value), properties, until);
  }

  /// As Producer::publish_batch. Wake sleepers once for each 64 messages.
  void publish_batch(std::span<const T> values) {
    std::array<Bytes, detail::k_typed_batch> some;
    for (std::size_t done = 0; done < values.size();) {
      const std::span<const Bytes> next = bytes_of(values.subspan(done), some);
      producer_.publish_part_of_batch(next, done, values.size());
      done += next.size();
    }
  }
  [[nodiscard]] Result<std::size_t> try_publish_batch(std::span<const T> values) {
    return publish_some(values, [this](std::span<const Bytes> some) { return producer_.try_publish_batch(some); });
  }
  [[nodiscard]] Result<std::size_t> publish_batch_until(std::span<const T> values, const Until& until) {
    return publish_some(values,
                        [&](std::span<const Bytes> some) { return producer_.publish_batch_until(some, until); });
  }

  /// As Producer::loan, loan_until and try_loan, for one T, which is then written where consumers read it.
  TypedLoan<T> loan() { return TypedLoan<T>(producer_.loan(sizeof(T))); }
  Result<TypedLoan<T>> loan_until(const Until& until) { return typed(producer_.loan_until(sizeof(T), until)); }
  Result<TypedLoan<T>> try_loan() { return typed(producer_.try_loan(sizeof(T))); }
  TypedLoan<T> loan(const Properties& properties) { return TypedLoan<T>(producer_.loan(sizeof(T), properties)); }
  Result<TypedLoan<T>> loan_until(const Properties& properties, const Until& until) {
    return typed(producer_.loan_until(sizeof(T), properties, until));
  }
  Result<TypedLoan<T>> try_loan(const Properties& properties) {
    return typed(producer_.try_loan(sizeof(T), properties));
  }

  [[nodiscard]] Producer& untyped() noexcept { return producer_; }

 private:
  /// Such a value is written into the slot from registers. In a copy it would be stored once more on its way.
  static constexpr bool k_fits_registers = sizeof(T) <= 2 * sizeof(std::uint64_t);
  [[nodiscard]] static auto writer_of(const T& value) noexcept {
    return [value](std::span<std::byte> place) noexcept {
      detail::copy_racing(place.data(), reinterpret_cast<const std::byte*>(&value), sizeof value);
    };
  }
  [[nodiscard]] static Bytes bytes_of(const T& value) noexcept { return Bytes(&value, sizeof value); }
  [[nodiscard]] static std::span<const Bytes> bytes_of(std::span<const T> values,
                                                       std::span<Bytes, detail::k_typed_batch> some) noexcept {
    const std::size_t count = detail::at_most_a_batch(values.size());
    for (std::size_t i = 0; i < count; ++i) some[i] = bytes_of(values[i]);
    return some.first(count);
  }
  [[nodiscard]] static Result<TypedLoan<T>> typed(Result<Loan> lent) {
    if (!lent) return lent.status();
    return TypedLoan<T>(std::move(*lent));
  }
  template <class Publish>
  Result<std::size_t> publish_some(std::span<const T> values, const Publish& publish) {
    std::array<Bytes, detail::k_typed_batch> some;
    std::size_t done = 0;
    while (done < values.size()) {
      const std::span<const Bytes> next = bytes_of(values.subspan(done), some);
      const Result<std::size_t> published = publish(next);
      if (!published && done == 0) return published.status();
      if (published.status() == Status::interrupted) producer_.interrupt();  // for the next call to say
      done += published.value_or(0);
      if (!published || *published < next.size()) break;
    }
    return done;
  }

  Producer producer_;
};

/// A received T, read in place. As Message, which is `untyped()`: the same rights, ends and thread safety. A default one holds
/// no message.
template <class T>
class TypedMessage : detail::MessageTypeCheck<T> {
 public:
  TypedMessage() noexcept = default;
  explicit TypedMessage(Message message) noexcept : message_(std::move(message)) {}

  /// The value in shared memory: valid until the message is released, never changed.
  [[nodiscard]] const T& operator*() const noexcept { return *reinterpret_cast<const T*>(message_.bytes().data()); }
  [[nodiscard]] const T* operator->() const noexcept { return &**this; }
  bool ack() noexcept { return message_.ack(); }
  bool nack() noexcept { return message_.nack(); }
  bool nack(std::chrono::microseconds delay) { return message_.nack(delay); }
  bool reject() { return message_.reject(); }
  /// As Message::extend() and still_held().
  bool extend() noexcept { return message_.extend(); }
  [[nodiscard]] bool still_held() const noexcept { return message_.still_held(); }
  /// True while this object holds a message.
  explicit operator bool() const noexcept { return static_cast<bool>(message_); }

  [[nodiscard]] std::uint64_t position() const noexcept { return message_.position(); }
  /// Lossy consumers: positions lost right before this message. Otherwise 0.
  [[nodiscard]] std::uint64_t lost() const noexcept { return message_.lost(); }
  /// How often the message was delivered, this time included: 1 at the first.
  [[nodiscard]] unsigned deliveries() const noexcept { return message_.deliveries(); }
  /// As Message::age() and published_at().
  [[nodiscard]] std::optional<std::chrono::microseconds> age() const noexcept { return message_.age(); }
  [[nodiscard]] std::optional<PublishTime> published_at() const noexcept { return message_.published_at(); }
  /// As Message::has_properties() and properties().
  [[nodiscard]] bool has_properties() const noexcept { return message_.has_properties(); }
  [[nodiscard]] PropertiesView properties() const noexcept { return message_.properties(); }

  [[nodiscard]] Message& untyped() noexcept { return message_; }

 private:
  Message message_;
};

/// As ack_batch() of messages: acknowledges each, empties it, and returns how many acks were true.
template <class T>
std::size_t ack_batch(std::span<TypedMessage<T>> messages) noexcept {
  std::array<Message, detail::k_typed_batch> some;
  std::size_t ours = 0;
  while (!messages.empty()) {
    const std::size_t count = detail::at_most_a_batch(messages.size());
    for (std::size_t i = 0; i < count; ++i) some[i] = std::move(messages[i].untyped());
    ours += ack_batch(std::span<Message>(some).first(count));
    messages = messages.subspan(count);
  }
  return ours;
}

/// A consumer of T. As Consumer, which is `untyped()`: the same waits, Statuses, errors and thread safety.
/// A message of another size (an untyped producer sent it) throws Error(wrong_type) and is acknowledged.
template <class T>
class TypedConsumer : detail::MessageTypeCheck<T> {
 public:
  explicit TypedConsumer(Consumer consumer) : consumer_(std::move(consumer)) {}

  [[nodiscard]] Result<TypedMessage<T>> try_receive() { return check(consumer_.try_receive()); }
  [[nodiscard]] Result<TypedMessage<T>> receive(const Until& until = {}) { return check(consumer_.receive(until)); }

  /// As Consumer::receive_batch, at most 64 messages at a time. Messages of the right size are in `out`, from its start, also
  /// if it throws Error(wrong_type).
  [[nodiscard]] Result<std::size_t> try_receive_batch(std::span<TypedMessage<T>> out) {
    return receive_some(out, [this](std::span<Message> some) { return consumer_.try_receive_batch(some); });
  }
  [[nodiscard]] Result<std::size_t> receive_batch(std::span<TypedMessage<T>> out, const Until& until = {}) {
    return receive_some(out, [&](std::span<Message> some) { return consumer_.receive_batch(some, until); });
  }

  /// Calls `handler(const T&, TypedMessage<T>&)` for each message until the wait ends. As Consumer::consume, so an exception of
  /// the handler gives the message back to a named group, whatever ConsumerOptions::ack says.
  template <class Handler>
  Status consume(Handler&& handler, const Until& until = {}) {
    return consumer_.consume(
        [&](Message& message) {
          check_size(message);
          TypedMessage<T> typed(std::move(message));
          detail::UnwindGuard give_back([&]() noexcept { typed.nack(); });  // before `typed` acknowledges itself
          handler(*typed, typed);
          give_back.dismiss();
        },
        until);
  }
  [[nodiscard]] Consumer& untyped() noexcept { return consumer_; }

 private:
  void check_size(Message& message) const {
    if (message.size() != sizeof(T)) refuse(message);
  }
  [[noreturn]] void refuse(Message& message) const {
    const std::size_t size = message.size();
    message.ack();
    detail::throw_wrong_size(consumer_.queue_name(), size, type_tag<T>());
  }
  Result<TypedMessage<T>> check(Result<Message> received) const {
    if (!received) return received.status();
    check_size(*received);
    return TypedMessage<T>(std::move(*received));
  }
  template <class Receive>
  Result<std::size_t> receive_some(std::span<TypedMessage<T>> out, const Receive& receive) const {
    for (TypedMessage<T>& message : out) message = TypedMessage<T>();
    std::array<Message, detail::k_typed_batch> some;
    const Result<std::size_t> batch = receive(std::span<Message>(some).first(detail::at_most_a_batch(out.size())));
    if (!batch) return batch.status();
    std::size_t count = 0;
    Message* wrong = nullptr;
    for (Message& message : std::span<Message>(some).first(*batch)) {
      if (message.size() == sizeof(T)) {
        out[count++] = TypedMessage<T>(std::move(message));
      } else if (wrong == nullptr) {
        wrong = &message;
      } else {
        message.ack();
      }
    }
    if (wrong != nullptr) refuse(*wrong);
    return count;
  }

  Consumer consumer_;
};

/// A queue of T. As Queue, which is `untyped()`: the same waits, errors and thread safety. Its type, size and alignment were
/// checked: Error(wrong_type).
template <class T>
class TypedQueue : detail::MessageTypeCheck<T> {
 public:
  /// Throws Error(wrong_type) if the queue was declared for another type, or for none.
  explicit TypedQueue(Queue queue) : TypedQueue(make(std::move(queue)).value()) {}

  /// As the constructor, with the Error as a value.
  [[nodiscard]] static Result<TypedQueue, Error> make(Queue queue) {
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
  [[nodiscard]] Result<TypedProducer<T>, Error> try_producer(const ProducerOptions& options = {}) const noexcept {
    Result<Producer, Error> made = queue_.try_producer(options);
    if (!made) return made.error();
    return TypedProducer<T>(*std::move(made));
  }
  [[nodiscard]] Result<TypedConsumer<T>, Error> try_consumer(const ConsumerOptions& options = {}) const noexcept {
    Result<Consumer, Error> made = queue_.try_consumer(options);
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
auto Connection::try_declare(std::string_view name) const noexcept {
  Result<Queue, Error> queue = detail::try_declare_typed(*this, name, type_tag<T>());
  return queue ? TypedQueue<T>::make(*std::move(queue)) : Result<TypedQueue<T>, Error>(queue.error());
}

template <class T>
auto Connection::try_declare(std::string_view name, QueueOptions options) const noexcept {
  options.type = type_tag<T>();
  Result<Queue, Error> queue = try_declare(name, std::as_const(options));
  return queue ? TypedQueue<T>::make(*std::move(queue)) : Result<TypedQueue<T>, Error>(queue.error());
}

template <class T>
auto Connection::try_open_queue(std::string_view name) const noexcept {
  Result<Queue, Error> queue = try_open_queue(name);
  return queue ? TypedQueue<T>::make(*std::move(queue)) : Result<TypedQueue<T>, Error>(queue.error());
}

template <class T>
auto Connection::try_open_queue(std::string_view name, const Until& until) const noexcept {
  Result<Queue, Error> queue = try_open_queue(name, until);
  return queue ? TypedQueue<T>::make(*std::move(queue)) : Result<TypedQueue<T>, Error>(queue.error());
}

template <class T>
auto Connection::open_queue(std::string_view name, const Until& until) const {
  return TypedQueue<T>(open_queue(name, until));
}

}  // namespace beltway
