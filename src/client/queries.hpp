// What a daemon says of itself and of its queues: the requests behind Connection::ping() and list().
// Thread safety: functions, from any thread.
#pragma once

#include <optional>
#include <vector>

#include "beltway/connection.hpp"
#include "beltway/until.hpp"
#include "client/quota.hpp"
#include "client/session.hpp"
#include "wire/protocol.hpp"

namespace beltway::client {

/// The queues that the caller may read or write, by name. Several requests, if there are many queues. Throws as
/// Session::request_until().
[[nodiscard]] std::vector<wire::Description> list_queues(Session& session, const Until& caller);
/// Likewise. Looks for other daemons of the caller's user, too. Fills `quota`, if it is given, unless the daemon is older.
[[nodiscard]] Connection::DaemonInfo ask_daemon(Session& session, const Until& caller,
                                                std::optional<Quota>* quota = nullptr);

}  // namespace beltway::client
