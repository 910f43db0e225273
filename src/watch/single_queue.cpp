// See single_queue.hpp.
#include "watch/single_queue.hpp"

#include <chrono>
#include <optional>
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

QueueSnapshot SingleQueue::look_once(const SampleTime& time, const Fleet* others) {
  watched_.describe(client::describe(session_, queue_), view_);
  watched_.read(time, view_);
  return watched_.look(time, view_, others == nullptr ? nullptr : &others->queues);
}

/// The other queues, as the daemon describes them.
Fleet SingleQueue::list_others() {
  Fleet fleet;
  fleet.named_socket = socket_;
  for (wire::Description& each : client::list_queues(session_, Until())) {
    if (each.info.id != watched_.id()) fleet.queues.emplace_back().info = std::move(each.info);
  }
  return fleet;
}

/// Whether they are dead letters is said by the options of the other queues.
void SingleQueue::tell_dead_letters(Fleet others) {
  others.queues.push_back(std::move(view_));
  tell_waiting_dead_letters(others);
  view_ = std::move(others.queues.back());
}

SingleQueue::Sight SingleQueue::look() {
  SampleTime time = SampleTime::now();
  QueueSnapshot snapshot = look_once(time, nullptr);
  std::optional<Fleet> others;
  if (watched_.has_findings()) {
    others = list_others();
    std::this_thread::sleep_for(k_between_both_looks);
    time = SampleTime::now();
    snapshot = look_once(time, &*others);
  }
  if (view_.lag != 0 && view_.consumers == 0) {
    if (!others) others = list_others();
    tell_dead_letters(std::move(*others));
  }
  return {std::move(snapshot), view_.verdicts, static_cast<std::uint64_t>(time.monotonic.count())};
}

}  // namespace beltway::watch
