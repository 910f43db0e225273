// What the answers to requests share: finding the queue, checking the right, walking beside, and events about what was done.
// Thread safety: the daemon's one thread.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "service/requests.hpp"
#include "wire/json_reader.hpp"

namespace beltway::daemon {

/// Thrown while a worker has the queue: the request is answered when it is free.
struct QueueIsBusy {
  Queue* queue;
};
void wait_for(const Caller& caller, Queue& queue);

/// The queue that the request names. Throws Error(not_found, removed, no_permission), QueueIsBusy.
[[nodiscard]] Queue& queue_of(const Caller& caller, const wire::JsonReader& fields, Right right,
                              const std::string& operation);

[[nodiscard]] std::string checked_group(const wire::JsonReader& fields);

[[nodiscard]] inline Reply reply_with(nlohmann::json body) { return {std::move(body), {}, {}}; }

/// The reply of `work`, which walks over all slots. For a large queue a worker runs it; then the request is asked again, and
/// finds the reply in caller.brought.
[[nodiscard]] Reply walk_beside(Caller& caller, Queue& queue, const nlohmann::json& request,
                                std::function<Reply()> work);
/// The reply that a worker has brought for the present request, once.
[[nodiscard]] std::optional<Reply> take_brought(Caller& caller);

/// An event about the queue that this caller's process asked for.
[[nodiscard]] StoredEvent event_by(const Caller& caller, const Queue& queue, std::string_view kind,
                                   std::string text = {});

/// "process 12 of user 1000 asked", for events about other processes.
[[nodiscard]] std::string asked_by(const Caller& caller);

/// One kind of request, by the name of its `op`.
struct Operation {
  std::string_view name;
  Reply (*run)(Caller&, const nlohmann::json&);
};
/// In operator_requests.cpp: null if it is none of those.
[[nodiscard]] const Operation* find_operator_request(std::string_view name) noexcept;

/// In event_requests.cpp.
[[nodiscard]] Reply answer_events(Caller& caller, const nlohmann::json& request);

}  // namespace beltway::daemon
