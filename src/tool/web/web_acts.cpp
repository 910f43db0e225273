// See web_acts.hpp.
#include "tool/web/web_acts.hpp"

#include <algorithm>
#include <chrono>
#include <limits>

#include "beltway/limits.hpp"
#include "tool/commands/requeueing.hpp"
#include "tool/text/message_json.hpp"
#include "watch/json.hpp"

namespace beltway::tool {

namespace {

using watch::Json;

/// A target that stays full for so long ends a requeue: what was moved until then stays moved.
constexpr std::chrono::seconds k_requeue_patience{5};

std::string messages_text(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " message" : " messages");
}

Json purge(const Queue& queue, const ActRequest& request) {
  const PurgeResult result = queue.purge(request.group);
  std::string text = "purged " + messages_text(result.purged);
  if (result.left != 0) text += "; " + messages_text(result.left) + " stay, since processes hold them:";
  Json holders = Json::array();
  for (const PurgeHolder& holder : result.holders) {
    const std::string role = holder.producer ? "producer" : "consumer";
    text += " " + role + " " + std::to_string(holder.index) + " (pid " + std::to_string(holder.pid) + ")";
    holders.push_back({{"role", role}, {"index", holder.index}, {"pid", holder.pid}, {"messages", holder.messages}});
  }
  return {{"text", text}, {"purged", result.purged}, {"left", result.left}, {"holders", std::move(holders)}};
}

Json reset(const Queue& queue, const ActRequest& request) {
  const ResetResult done =
      request.position ? queue.reset_group(request.group, *request.position)
                       : queue.reset_group(request.group, request.to == "oldest" ? Start::oldest : Start::latest);
  std::string text = "group " + request.group + " begins at position " + std::to_string(done.position) + ": " +
                     messages_text(done.acknowledged) + " acknowledged, " + std::to_string(done.restored) +
                     " to be delivered again";
  if (done.held != 0) text += "; " + messages_text(done.held) + " stay with the consumers that hold them";
  return {{"text", text},
          {"position", done.position},
          {"acknowledged", done.acknowledged},
          {"restored", done.restored},
          {"held", done.held}};
}

Json pause(const Queue& queue, const ActRequest& request) {
  if (request.act == WebAct::pause) {
    queue.pause_group(request.group);
    return {{"text",
             "group " + request.group + " is paused: it keeps its messages, and producers wait when the ring is full"}};
  }
  queue.resume_group(request.group);
  return {{"text", "group " + request.group + " goes on"}};
}

/// The group that is named, or the only one.
std::string group_of(const Queue& queue, const ActRequest& request) {
  if (!request.group.empty()) return request.group;
  const std::vector<NamedGroup> groups = queue.describe().options.groups;
  if (groups.size() != 1) throw WebRefusal(400, "group: name one, the queue has " + std::to_string(groups.size()));
  return groups.front().name;
}

Json requeue(const Connection& connection, const Queue& queue, const ActRequest& request) {
  const std::string group = group_of(queue, request);
  if (request.to == request.queue) throw WebRefusal(400, "to: names the queue that the messages are in");
  Consumer consumer = queue.consumer({.group = group});
  const QueueSnapshot snapshot = queue.snapshot();
  const auto state = std::ranges::find(snapshot.groups, group, &GroupState::name);
  const std::uint64_t there = state == snapshot.groups.end() ? 0 : state->available + state->delayed;
  const std::uint64_t most = request.count == 0 ? std::numeric_limits<std::uint64_t>::max() : request.count;
  Requeueing requeueing(connection, consumer,
                        {.to = request.to, .most = most, .there = there, .timeout = k_requeue_patience}, {});
  requeueing.run();
  std::string text = "requeued " + messages_text(requeueing.messages());
  Json kept = Json::array();
  for (const Requeueing::Kept& each : requeueing.kept()) {
    kept.push_back({{"position", each.position}, {"why", each.why}});
    if (kept.size() == 1) text += "; the message at position " + std::to_string(each.position) + " stays: " + each.why;
  }
  if (kept.size() > 1) text += ", and " + std::to_string(kept.size() - 1) + " more";
  return {{"text", text}, {"requeued", requeueing.messages()}, {"kept", std::move(kept)}};
}

Json evict(const Queue& queue, const ActRequest& request) {
  const std::uint64_t consumer = request.consumer.value_or(0);
  if (consumer >= k_max_consumers) throw WebRefusal(404, "consumer: there is no such consumer");
  queue.evict(static_cast<unsigned>(consumer));
  return {{"text", "consumer " + std::to_string(consumer) + " is evicted: its messages go to other consumers"}};
}

Json move(const Connection& connection, const Queue& queue, const ActRequest& request) {
  const std::uint64_t position = request.position.value_or(0);
  const Status status = queue.move_message(group_of(queue, request), position, connection.open_queue(request.to),
                                           Until(k_requeue_patience));
  if (status != Status::ok) throw WebRefusal(409, "\"" + request.to + "\" is full: the message stays where it was");
  return {{"text", "the message at position " + std::to_string(position) + " is moved to " + request.to}};
}

Json remove(const Connection& connection, const ActRequest& request) {
  connection.remove(request.queue);
  return {{"text", "queue " + request.queue + " is removed"}};
}

}  // namespace

watch::Json perform(const Connection& connection, const ActRequest& request) {
  if (request.act == WebAct::remove) return remove(connection, request);
  const Queue queue = connection.open_queue(request.queue);
  switch (request.act) {
    case WebAct::purge: return purge(queue, request);
    case WebAct::reset: return reset(queue, request);
    case WebAct::pause:
    case WebAct::resume: return pause(queue, request);
    case WebAct::evict: return evict(queue, request);
    case WebAct::requeue: return requeue(connection, queue, request);
    case WebAct::move: return move(connection, queue, request);
    case WebAct::remove: break;
  }
  return remove(connection, request);
}

watch::Json messages_json(const Connection& connection, const MessagesRequest& request) {
  const Queue queue = connection.open_queue(request.queue);
  // One message more than is asked for tells where the next page begins.
  std::vector<PeekedMessage> messages = queue.peek({.count = static_cast<std::size_t>(request.count) + 1,
                                                    .max_bytes = static_cast<std::size_t>(request.max_bytes),
                                                    .group = request.group,
                                                    .from = request.from});
  Json next = nullptr;
  if (messages.size() > request.count) {
    next = messages[static_cast<std::size_t>(request.count)].position;
    messages.resize(static_cast<std::size_t>(request.count));
  }
  Json list = Json::array();
  for (const PeekedMessage& message : messages) list.push_back(to_json(message));
  return {{"messages", std::move(list)}, {"next", std::move(next)}};
}

}  // namespace beltway::tool
