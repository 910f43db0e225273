// See single_queue.hpp.
#include "watch/single_queue.hpp"

#include <chrono>
#include <thread>
#include <utility>

#include "client/attach.hpp"
#include "client/queue_request.hpp"

namespace beltway::watch {

namespace {

/// Long enough for a process that runs to finish what it has in hand.
constexpr std::chrono::milliseconds k_between_both_looks{30};

}  // namespace

SingleQueue::SingleQueue(const ConnectionOptions& connection, Queue queue)
    : queue_(std::move(queue)),
      session_(connection),
      watched_(client::describe(session_, queue_), {.connection = connection, .tells_at_once = true}) {
  watched_.open(client::attach_inspector(session_, watched_.queue_name()));
}

QueueSnapshot SingleQueue::look_once(const SampleTime& time) {
  watched_.describe(client::describe(session_, queue_), view_);
  watched_.read(time, view_);
  return watched_.look(time, view_);
}

SingleQueue::Sight SingleQueue::look() {
  SampleTime time = SampleTime::now();
  QueueSnapshot snapshot = look_once(time);
  if (watched_.has_findings()) {
    std::this_thread::sleep_for(k_between_both_looks);
    time = SampleTime::now();
    snapshot = look_once(time);
  }
  return {std::move(snapshot), view_.verdicts, static_cast<std::uint64_t>(time.monotonic.count())};
}

}  // namespace beltway::watch
