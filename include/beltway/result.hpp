// A value, or the reason why there is none.
#pragma once

#include "beltway/detail/requirements.hpp"

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

#include "beltway/status.hpp"

namespace beltway {

namespace detail {
/// Throws Error: of the same reason for removed, evicted, too_large and interrupted; else misuse.
[[noreturn]] void throw_no_value(Status status);
}  // namespace detail

/// A value, or the Status that says why there is none, with the interface of std::expected: what every call returns that may
/// have nothing to return. Message, Loan and std::size_t (the length of a batch) are such values.
///
///   if (beltway::Result<beltway::Message> message = in.receive(1s)) use(message->bytes());
///   else if (message.status() == beltway::Status::end_of_stream) return;
///
/// Movable, and copyable if T is. A Result that was moved from still says whether it had a value. Thread safety: none, as of an
/// int.
template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  using error_type = Status;

  Result(T value) noexcept(std::is_nothrow_move_constructible_v<T>)  // NOLINT: implicit by design
      : value_(std::move(value)), status_(Status::ok) {}
  /// Requires a status other than Status::ok.
  Result(Status status) noexcept : nothing_(), status_(status) {}  // NOLINT: implicit by design

  Result(Result&& other) noexcept(std::is_nothrow_move_constructible_v<T>) : nothing_(), status_(other.status_) {
    if (has_value()) std::construct_at(std::addressof(value_), std::move(other.value_));
  }
  Result& operator=(Result&& other) noexcept(std::is_nothrow_move_constructible_v<T>) {
    if (this != &other) {
      std::destroy_at(this);
      std::construct_at(this, std::move(other));
    }
    return *this;
  }
  Result(const Result& other)
    requires std::copy_constructible<T>
      : nothing_(), status_(other.status_) {
    if (has_value()) std::construct_at(std::addressof(value_), other.value_);
  }
  ~Result() {
    if (has_value()) std::destroy_at(std::addressof(value_));
  }

  [[nodiscard]] bool has_value() const noexcept { return status_ == Status::ok; }
  explicit operator bool() const noexcept { return has_value(); }

  /// Why there is no value; Status::ok if there is one.
  [[nodiscard]] Status status() const noexcept { return status_; }
  [[nodiscard]] Status error() const noexcept { return status_; }

  /// The value. Requires has_value().
  T& operator*() & noexcept { return value_; }
  const T& operator*() const& noexcept { return value_; }
  T&& operator*() && noexcept { return std::move(value_); }
  T* operator->() noexcept { return std::addressof(value_); }
  const T* operator->() const noexcept { return std::addressof(value_); }

  /// The value. Throws Error if there is none: of the reason removed, evicted, too_large or interrupted if that is the status,
  /// else of the reason misuse.
  T& value() & {
    if (!has_value()) detail::throw_no_value(status_);
    return value_;
  }
  T&& value() && { return std::move(value()); }

  /// The value, or `otherwise` if there is none.
  [[nodiscard]] T value_or(T otherwise) && { return has_value() ? std::move(value_) : std::move(otherwise); }
  [[nodiscard]] T value_or(T otherwise) const&
    requires std::copy_constructible<T>
  {
    return has_value() ? value_ : std::move(otherwise);
  }

 private:
  struct Nothing {};
  union {
    Nothing nothing_;
    T value_;
  };
  Status status_;
};

}  // namespace beltway
