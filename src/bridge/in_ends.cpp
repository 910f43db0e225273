// A route from a server's queue to a local queue.
//
// A delivery is acknowledged at the server once it is in the local queue. If the bridge dies in between, the server delivers it
// again: messages of another bridge carry their place in its stream, and the local queue knows which of them it has (StoredRuns).
// Other messages may be stored twice then.
#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <optional>

#include "beltway/connection.hpp"
#include "beltway/producer.hpp"
#include "beltway/queue.hpp"
#include "bridge/mapping.hpp"
#include "bridge/plants.hpp"
#include "bridge/route.hpp"
#include "bridge/stored_runs.hpp"

namespace beltway::bridge {

namespace {

using Clock = std::chrono::steady_clock;

/// A full local queue is told as `blocked` after this time: for less, producers wait for consumers as always.
constexpr std::chrono::seconds k_full_for{1};

class InEnds final : public RouteEnds {
 public:
  explicit InEnds(const RouteContext& context) : context_(context) {}

  void open() override;
  void pass() override;
  void drop() noexcept override;
  void drain(Clock::time_point end) override;

 private:
  enum class Stored : std::uint8_t { done, full };
  /// A stream whose messages come in. A producer's sequence number is a register of `runs`.
  struct Stream {
    std::array<std::string, StoredRuns::k_registers> names;
    std::array<std::optional<Producer>, StoredRuns::k_registers> producers;  // those that were needed
    StoredRuns runs;
  };

  void attach();
  bool read();
  bool store();
  [[nodiscard]] Stored store_one(const RemoteReceiver::Delivery& delivery);
  [[nodiscard]] Stored publish(const Arrival& arrival, std::span<const std::byte> body, std::uint64_t number);
  [[nodiscard]] Stored publish_once(const Arrival& arrival, std::span<const std::byte> body, std::uint64_t number,
                                    Stream& stream);
  /// What follows an attempt to publish.
  [[nodiscard]] Stored after(Status status, Producer& producer, std::uint64_t number);
  void refuse(std::uint64_t number, const std::string& why);
  /// Null: there are too many streams.
  [[nodiscard]] Stream* find_stream(std::uint64_t number);
  /// Null: there is no place for it.
  [[nodiscard]] Producer* producer_of(Stream& stream, std::size_t index);
  void finished(std::uint64_t number);
  void acknowledge();
  /// So many are acknowledged at once. A window has some, so that the server has others to send meanwhile.
  [[nodiscard]] std::uint64_t ack_batch() const {
    return std::clamp<std::uint64_t>(context_.route.window / 4, 1, k_batch);
  }
  void told_full(bool is_full);
  void look_around();
  [[noreturn]] void lose_queue(Status status);

  const RouteContext& context_;
  std::optional<Queue> queue_;
  std::optional<Producer> producer_;
  std::map<std::uint64_t, Stream> streams_;
  Producer* full_ = nullptr;  // that found the queue full
  Clock::time_point full_since_{};

