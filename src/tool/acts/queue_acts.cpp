#include "tool/acts/queue_acts.hpp"

#include <algorithm>
#include <utility>

#include "base/tool_command.hpp"
#include "tool/acts/requeueing.hpp"
#include "tool/process/exit_code.hpp"
#include "tool/text/ages_text.hpp"
#include "tool/text/units.hpp"
#include "wire/options_schema.hpp"

namespace beltway::tool {

namespace {

using watch::Json;

std::string messages_text(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " message" : " messages");
}

std::string message_at(std::uint64_t position) { return "the message at position " + std::to_string(position); }

std::string role_of(const PurgeHolder& holder) { return holder.producer ? "producer" : "consumer"; }

std::string consumer_text(unsigned index, int pid) {
  return "consumer " + std::to_string(index) + " (pid " + std::to_string(pid) + ")";
}

ResetResult reset_to(const Queue& queue, const std::string& group, const std::string& to) {
  for (const Start start : {Start::oldest, Start::latest}) {
    if (to == wire::word_of(start)) return queue.reset_group(group, start);
  }
  if (const auto position = parse_count(to)) return queue.reset_group(group, *position);
  if (const auto published = parse_time(to)) return queue.reset_group(group, *published);
  throw Failure(ExitCode::usage, "\"" + to + "\" is neither oldest, latest, a position, a time nor an age (10m)");
}

}  // namespace

std::string group_or_only(const Queue& queue, const std::string& named, const std::string& what,
                          const std::string& option) {
  if (!named.empty()) return named;
  const std::vector<NamedGroup> groups = queue.describe().options.groups;
  if (groups.size() == 1) return groups.front().name;
  const std::string context = what + " \"" + queue.name() + "\": it has ";
  if (groups.empty()) throw Failure(ExitCode::not_found, context + "no named group");
  std::string names;
  for (const NamedGroup& group : groups) names += (names.empty() ? "" : ", ") + group.name;
  throw Failure(ExitCode::usage, context + "several groups: name one with " + option + " (" + names + ")");
}

ActReport QueueActs::purge(const std::string& group) const {
  const PurgeResult result = queue_.purge(group);
  std::string text = "purged " + messages_text(result.purged) + " of group " + group;
  if (result.left != 0) text += "; " + messages_text(result.left) + " stay: ";
  std::string separator;
  Json holders = Json::array();
  for (const PurgeHolder& holder : result.holders) {
    text += std::exchange(separator, ", ") + role_of(holder) + " " + std::to_string(holder.index) + " (pid " +
            std::to_string(holder.pid) + ") " + (holder.producer ? "writes " : "holds ") +
            std::to_string(holder.messages);
    holders.push_back(
        {{"role", role_of(holder)}, {"index", holder.index}, {"pid", holder.pid}, {"messages", holder.messages}});
  }
  return {text, {{"purged", result.purged}, {"left", result.left}, {"holders", std::move(holders)}}};
}

ActReport QueueActs::pause(const std::string& group) const {
  queue_.pause_group(group);
  return {"group " + group + " is paused: it keeps its messages, and producers wait when the ring is full"};
}

ActReport QueueActs::resume(const std::string& group) const {
  queue_.resume_group(group);
  return {"group " + group + " goes on"};
}

ActReport QueueActs::reset(const std::string& group, const std::string& to) const {
  const ResetResult done = reset_to(queue_, group, to);
  std::string text = "group " + group + " begins at position " + std::to_string(done.position) + ": " +
                     messages_text(done.acknowledged) + " acknowledged, " + std::to_string(done.restored) +
                     " to be delivered again";
  if (done.held != 0) text += "; " + messages_text(done.held) + " stay with the consumers that hold them";
  return {text,
          {{"position", done.position},
           {"acknowledged", done.acknowledged},
           {"restored", done.restored},
           {"held", done.held}}};
}

ActReport QueueActs::requeue(const std::string& group, const std::stop_token& stop, const std::string& to,
                             std::uint64_t most) const {
  Consumer consumer = queue_.consumer({.group = group});
  const QueueSnapshot snapshot = queue_.snapshot();
  const auto state = std::ranges::find(snapshot.groups, group, &GroupState::name);
  const std::uint64_t there = state == snapshot.groups.end() ? 0 : state->available + state->delayed;
  Requeueing requeueing(connection_, consumer, {.to = to, .most = most, .there = there, .timeout = k_act_patience},
                        stop);
  requeueing.run();
  std::string text = "requeued " + messages_text(requeueing.messages());
  Json kept = Json::array();
  for (const Requeueing::Kept& each : requeueing.kept())
    kept.push_back({{"position", each.position}, {"why", each.why}});
  if (!requeueing.kept().empty()) {
    const Requeueing::Kept& first = requeueing.kept().front();
    text += "; " + messages_text(requeueing.kept().size()) + " stay, the first, at position " +
            std::to_string(first.position) + ": " + first.why;
  }
  return {text, {{"requeued", requeueing.messages()}, {"kept", std::move(kept)}}};
}

ActReport QueueActs::evict(unsigned consumer, std::optional<int> pid) const {
  const QueueInfo info = queue_.describe();
  const auto found = std::ranges::find_if(info.endpoints, [&](const EndpointInfo& endpoint) {
    return !endpoint.producer && endpoint.index == consumer && (!pid || endpoint.pid == *pid);
  });
  const bool is_there = found != info.endpoints.end();
  if (pid && !is_there) throw Failure(ExitCode::gone, consumer_text(consumer, *pid) + " has left already");
  queue_.evict(consumer);  // tells the consumers that there are, if it is none of them
  std::string text =
      (is_there ? consumer_text(consumer, found->pid) : "consumer " + std::to_string(consumer)) + " is evicted";
  if (is_there && !found->group.empty()) text += ": its messages go to the other consumers of group " + found->group;
  return {text};
}

ActReport QueueActs::ack(const std::string& group, std::uint64_t position) const {
  queue_.ack_message(group, position);
  return {"acknowledged " + message_at(position) + " for group " + group,
          {{"group", group}, {"position", position}, {"acknowledged", true}}};
}

std::optional<ActReport> QueueActs::move(const std::string& group, std::uint64_t position, const std::string& to,
                                         const Until& until) const {
  const Status status = queue_.move_message(group, position, connection_.open_queue(to), until);
  if (status == Status::stopped) return std::nullopt;
  if (status != Status::ok) {
    throw Failure(ExitCode::timeout, "move a message of \"" + queue_.name() + "\": \"" + to + "\" stayed full; \"" +
                                         tool_command("show", {to}) + "\" says why. The message is where it was");
  }
  return ActReport{"moved " + message_at(position) + " to " + to,
                   {{"group", group}, {"position", position}, {"to", to}}};
}

ActReport QueueActs::remove(const Connection& connection, const std::string& queue) {
  connection.remove(queue);
  return {"queue " + queue + " is removed"};
}

}  // namespace beltway::tool
