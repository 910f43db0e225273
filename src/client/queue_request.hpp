// A request about a queue that a handle names by id.
#pragma once

#include <string>
#include <string_view>

#include "beltway/queue.hpp"
#include "client/session.hpp"
#include "wire/protocol.hpp"

namespace beltway::client {

/// As Session::request, with `queue` in the body. `operation` is for the message; Error(removed) for an id that the daemon
/// does not know.
Packet request_on(Session& session, const Queue& queue, std::string_view operation, std::string_view op,
                  nlohmann::json body = nlohmann::json::object(), Repeat repeat = Repeat::allowed);

/// What the daemon knows of the queue now.
[[nodiscard]] wire::Description describe(Session& session, const Queue& queue);
/// As above; Error(no_daemon), too, when `until` is over before the daemon has answered.
[[nodiscard]] wire::Description describe_until(Session& session, const Queue& queue, const Until& until);

}  // namespace beltway::client
