// A value, or the reason why there is none.
#pragma once

#include "beltway/detail/requirements.hpp"

#include <concepts>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "beltway/detail/caught.hpp"
#include "beltway/error.hpp"
#include "beltway/status.hpp"

namespace beltway {

namespace detail {
/// Throws Error: of the same reason for removed, evicted, too_large and interrupted; else misuse.
[[noreturn]] void throw_no_value(Status status);
[[noreturn]] inline void throw_no_value(const Error& error) { raise(error); }
}  // namespace detail

/// A value, or why there is none, with the interface of std::expected. Every call that may have nothing to return returns one.
///
/// - `Result<T>` has a Status in place of the value: nothing came, the queue is full, the stream has ended. Message, Loan and
///   std::size_t (the length of a batch) are such values.
/// - `Result<T, Error>` has an Error: a reason for programs, `reason()`, and a text for people, `what()`. Calls that return one
///   never throw (Connection::try_open(), try_declare(), Queue::try_producer() and others), and wait as long as the call that
///   throws. Memory that runs out is Errc::limit_reached.
///
///   if (beltway::Result<beltway::Message> message = in.receive(1s)) use(message->bytes());
///   else if (message.status() == beltway::Status::end_of_stream) return;
///
/// Movable and copyable as T is. A Result that was moved from still says whether it had a value. Thread safety: as a value.
template <class T, class E = Status>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  using error_type = E;

  Result(T value) noexcept(std::is_nothrow_move_constructible_v<T>)  // NOLINT: implicit by design
      : value_(std::move(value)), has_value_(true) {}
  /// Requires another status than Status::ok.
  Result(E error) noexcept(std::is_nothrow_move_constructible_v<E>)  // NOLINT: implicit by design
      : error_(std::move(error)), has_value_(false) {}

  Result(Result&& other) noexcept(k_moves_nothrow) : nothing_(), has_value_(other.has_value_) {
    take(std::move(other));
  }
  Result& operator=(Result&& other) noexcept(k_moves_nothrow) {
    if (this != &other) {
      std::destroy_at(this);
      std::construct_at(this, std::move(other));
    }
    return *this;
  }
  Result(const Result& other)
    requires std::copy_constructible<T>
      : nothing_(), has_value_(other.has_value_) {
    take(other);
  }
  Result& operator=(const Result& other)
    requires std::copy_constructible<T>
  {
    return *this = Result(other);
  }
  ~Result() {
    if (has_value_) {
      std::destroy_at(std::addressof(value_));
    } else {
      std::destroy_at(std::addressof(error_));
    }
  }

  [[nodiscard]] bool has_value() const noexcept { return has_value_; }
  explicit operator bool() const noexcept { return has_value_; }

  /// Why there is no value. Requires !has_value().
  [[nodiscard]] const E& error() const noexcept { return error_; }
  /// Why there is no value; Status::ok if there is one.
  [[nodiscard]] Status status() const noexcept
    requires std::same_as<E, Status>
  {
    return has_value_ ? Status::ok : error_;
  }

  /// The value. Requires has_value().
  [[nodiscard]] T& operator*() & noexcept { return value_; }
  [[nodiscard]] const T& operator*() const& noexcept { return value_; }
  [[nodiscard]] T&& operator*() && noexcept { return std::move(value_); }
  [[nodiscard]] T* operator->() noexcept { return std::addressof(value_); }
  [[nodiscard]] const T* operator->() const noexcept { return std::addressof(value_); }

  /// The value. Throws Error if there is none: error(), or for a Status one of the reason removed, evicted, too_large or
  /// interrupted if that is the status, else of the reason misuse.
  [[nodiscard]] T& value() & {
    if (!has_value_) detail::throw_no_value(error_);
    return value_;
  }
  [[nodiscard]] const T& value() const& {
    if (!has_value_) detail::throw_no_value(error_);
    return value_;
  }
  [[nodiscard]] T&& value() && { return std::move(value()); }

  /// The value, or `otherwise` if there is none.
  [[nodiscard]] T value_or(T otherwise) && { return has_value_ ? std::move(value_) : std::move(otherwise); }
  [[nodiscard]] T value_or(T otherwise) const&
    requires std::copy_constructible<T>
  {
    return has_value_ ? value_ : std::move(otherwise);
  }

 private:
  static constexpr bool k_moves_nothrow =
      std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_constructible_v<E>;

  template <class Other>
  void take(Other&& other) {
    if (has_value_) {
      std::construct_at(std::addressof(value_), std::forward<Other>(other).value_);
    } else {
      std::construct_at(std::addressof(error_), std::forward<Other>(other).error_);
    }
  }

  struct Nothing {};
  union {
    Nothing nothing_;
    T value_;
    E error_;
  };
  bool has_value_;
};

/// Done, or why not. Otherwise as Result<T, E>. Thread safety: as a value.
template <class E>
class [[nodiscard]] Result<void, E> {
 public:
  Result() noexcept = default;
  Result(E error) noexcept(std::is_nothrow_move_constructible_v<E>) : error_(std::move(error)) {}  // NOLINT: implicit

  [[nodiscard]] bool has_value() const noexcept { return !error_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }
  /// Throws error() if there is one.
  void value() const {
    if (error_) detail::throw_no_value(*error_);
  }
  /// Requires !has_value().
  [[nodiscard]] const E& error() const noexcept { return *error_; }

 private:
  std::optional<E> error_;
};

}  // namespace beltway
