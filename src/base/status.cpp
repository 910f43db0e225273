// Names of the expected outcomes.
#include "beltway/status.hpp"

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
  }
  return "unknown status";
}

}  // namespace beltway
