#include "tool/commands/top_acts.hpp"

#include <algorithm>
#include <limits>

#include "tool/commands/requeueing.hpp"
#include "tool/process/exit_code.hpp"
#include "tool/text/ages_text.hpp"
#include "tool/text/units.hpp"
#include "wire/options_schema.hpp"

namespace beltway::tool {

namespace {

/// For each message, while its target is full. Who needs longer uses the command.
constexpr std::chrono::seconds k_requeue_patience{5};

std::string messages(std::uint64_t count) { return format_count(count) + (count == 1 ? " message" : " messages"); }

std::string purge(const Queue& queue, const Act& act) {
  const PurgeResult result = queue.purge(act.group);
  std::string text = "purged " + messages(result.purged) + " of group " + act.group;
  if (result.left == 0) return text;
  text += "; " + messages(result.left) + " stay: ";
  std::string separator;
  for (const PurgeHolder& holder : result.holders) {
    text += separator + (holder.producer ? "producer " : "consumer ") + std::to_string(holder.index) + " (pid " +
            std::to_string(holder.pid) + ") " + (holder.producer ? "writes " : "holds ") +
            format_count(holder.messages);
    separator = ", ";
  }
  return text;
}

std::string requeue(const Connection& connection, const Queue& queue, const Act& act, const std::stop_token& stop) {
  Consumer consumer = queue.consumer({.group = act.group});
  const QueueSnapshot snapshot = queue.snapshot();
  const auto state = std::ranges::find(snapshot.groups, act.group, &GroupState::name);
  const std::uint64_t there = state == snapshot.groups.end() ? 0 : state->available + state->delayed;
  Requeueing requeueing(
      connection, consumer,
      {.most = std::numeric_limits<std::uint64_t>::max(), .there = there, .timeout = k_requeue_patience}, stop);
  requeueing.run();
  std::string text = "requeued " + messages(requeueing.messages());
  if (requeueing.kept().empty()) return text;
  const Requeueing::Kept& kept = requeueing.kept().front();
  return text + "; " + messages(requeueing.kept().size()) + " stay, the first, at position " +
         std::to_string(kept.position) + ": " + kept.why;
}

ResetResult reset_to(const Queue& queue, const Act& act) {
  for (const Start start : {Start::oldest, Start::latest}) {
    if (act.to == wire::word_of(start)) return queue.reset_group(act.group, start);
  }
  if (const auto position = parse_count(act.to)) return queue.reset_group(act.group, *position);
  if (const auto published = parse_time(act.to)) return queue.reset_group(act.group, *published);
  throw Failure(ExitCode::usage, "\"" + act.to + "\" is neither oldest, latest, a position, a time nor an age (10m)");
}

std::string reset(const Queue& queue, const Act& act) {
  const ResetResult result = reset_to(queue, act);
  std::string text = "group " + act.group + " begins at position " + std::to_string(result.position) + "; " +
                     messages(result.acknowledged) + " acknowledged, " + format_count(result.restored) +
                     " to be delivered again";
  if (result.held != 0) text += "; " + messages(result.held) + " stay with their consumers";
  return text;
}

std::string evict(const Queue& queue, const Act& act) {
  const QueueInfo info = queue.describe();
  const auto found = std::ranges::find_if(info.endpoints, [&](const EndpointInfo& endpoint) {
    return !endpoint.producer && endpoint.index == act.consumer && endpoint.pid == act.pid;
  });
  const std::string who = "consumer " + std::to_string(act.consumer) + " (pid " + std::to_string(act.pid) + ")";
  if (found == info.endpoints.end()) throw Failure(ExitCode::gone, who + " has left already");
  queue.evict(act.consumer);
  return who + " is evicted";
}

}  // namespace

std::string perform_act(const Connection& connection, const Act& act, const std::stop_token& stop) {
  const Queue queue = connection.open_queue(act.queue);
  if (queue.id() != act.queue_id)
    throw Failure(ExitCode::gone, "queue " + act.queue + " was removed and made anew meanwhile; look at it again");
  switch (act.kind) {
    case Act::Kind::purge: return purge(queue, act);
    case Act::Kind::requeue: return requeue(connection, queue, act, stop);
    case Act::Kind::evict: return evict(queue, act);
    case Act::Kind::reset: return reset(queue, act);
    case Act::Kind::pause: queue.pause_group(act.group); return "group " + act.group + " is paused";
    case Act::Kind::resume: queue.resume_group(act.group); return "group " + act.group + " goes on";
    case Act::Kind::remove: connection.remove(act.queue); return "queue " + act.queue + " is removed";
  }
  return {};
}

}  // namespace beltway::tool
