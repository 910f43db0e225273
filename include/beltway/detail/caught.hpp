// Exceptions without a throw or a catch clause in a header: both stand in the library. So every header compiles with
// -fno-exceptions, too.
#pragma once

#include "beltway/detail/requirements.hpp"

#include <exception>
#include <system_error>
#include <utility>

namespace beltway {
class Error;
}  // namespace beltway

namespace beltway::detail {

/// Throws `error`. Ends the program if no caller can catch (-fno-exceptions).
[[noreturn]] void raise(const Error& error);

/// Calls `call(object)` and returns the exception that it threw, or nullptr.
[[nodiscard]] std::exception_ptr caught(void (*call)(void* object), void* object) noexcept;

/// Calls `call()` and returns the exception that it threw, or nullptr.
template <class Call>
[[nodiscard]] std::exception_ptr caught(Call&& call) noexcept {
  return caught([](void* object) { (*static_cast<std::remove_reference_t<Call>*>(object))(); }, &call);
}

/// The code of an Error, or std::errc::not_enough_memory for std::bad_alloc. Any other exception ends the program.
[[nodiscard]] std::error_code code_of(const std::exception_ptr& exception) noexcept;

/// Calls `cleanup()` when an exception passes: on destruction, unless dismissed before.
template <class Cleanup>
class UnwindGuard {
 public:
  explicit UnwindGuard(Cleanup cleanup) noexcept : cleanup_(std::move(cleanup)) {}
  UnwindGuard(const UnwindGuard&) = delete;
  UnwindGuard& operator=(const UnwindGuard&) = delete;
  ~UnwindGuard() {
    if (armed_) cleanup_();
  }
  void dismiss() noexcept { armed_ = false; }

 private:
  Cleanup cleanup_;
  bool armed_ = true;
};

}  // namespace beltway::detail
