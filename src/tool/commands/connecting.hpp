// How a command finds its daemon, and what it tells of daemons and names that are not there.
#pragma once

#include <string>

#include "beltway/connection.hpp"
#include "beltway/options.hpp"

namespace beltway::tool {

/// "beltway: message" on standard error. Nothing for an empty message.
void complain(const std::string& message);

/// Connects. Says on standard error if this user has another daemon. A daemon whose process is stopped gets one second to go on;
/// then throws Failure(no_daemon) with the command that continues it. The library would wait for ten.
[[nodiscard]] Connection open_connection(const ConnectionOptions& options);

/// Names that a command line has, and that the daemon may not know.
struct NamesInQuestion {
  std::string queue;
  std::string other_queue;  ///< of --to
  std::string group;
};

/// "; did you mean \"orders\"?" if a queue or group of that name does not exist and one that is like it does. Starts no daemon
/// and throws nothing.
[[nodiscard]] std::string suggestion_for(const NamesInQuestion& names, const std::string& socket) noexcept;

}  // namespace beltway::tool
