// The mapping of the library's errors and outcomes to exit codes.
#include "tool/process/exit_code.hpp"

namespace beltway::tool {

ExitCode exit_code_of(Errc reason) noexcept {
  switch (reason) {
    case Errc::no_daemon: return ExitCode::no_daemon;
    case Errc::not_found: return ExitCode::not_found;
    case Errc::no_permission: return ExitCode::no_permission;
    case Errc::removed:
    case Errc::evicted: return ExitCode::gone;
    case Errc::invalid_option:
    case Errc::already_exists:
    case Errc::limit_reached:
    case Errc::too_large:
    case Errc::protocol:
    case Errc::incompatible:
    case Errc::wrong_type:
    case Errc::forked:
    case Errc::interrupted:
    case Errc::misuse:
    case Errc::system: break;
  }
  return ExitCode::failed;
}

Failure failure_of(Status status, const std::string& context) {
  switch (status) {
    case Status::removed: return {ExitCode::gone, context + ": the queue or its group was removed"};
    case Status::evicted: return {ExitCode::gone, context + ": this process was thrown out by the queue's owner"};
    case Status::timeout: return {ExitCode::timeout, context + ": the time is over"};
    case Status::ok:
    case Status::empty:
    case Status::full:
    case Status::stopped:
    case Status::interrupted:
    case Status::too_large:
    case Status::end_of_stream:
    case Status::duplicate:
    case Status::prefetch_limit: break;
  }
  return {ExitCode::failed, context + ": " + std::string(to_string(status))};
}

}  // namespace beltway::tool
