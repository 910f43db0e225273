// What `ping` and `list` say of a daemon that cannot do everything: a newer program that does not run, queues of another version.
#pragma once

#include <string>

#include "beltway/connection.hpp"

namespace beltway::tool {

/// Lines for people; empty if all is as it should be.
[[nodiscard]] std::string state_text(const Connection::DaemonInfo& daemon);

}  // namespace beltway::tool
