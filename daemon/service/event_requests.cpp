// The answer to `events`: what the daemon has seen, as far as the caller may see it. A follower asks again now and then, so the
// daemon keeps nothing about it and waits for nothing.
#include <algorithm>

#include "service/request_support.hpp"
#include "wire/events_json.hpp"

namespace beltway::daemon {

Reply answer_events(Caller& caller, const nlohmann::json& request) {
  const wire::JsonReader fields(request, "events");
  const auto since = fields.number_or<std::uint64_t>("since", 0);
  const auto count = fields.number_or<std::uint32_t>("count", k_max_events_per_request);
  const auto may_see = [&caller](const StoredEvent& stored) {
    const Ownership queue{stored.owner_uid, stored.owner_gid, stored.mode};
    return stored.is_public || allowed(caller.peer, queue, Right::see) || allowed(caller.peer, queue, Right::own);
  };
  return reply_with(wire::encode(caller.registry.events().page(since, std::max(count, 1U), may_see)));
}

}  // namespace beltway::daemon
