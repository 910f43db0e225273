// What a daemon says of itself and of its queues: the requests behind Connection::ping() and list().
// Thread safety: functions, from any thread.
#pragma once

#include <vector>

#include "beltway/connection.hpp"
#include "beltway/until.hpp"
#include "client/session.hpp"
#include "wire/protocol.hpp"

namespace beltway::client {

/// The queues that the caller may read or write, by name. Several requests, if there are many queues. Throws as
/// Session::request_until().
[[nodiscard]] std::vector<wire::Description> list_queues(Session& session, const Until& caller);
/// Likewise. Looks for other daemons of the caller's user, too.
[[nodiscard]] Connection::DaemonInfo ask_daemon(Session& session, const Until& caller);

}  // namespace beltway::client
