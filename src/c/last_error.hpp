// How a failure becomes a status, and the failure that each thread remembers. No exception passes a call of the C API.
// Thread safety: all functions, from any thread; each thread has its own last error.
#pragma once

#include <string_view>

#include "beltway/beltway.h"
#include "beltway/error.hpp"
#include "beltway/status.hpp"

namespace beltway::c {

/// Remembers the failure. Returns the status of the same name (too_large, removed, evicted, interrupted), else BELTWAY_ERROR.
/// Never allocates; a longer text is cut.
[[gnu::cold]] beltway_status fail(Errc reason, std::string_view text) noexcept;

/// Remembers the exception that is being handled. Call it in a catch clause alone. The cancellation of a thread goes on.
[[gnu::cold]] beltway_status fail_by_exception();

[[nodiscard]] constexpr beltway_status status_of(Status status) noexcept { return static_cast<beltway_status>(status); }
static_assert(status_of(Status::ok) == BELTWAY_OK && status_of(Status::empty) == BELTWAY_EMPTY &&
              status_of(Status::full) == BELTWAY_FULL && status_of(Status::timeout) == BELTWAY_TIMEOUT &&
              status_of(Status::stopped) == BELTWAY_STOPPED && status_of(Status::too_large) == BELTWAY_TOO_LARGE &&
              status_of(Status::end_of_stream) == BELTWAY_END_OF_STREAM &&
              status_of(Status::prefetch_limit) == BELTWAY_PREFETCH_LIMIT &&
              status_of(Status::removed) == BELTWAY_REMOVED && status_of(Status::evicted) == BELTWAY_EVICTED &&
              status_of(Status::duplicate) == BELTWAY_DUPLICATE &&
              status_of(Status::interrupted) == BELTWAY_INTERRUPTED);

/// Calls `call()`, which returns a beltway_status. What it throws becomes a status.
template <class Call>
[[gnu::always_inline]] inline beltway_status guarded(const Call& call) {
  try {
    return call();
  } catch (...) {
    return fail_by_exception();
  }
}

/// What a writer's give-up throws through the C++ call, so that its position becomes VOID: BELTWAY_STOPPED.
struct GaveUp {};

/// For a NULL where a call needs something: "beltway_publish: `producer` is NULL; ...".
[[gnu::cold]] beltway_status fail_by_null(const char* call, const char* argument) noexcept;

}  // namespace beltway::c
