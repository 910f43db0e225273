// What `ping` and `list` say of a daemon that cannot do everything: a newer program that does not run, queues of another version.
#pragma once

#include <string>

#include "beltway/connection.hpp"
#include "json.hpp"

namespace beltway::tool {

/// Adds "passed_over" (a text or null) and "held" (a list).
void add_state(Json& json, const Connection::DaemonInfo& daemon);

/// Lines for people; empty if all is as it should be.
[[nodiscard]] std::string state_text(const Connection::DaemonInfo& daemon);

}  // namespace beltway::tool
