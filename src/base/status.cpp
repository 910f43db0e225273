// Names of the expected outcomes.
#include "beltway/status.hpp"

#include <string>

#include "beltway/error.hpp"
#include "beltway/result.hpp"

namespace beltway {

std::string_view to_string(Status status) noexcept {
  switch (status) {
    case Status::ok: return "ok";
    case Status::empty: return "empty";
    case Status::full: return "full";
    case Status::timeout: return "timeout";
    case Status::stopped: return "stopped";
    case Status::too_large: return "too large";
    case Status::end_of_stream: return "end of stream";
    case Status::prefetch_limit: return "prefetch limit";
    case Status::removed: return "removed";
    case Status::evicted: return "evicted";
    case Status::interrupted: return "interrupted";
    case Status::duplicate: return "duplicate";
  }
  return "unknown status";
}

namespace detail {

namespace {
Errc reason_of(Status status) noexcept {
  switch (status) {
    case Status::too_large: return Errc::too_large;
    case Status::removed: return Errc::removed;
    case Status::evicted: return Errc::evicted;
    case Status::interrupted: return Errc::interrupted;
    default: return Errc::misuse;
  }
}
}  // namespace

void throw_no_value(Status status) {
  throw Error(reason_of(status), "value() of a Result that has none: " + std::string(to_string(status)) +
                                     "; test the Result, or its status(), first");
}

}  // namespace detail

}  // namespace beltway
