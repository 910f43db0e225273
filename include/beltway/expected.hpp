// A value or an Error, for programs that do not use exceptions.
#pragma once

#include "beltway/detail/requirements.hpp"

#include <optional>
#include <utility>

#include "beltway/detail/caught.hpp"
#include "beltway/error.hpp"

namespace beltway {

/// What the calls return that say an Error instead of throwing it: Connection::try_open(), try_declare(), Queue::try_producer()
/// and others. The interface is that of std::expected:
///
///   auto link = beltway::Connection::try_open();
///   if (!link) return complain(link.error().reason(), link.error().what());
///   auto queue = link->try_declare("orders");
///
/// Such a call never throws, and waits as long as the one that throws. Memory that runs out is Errc::limit_reached.
/// Thread safety: as a value.
template <class T>
class [[nodiscard]] Expected {
 public:
  Expected(T value) : value_(std::move(value)) {}      // NOLINT: implicit by design
  Expected(Error error) : error_(std::move(error)) {}  // NOLINT: implicit by design

  [[nodiscard]] bool has_value() const noexcept { return value_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }

  /// The value. Requires has_value().
  [[nodiscard]] T& operator*() & noexcept { return *value_; }
  [[nodiscard]] const T& operator*() const& noexcept { return *value_; }
  [[nodiscard]] T&& operator*() && noexcept { return *std::move(value_); }
  [[nodiscard]] T* operator->() noexcept { return &*value_; }
  [[nodiscard]] const T* operator->() const noexcept { return &*value_; }

  /// The value; throws error() if there is none.
  [[nodiscard]] T& value() & {
    if (!value_) detail::raise(*error_);
    return *value_;
  }
  [[nodiscard]] T&& value() && {
    if (!value_) detail::raise(*error_);
    return *std::move(value_);
  }

  /// Why there is no value: a reason for programs, `reason()`, and a text for people, `what()`. Requires !has_value().
  [[nodiscard]] const Error& error() const noexcept { return *error_; }

 private:
  std::optional<T> value_;
  std::optional<Error> error_;
};

/// Done, or an Error.
template <>
class [[nodiscard]] Expected<void> {
 public:
  Expected() = default;
  Expected(Error error) : error_(std::move(error)) {}  // NOLINT: implicit by design

  [[nodiscard]] bool has_value() const noexcept { return !error_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }
  /// Throws error() if there is one.
  void value() const {
    if (error_) detail::raise(*error_);
  }
  /// Requires !has_value().
  [[nodiscard]] const Error& error() const noexcept { return *error_; }

 private:
  std::optional<Error> error_;
};

}  // namespace beltway
