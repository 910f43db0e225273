// What a daemon says of itself and of its queues: the requests behind Connection::ping() and list().
// Thread safety: functions, from any thread.
#pragma once

#include <cstdint>
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
/// What has changed since a list before.
struct QueueChanges {
  std::vector<wire::Description> queues;
  std::vector<std::uint64_t> removed = {};  ///< ids
  bool complete = true;                     ///< `queues` has all queues; those that are missing were removed
  std::uint64_t revision = 0;               ///< for the next call; 0: an older daemon, which always lists all
};
/// As list_queues(). `since`: the revision of the answer before; 0: none.
[[nodiscard]] QueueChanges list_changes(Session& session, std::uint64_t since, const Until& caller);

/// Likewise. Looks for other daemons of the caller's user, too. Fills `quota`, if it is given, unless the daemon is older.
[[nodiscard]] Connection::DaemonInfo ask_daemon(Session& session, const Until& caller,
                                                std::optional<Quota>* quota = nullptr);

}  // namespace beltway::client
