#include "tool/commands/top_acts.hpp"

#include "tool/acts/queue_acts.hpp"
#include "tool/process/exit_code.hpp"

namespace beltway::tool {

namespace {

std::string move(const QueueActs& acts, const Act& act, const std::stop_token& stop) {
  if (act.to == act.queue) throw Failure(ExitCode::usage, "queue " + act.to + " is the one that the message is in");
  const auto report = acts.move(act.group, act.position, act.to, Until(k_act_patience, stop));
  return report ? report->text : "nothing was moved";
}

}  // namespace

std::string perform_act(const Connection& connection, const Act& act, const std::stop_token& stop) {
  const Queue queue = connection.open_queue(act.queue);
  if (queue.id() != act.queue_id)
    throw Failure(ExitCode::gone, "queue " + act.queue + " was removed and made anew meanwhile; look at it again");
  const QueueActs acts(connection, queue);
  switch (act.kind) {
    case Act::Kind::purge: return acts.purge(act.group).text;
    case Act::Kind::requeue: return acts.requeue(act.group, stop).text;
    case Act::Kind::evict: return acts.evict(act.consumer, act.pid).text;
    case Act::Kind::reset: return acts.reset(act.group, act.to).text;
    case Act::Kind::pause: return acts.pause(act.group).text;
    case Act::Kind::resume: return acts.resume(act.group).text;
    case Act::Kind::ack: return acts.ack(act.group, act.position).text;
    case Act::Kind::move: return move(acts, act, stop);
    case Act::Kind::remove: return QueueActs::remove(connection, act.queue).text;
  }
  return {};
}

}  // namespace beltway::tool
