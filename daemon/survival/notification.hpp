// One datagram of sd_notify as the supervisor receives it: the lines of its text, its descriptors, and its sender.
// Thread safety: plain data.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "os/fd.hpp"

namespace beltway::daemon {

struct Notification {
  pid_t sender = 0;
  std::string text;
  std::vector<os::Fd> descriptors;

  [[nodiscard]] std::optional<std::string> value(std::string_view key) const;
  [[nodiscard]] bool says(std::string_view key) const { return value(key) == "1"; }
};

/// The next datagram of the socket, which has SO_PASSCRED; nothing if none is there.
[[nodiscard]] std::optional<Notification> receive_notification(int socket);

}  // namespace beltway::daemon
