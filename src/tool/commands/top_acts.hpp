// The acts of `beltway top`: each is the call of the command that the screen shows.
// Thread safety: as Connection. Blocks for the daemon.
#pragma once

#include <stop_token>
#include <string>

#include "beltway/connection.hpp"
#include "tool/top/acts.hpp"

namespace beltway::tool {

/// Does it, and says what came of it. Throws Error and Failure for what is refused, and for a queue that was made anew since the
/// screen showed it.
[[nodiscard]] std::string perform_act(const Connection& connection, const Act& act, const std::stop_token& stop);

}  // namespace beltway::tool