  std::unique_ptr<RemoteReceiver> receiver_;
  std::deque<RemoteReceiver::Delivery> pending_;  // read and not stored; the server sends a window at most
  std::uint64_t finished_ = 0;                    // the number of the last delivery that is stored here
  std::uint64_t acknowledged_ = 0;                // likewise, and the server knows it
  Clock::time_point unacknowledged_since_{};      // if the two differ
  Clock::time_point looked_at_{};
  std::optional<Clock::time_point> opening_since_;  // of the attempts that are going on
};

void InEnds::open() {
  if (!producer_) attach();
  // The server gives what this route's last connection held back to the queue once it has noticed its end. A consumer that comes
  // earlier would get newer messages first.
  const Clock::time_point now = Clock::now();
  if (!opening_since_) opening_since_ = now;
  const bool alone =
      !is_planted("share_at_once") && context_.route.deduplicate && now - *opening_since_ < k_wait_for_other_consumer;
  const std::uint64_t max_bytes = std::min<std::uint64_t>(k_max_incoming_bytes, producer_->max_message_bytes());
  receiver_ = context_.engine.open_receiver(context_.route, max_bytes, alone);
  opening_since_.reset();
}

void InEnds::attach() {
  streams_.clear();
  full_ = nullptr;
  const Connection connection = Connection::open(context_.local);
  queue_ = connection.open_queue(context_.route.queue);
  producer_ = queue_->producer();
}

void InEnds::drop() noexcept {
  receiver_.reset();
  pending_.clear();
  finished_ = 0;
  acknowledged_ = 0;
  full_ = nullptr;
  context_.status.set_in_flight(0);
}

void InEnds::pass() {
  while (!context_.stop.requested()) {
    bool is_busy = read();
    is_busy = store() || is_busy;
    look_around();
    if (is_busy) continue;
    context_.wait({receiver_->descriptor(), full_ == nullptr ? -1 : full_->poll_fd()},
                  finished_ == acknowledged_ ? k_tick : k_ack_delay);
  }
}

bool InEnds::read() {
  bool got_any = false;
  for (std::size_t i = 0; i < k_batch; ++i) {
    RemoteReceiver::Delivery delivery;
    if (!receiver_->next(delivery)) break;
    if (pending_.size() >= context_.route.window)
      throw RouteError(Fault::lost, "the server sends more than the window");
    pending_.push_back(std::move(delivery));
    got_any = true;
  }
  return got_any;
}

bool InEnds::store() {
  bool stored_any = false;
  bool is_full = false;
  while (!pending_.empty() && !is_full) {
    is_full = store_one(pending_.front()) == Stored::full;
    if (is_full) break;
    stored_any = true;
    pending_.pop_front();
    if (finished_ - acknowledged_ >= ack_batch()) acknowledge();
  }
  if (finished_ != acknowledged_ && Clock::now() - unacknowledged_since_ >= k_ack_delay) acknowledge();
  told_full(is_full);
  context_.status.set_in_flight(pending_.size());
  return stored_any;
}

InEnds::Stored InEnds::store_one(const RemoteReceiver::Delivery& delivery) {
  std::string why;
  if (delivery.body_bytes > delivery.body.size()) {
    refuse(delivery.number, "it has " + std::to_string(delivery.body_bytes) + " bytes");
    return Stored::done;
  }
  const std::optional<Arrival> arrival = Arrival::read(delivery.message, why);
  if (!arrival) {
    refuse(delivery.number, why);
    return Stored::done;
  }
  if (arrival->is_loop(queue_->id())) {
    context_.status.count_loop();
    finished(delivery.number);
    return Stored::done;
  }
  return publish(*arrival, delivery.body, delivery.number);
}

InEnds::Stored InEnds::publish(const Arrival& arrival, std::span<const std::byte> body, std::uint64_t number) {
  Stream* const stream = context_.route.deduplicate && arrival.place() ? find_stream(arrival.place()->stream) : nullptr;
  if (stream != nullptr) return publish_once(arrival, body, number, *stream);
  return after(producer_->try_publish(body, arrival.properties()), *producer_, number);
}

InEnds::Stored InEnds::publish_once(const Arrival& arrival, std::span<const std::byte> body, std::uint64_t number,
                                    Stream& stream) {
  const std::uint64_t sequence = arrival.place()->sequence;
  if (stream.runs.has(sequence)) {
    context_.status.count_duplicate();
    finished(number);
    return Stored::done;
  }
  std::optional<StoredRuns::Entry> entry = stream.runs.entry_for(sequence);
  Producer* producer = entry ? producer_of(stream, entry->index) : nullptr;
  if (producer == nullptr) {
    entry.reset();
    producer = &*producer_;
  }
  const Status status = producer->try_publish(
      body, PublishOptions{.sequence = entry ? entry->value : 0, .properties = arrival.properties()});
  if (status == Status::duplicate) {
    // Another program has published under this name. The message is not stored.
    stream.runs.give_up(entry->index);
    return publish_once(arrival, body, number, stream);
  }
  if (status == Status::ok) stream.runs.add(sequence, entry);
  return after(status, *producer, number);
}

InEnds::Stored InEnds::after(Status status, Producer& producer, std::uint64_t number) {
  switch (status) {
    case Status::ok: context_.status.count_forwarded(); break;
    case Status::too_large:
      refuse(number, "with its properties it is larger than the local queue takes");
      return Stored::done;
    case Status::removed:
    case Status::evicted: lose_queue(status);
    default: full_ = &producer; return Stored::full;
  }
  finished(number);
  return Stored::done;
}

InEnds::Stream* InEnds::find_stream(std::uint64_t number) {
  const auto known = streams_.find(number);
  if (known != streams_.end()) return &known->second;
  if (streams_.size() >= k_max_streams) return nullptr;
  Stream stream;
  // Routes from several queues of the server may bring messages of one stream: each has names of its own.
  const std::string name = "bridge." + std::to_string(stream_of(context_.route.remote, number, "in"));
  stream.names = {name, name + ".2"};
  // Attached one after the other, so that the second one takes no place. That also ends the work of a dead bridge.
  for (std::size_t i = StoredRuns::k_registers; i-- > 0;) {
    for (auto& producer : stream.producers) producer.reset();
    if (const Producer* const producer = producer_of(stream, i)) stream.runs.restore(i, producer->last_sequence());
  }
  return &streams_.emplace(number, std::move(stream)).first->second;
}

Producer* InEnds::producer_of(Stream& stream, std::size_t index) {
  std::optional<Producer>& producer = stream.producers.at(index);
  if (producer) return &*producer;
  try {
    producer = queue_->producer({.name = stream.names.at(index)});
  } catch (const Error& error) {
    if (error.reason() != Errc::limit_reached) throw;
    stream.runs.give_up(index);
    context_.status.set_error(std::string("duplicates of a stream may be stored after a death of this bridge: ") +
                              error.what());
    return nullptr;
  }
  return &*producer;
}

void InEnds::refuse(std::uint64_t number, const std::string& why) {
  context_.status.count_refused();
  context_.status.set_error("a message was refused: " + why);
  acknowledge();
  receiver_->refuse(number);
  finished_ = number;
  acknowledged_ = number;
}

void InEnds::finished(std::uint64_t number) {
  if (finished_ == acknowledged_) unacknowledged_since_ = Clock::now();
  finished_ = number;
}

void InEnds::acknowledge() {
  if (finished_ == acknowledged_) return;
  receiver_->ack_up_to(finished_);
  context_.progressed(finished_ - acknowledged_);
  acknowledged_ = finished_;
}

void InEnds::told_full(bool is_full) {
  const Clock::time_point now = Clock::now();
  if (!is_full) {
    full_ = nullptr;
    full_since_ = {};
    context_.take(RouteEvent::unblocked);
    return;
  }
  if (full_since_ == Clock::time_point{}) full_since_ = now;
  if (now - full_since_ < k_full_for || context_.machine.state() == RouteState::blocked) return;
  context_.status.set_error("the local queue " + context_.route.queue + " is full");
  context_.take(RouteEvent::blocked);
}

void InEnds::look_around() {
  const Clock::time_point now = Clock::now();
  if (now - looked_at_ < k_depth_interval) return;
  looked_at_ = now;
  if (const auto remaining = receiver_->remaining()) context_.status.set_remaining(*remaining);
}

void InEnds::lose_queue(Status status) {
  streams_.clear();
  producer_.reset();
  const bool removed = status == Status::removed;
  throw Error(removed ? Errc::removed : Errc::evicted, "publish to queue " + context_.route.queue + ": " +
                                                           (removed ? "it was removed" : "the route was evicted"));
}

void InEnds::drain(Clock::time_point /*end*/) {
  if (receiver_ == nullptr) return;
  // What is read and not stored goes back to the server's queue.
  acknowledge();
  context_.status.set_in_flight(0);
  receiver_->close();
}

}  // namespace

std::unique_ptr<RouteEnds> make_in_ends(const RouteContext& context) { return std::make_unique<InEnds>(context); }

}  // namespace beltway::bridge
