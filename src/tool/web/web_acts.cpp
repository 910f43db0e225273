// See web_acts.hpp.
#include "tool/web/web_acts.hpp"

#include <limits>
#include <utility>

#include "beltway/limits.hpp"
#include "tool/acts/queue_acts.hpp"
#include "tool/process/exit_code.hpp"
#include "tool/text/message_json.hpp"
#include "watch/json.hpp"

namespace beltway::tool {

namespace {

using watch::Json;

/// The group that is named, or the only one.
std::string group_of(const Queue& queue, const ActRequest& request) try {
  return group_or_only(queue, request.group, std::string(name_of(request.act)), "\"group\"");
} catch (const Failure& failure) {
  throw WebRefusal(400, failure.what());
}

ActReport requeue(const QueueActs& acts, const Queue& queue, const ActRequest& request) {
  const std::string group = group_of(queue, request);
  if (request.to == request.queue) throw WebRefusal(400, "to: names the queue that the messages are in");
  const std::uint64_t most = request.count == 0 ? std::numeric_limits<std::uint64_t>::max() : request.count;
  return acts.requeue(group, {}, request.to, most);
}

ActReport evict(const QueueActs& acts, const ActRequest& request) {
  const std::uint64_t consumer = request.consumer.value_or(0);
  if (consumer >= k_max_consumers) throw WebRefusal(404, "consumer: there is no such consumer");
  return acts.evict(static_cast<unsigned>(consumer));
}

ActReport move(const QueueActs& acts, const Queue& queue, const ActRequest& request) {
  const std::string group = group_of(queue, request);
  try {
    return acts.move(group, request.position.value_or(0), request.to, Until(k_act_patience)).value();
  } catch (const Failure& failure) {
    throw WebRefusal(409, failure.what());
  }
}

ActReport act_on(const Connection& connection, const ActRequest& request) {
  if (request.act == WebAct::remove) return QueueActs::remove(connection, request.queue);
  const Queue queue = connection.open_queue(request.queue);
  const QueueActs acts(connection, queue);
  switch (request.act) {
    case WebAct::purge: return acts.purge(request.group);
    case WebAct::reset: return acts.reset(request.group, request.to);
    case WebAct::pause: return acts.pause(request.group);
    case WebAct::resume: return acts.resume(request.group);
    case WebAct::evict: return evict(acts, request);
    case WebAct::requeue: return requeue(acts, queue, request);
    case WebAct::move: return move(acts, queue, request);
    case WebAct::remove: break;
  }
  return {};
}

}  // namespace

watch::Json perform(const Connection& connection, const ActRequest& request) {
  ActReport report = act_on(connection, request);
  Json answer{{"text", std::move(report.text)}};
  answer.update(report.numbers);
  return answer;
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
