// See request_support.hpp.
#include "service/request_support.hpp"

#include <utility>

#include "queues/death_log.hpp"
#include "wire/validate.hpp"

namespace beltway::daemon {

void wait_for(const Caller& caller, Queue& queue) {
  if (queue.is_busy() && caller.ask_again) throw QueueIsBusy{&queue};
}

Queue& queue_of(const Caller& caller, const wire::JsonReader& fields, Right right, const std::string& operation) {
  Queue& queue = fields.has("queue") ? caller.registry.find(fields.number<std::uint64_t>("queue"), operation)
                                     : caller.registry.find(fields.text("name"), operation);
  require(caller.peer, queue.record(), right, operation);
  wait_for(caller, queue);
  return queue;
}

std::string checked_group(const wire::JsonReader& fields) {
  std::string group = fields.text("group");
  wire::check_name("group", "group", group);
  return group;
}

Reply walk_beside(Caller& caller, Queue& queue, const nlohmann::json& request, std::function<Reply()> work) {
  if (!caller.ask_again || !queue.is_large()) return work();
  caller.later = true;
  const auto bring = [work = std::move(work), brought = caller.brought] {
    try {
      *brought = work();
    } catch (const Error& error) {
      *brought = error_reply({}, error);
    }
  };
  caller.registry.run_beside(queue, bring, [again = caller.ask_again, request] { again(request); });
  return {};
}

std::optional<Reply> take_brought(Caller& caller) { return std::exchange(*caller.brought, std::nullopt); }

StoredEvent event_by(const Caller& caller, const Queue& queue, std::string_view kind, std::string text) {
  StoredEvent stored = queue.event(kind, std::move(text));
  stored.event.pid = caller.peer.pid;
  stored.event.uid = caller.peer.uid;
  stored.event.command = command_of(caller.peer.pid);
  return stored;
}

std::string asked_by(const Caller& caller) {
  std::string text = "user " + std::to_string(caller.peer.uid) + " asked for it";
  if (caller.peer.pid == 0) return text;
  const std::string command = command_of(caller.peer.pid);
  return text + ", process " + std::to_string(caller.peer.pid) + (command.empty() ? "" : " (" + command + ")");
}

}  // namespace beltway::daemon
