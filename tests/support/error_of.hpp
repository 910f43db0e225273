// What a call throws, for tests of errors.
#pragma once

#include <functional>

#include "beltway/error.hpp"

namespace beltway::test {

/// The error that `call` throws; reason Errc{} if it throws none.
[[nodiscard]] inline Error error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  return {Errc{}, "nothing was thrown"};
}

/// The reason of the error that `call` throws; Errc{} if it throws none.
[[nodiscard]] inline Errc reason_of(const std::function<void()>& call) { return error_of(call).reason(); }

}  // namespace beltway::test
