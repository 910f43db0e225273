// What Beltway throws. Expected outcomes (empty, full, timeout, end of stream, ...) are values: see status.hpp.
#pragma once

#include "beltway/detail/requirements.hpp"

#include <string>
#include <system_error>

namespace beltway {

/// Reasons for an Error; `std::error_code` of category `beltway::category()`.
enum class Errc {
  invalid_option = 1,  ///< an option, name or size is out of its range; the message names the range
  not_found,           ///< no queue or group of that name
  already_exists,      ///< the queue exists with other options; the message names all that differ
  no_permission,       ///< the queue's mode and owner do not allow this to the caller's user
  limit_reached,       ///< no endpoint, group, quota, descriptor or memory left; the message names which
  too_large,           ///< the message can never fit this queue; the message names the limit
  removed,             ///< the queue was removed, or the daemon no longer knows it
  evicted,             ///< this endpoint was evicted by the queue's owner
  no_daemon,           ///< no daemon answers at the socket
  protocol,            ///< the peer speaks another protocol version, or broke the protocol
  incompatible,        ///< the shared layout is of another version or does not add up
  wrong_type,          ///< a typed endpoint on a queue of another type
  forked,              ///< the handle was made before fork(); a child opens its own connection
  misuse,              ///< a call that the object's state does not allow
  system,              ///< a system call failed; the message has its errno in words
  interrupted,         ///< a blocking call without a Status to return was ended by interrupt() or by a signal
};

/// The category of Errc.
[[nodiscard]] const std::error_category& category() noexcept;

[[nodiscard]] inline std::error_code make_error_code(Errc code) noexcept {
  return {static_cast<int>(code), category()};
}

/// Everything that Beltway throws. `what()` names operation, object and remedy; reason() is for programs.
/// Calls with try_ that return a Result<T, Error> return it instead. Expected outcomes of a call (empty, full, timeout) are a
/// Status and no Error. Thread safety: as a value.
class Error : public std::system_error {
 public:
  Error(Errc code, const std::string& message);

  [[nodiscard]] Errc reason() const noexcept { return static_cast<Errc>(code().value()); }

  /// The message alone, without the category's text behind it.
  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string message_;
};

}  // namespace beltway

template <>
struct std::is_error_code_enum<beltway::Errc> : std::true_type {};
