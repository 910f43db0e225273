// What a request does to a queue, and the messages that it shows: each a call of the library, with this process's rights.
//
// Thread safety: as Connection. Blocks for the daemon.
#pragma once

#include "beltway/connection.hpp"
#include "tool/web/web_request.hpp"
#include "watch/json.hpp"

namespace beltway::tool {

/// Does it, and says what came of it: an object with "text", a sentence, and the numbers that the command prints as JSON.
/// Throws Error, Failure, WebRefusal.
[[nodiscard]] watch::Json perform(const Connection& connection, const ActRequest& request);

/// {"messages": [...], "next": position or null}. Takes no message.
[[nodiscard]] watch::Json messages_json(const Connection& connection, const MessagesRequest& request);

}  // namespace beltway::tool
