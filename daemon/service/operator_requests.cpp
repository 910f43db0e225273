// What an operator asks for about the groups, consumers and messages of a queue: for its owner and root. See requests.hpp.
#include <algorithm>
#include <array>

#include "service/request_support.hpp"
#include "wire/protocol.hpp"
#include "wire/validate.hpp"

namespace beltway::daemon {
namespace {

using nlohmann::json;

/// What a request does to a group, to be told when it is done.
StoredEvent group_event(const Caller& caller, const Queue& queue, std::string_view kind, const std::string& group) {
  StoredEvent stored = event_by(caller, queue, kind);
  stored.event.group = group;
  return stored;
}

std::string messages_text(std::uint64_t messages, const char* rest) {
  return std::to_string(messages) + (messages == 1 ? " message " : " messages ") + rest;
}

Reply remove_group(Caller& caller, const json& request) {
  const wire::JsonReader fields(request, "remove_group");
  Queue& queue = queue_of(caller, fields, Right::own, "remove a group of");
  const std::string group = checked_group(fields);
  caller.registry.remove_group(caller.peer, queue, group, fields.flag("force"));
  queue.tell(group_event(caller, queue, "group_removed", group));
  return reply_with(json::object());
}

Reply purge(Caller& caller, const json& request) {
  const wire::JsonReader fields(request, "purge");
  if (auto brought = take_brought(caller)) return std::move(*brought);
  Queue& queue = queue_of(caller, fields, Right::own, "purge a group of");
  const std::string group = checked_group(fields);
  const auto purge_it = [&queue, group, event = group_event(caller, queue, "purged", group)] {
    const PurgeResult result = queue.purge_group(group);
    StoredEvent done = event;
    done.event.messages = result.purged;
    done.event.text = messages_text(result.purged, "acknowledged for the group");
    queue.tell(std::move(done));
    return reply_with(wire::encode(result));
  };
  return walk_beside(caller, queue, request, purge_it);
}

Reply pause_group(Caller& caller, const json& request) {
  const wire::JsonReader fields(request, "pause_group");
  Queue& queue = queue_of(caller, fields, Right::own, "pause a group of");
  const std::string group = checked_group(fields);
  if (queue.pause_group(group)) queue.tell(group_event(caller, queue, "group_paused", group));
  return reply_with(json::object());
}

Reply resume_group(Caller& caller, const json& request) {
  const wire::JsonReader fields(request, "resume_group");
  Queue& queue = queue_of(caller, fields, Right::own, "resume a group of");
  const std::string group = checked_group(fields);
  if (queue.resume_group(group)) queue.tell(group_event(caller, queue, "group_resumed", group));
  return reply_with(json::object());
}

Reply reset_group(Caller& caller, const json& request) {
  if (auto brought = take_brought(caller)) return std::move(*brought);
  const wire::JsonReader fields(request, "reset_group");
  Queue& queue = queue_of(caller, fields, Right::own, "reset a group of");
  const std::string group = checked_group(fields);
  const auto reset_it = [&queue, group, event = group_event(caller, queue, "group_reset", group),
                         target = wire::decode_reset_target(request, "reset_group")] {
    const ResetResult result = queue.reset_group(group, target);
    StoredEvent done = event;
    done.event.text = "the group begins at position " + std::to_string(result.position) + ": " +
                      messages_text(result.acknowledged, "before it acknowledged, ") +
                      messages_text(result.restored, "delivered again");
    queue.tell(std::move(done));
    return reply_with(wire::encode(result));
  };
  return walk_beside(caller, queue, request, reset_it);
}

Reply evict(Caller& caller, const json& request) {
  if (auto brought = take_brought(caller)) return std::move(*brought);
  const wire::JsonReader fields(request, "evict");
  Queue& queue = queue_of(caller, fields, Right::own, "evict a consumer of");
  const auto evict_it = [&queue, consumer = fields.number<std::uint32_t>("consumer"), by = asked_by(caller)] {
    queue.evict_consumer(consumer, by);
    return reply_with(json::object());
  };
  return walk_beside(caller, queue, request, evict_it);
}

Reply ack_message(Caller& caller, const json& request) {
  const wire::JsonReader fields(request, "ack_message");
  Queue& queue = queue_of(caller, fields, Right::own, "acknowledge a message of");
  const std::string group = checked_group(fields);
  const auto position = fields.number<std::uint64_t>("position");
  const std::string target = fields.text_or("moved_to", "");
  if (!target.empty()) wire::check_name("move a message", "queue", target);
  queue.ack_message(group, position);
  StoredEvent done = group_event(caller, queue, target.empty() ? "acknowledged" : "moved", group);
  done.event.messages = 1;
  done.event.text = "the message at position " + std::to_string(position) +
                    (target.empty() ? " was acknowledged by an operator" : " was moved to queue \"" + target + "\"");
  queue.tell(std::move(done));
  return reply_with(json::object());
}

Reply hold_message(Caller& caller, const json& request) {
  const wire::JsonReader fields(request, "hold_message");
  Queue& queue = queue_of(caller, fields, Right::own, "hold a message of");
  const auto time = fields.number<std::uint32_t>("for_ms");
  if (time > k_max_retry_delay_ms) fields.refuse("for_ms", "a day at most");
  const auto waited = queue.hold_message(checked_group(fields), fields.number<std::uint64_t>("position"),
                                         std::chrono::milliseconds(time));
  return reply_with({{"waited_ms", waited.count()}});
}

constexpr std::array k_operator_operations{
    Operation{"remove_group", remove_group}, Operation{"purge", purge},
    Operation{"pause_group", pause_group},   Operation{"resume_group", resume_group},
    Operation{"reset_group", reset_group},   Operation{"evict", evict},
    Operation{"ack_message", ack_message},   Operation{"hold_message", hold_message}};

}  // namespace

const Operation* find_operator_request(std::string_view name) noexcept {
  const auto* const found = std::ranges::find(k_operator_operations, name, &Operation::name);
  return found == k_operator_operations.end() ? nullptr : found;
}

}  // namespace beltway::daemon
