// See single_queue.hpp.
#include "watch/single_queue.hpp"

#include <chrono>
#include <thread>
#include <utility>

#include "client/attach.hpp"
#include "client/queries.hpp"
#include "client/queue_request.hpp"
#include "watch/waiting_dead_letters.hpp"

namespace beltway::watch {

namespace {

/// Long enough for a process that runs to finish what it has in hand.
constexpr std::chrono::milliseconds k_between_both_looks{30};

}  // namespace

SingleQueue::SingleQueue(const ConnectionOptions& connection, Queue queue)
    : queue_(std::move(queue)),
      socket_(connection.socket),
      session_(connection),
      watched_(client::describe(session_, queue_), {.connection = connection, .tells_at_once = true}) {
  watched_.open(client::attach_inspector(session_, watched_.queue_name()));
}

QueueSnapshot SingleQueue::look_once(const SampleTime& time) {
  watched_.describe(client::describe(session_, queue_), view_);
  watched_.read(time, view_);
  return watched_.look(time, view_);
}

/// Whether they are dead letters is said by the options of the other queues.
void SingleQueue::tell_dead_letters() {
  if (view_.lag == 0 || view_.consumers != 0) return;
  Fleet fleet;
  fleet.named_socket = socket_;
  for (wire::Description& each : client::list_queues(session_, Until())) {
    if (each.info.id != view_.info.id) fleet.queues.emplace_back().info = std::move(each.info);
  }
  fleet.queues.push_back(std::move(view_));
  tell_waiting_dead_letters(fleet);
  view_ = std::move(fleet.queues.back());
}

SingleQueue::Sight SingleQueue::look() {
  SampleTime time = SampleTime::now();
  QueueSnapshot snapshot = look_once(time);
  if (watched_.has_findings()) {
    std::this_thread::sleep_for(k_between_both_looks);
    time = SampleTime::now();
    snapshot = look_once(time);
  }
  tell_dead_letters();
  return {std::move(snapshot), view_.verdicts, static_cast<std::uint64_t>(time.monotonic.count())};
}

}  // namespace beltway::watch
