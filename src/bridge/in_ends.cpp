// A route from a server's queue to a local queue.
//
// A delivery is acknowledged at the server once it is in the local queue. If the bridge dies in between, the server delivers it
// again: messages of another bridge carry their place in its stream, and a producer with the stream's name refuses to store one
// twice. Other messages may be stored twice then.
#include <algorithm>
#include <deque>
#include <map>
#include <optional>

#include "beltway/connection.hpp"
#include "beltway/producer.hpp"
#include "beltway/queue.hpp"
#include "bridge/mapping.hpp"
#include "bridge/plants.hpp"
#include "bridge/route.hpp"

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

  void attach();
  bool read();
  bool store();
  [[nodiscard]] Stored store_one(const RemoteReceiver::Delivery& delivery);
  [[nodiscard]] Stored publish(const Arrival& arrival, std::span<const std::byte> body, std::uint64_t number);
  void refuse(std::uint64_t number, const std::string& why);
  /// The producer with the stream's name; null: there is no place for it.
  [[nodiscard]] Producer* producer_of(std::uint64_t stream);
  void finished(std::uint64_t number);
  void acknowledge();
  void told_full(bool is_full);
  void look_around();
  [[noreturn]] void lose_queue(Status status);

  const RouteContext& context_;
  std::optional<Queue> queue_;
  std::optional<Producer> producer_;
  std::map<std::uint64_t, std::optional<Producer>> streams_;  // empty ones: the queue had no place
  Producer* full_ = nullptr;                                  // that found the queue full
  Clock::time_point full_since_{};

  std::unique_ptr<RemoteReceiver> receiver_;
  std::deque<RemoteReceiver::Delivery> pending_;  // read and not stored; the server sends a window at most
  std::uint64_t finished_ = 0;                    // the number of the last delivery that is stored here
  std::uint64_t acknowledged_ = 0;                // likewise, and the server knows it
  Clock::time_point looked_at_{};
  std::optional<Clock::time_point> opening_since_;  // of the attempts that are going on
};

void InEnds::open() {
  if (!producer_) attach();
  // The server gives what this route's last connection held back to the queue once it has noticed its end. A consumer that comes
  // earlier would get newer messages first.
  const Clock::time_point now = Clock::now();
  if (!opening_since_) opening_since_ = now;
  const bool alone = context_.route.deduplicate && now - *opening_since_ < k_wait_for_other_consumer;
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
    context_.wait({receiver_->descriptor(), full_ == nullptr ? -1 : full_->poll_fd()}, k_tick);
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
    if (finished_ - acknowledged_ >= k_batch) acknowledge();
  }
  acknowledge();
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
  Producer* producer = &*producer_;
  std::uint64_t sequence = 0;
  if (context_.route.deduplicate && arrival.place()) {
    const StreamPlace& place = *arrival.place();
    Producer* const named = producer_of(place.stream);
    // A message behind a gap gets no number: the one that is missing may still come, and would count as a duplicate.
    const bool has_gap = named != nullptr && place.previous > named->last_sequence();
    if (named != nullptr && !has_gap) {
      producer = named;
      sequence = place.sequence;
    }
  }
  const Status status =
      producer->try_publish(body, PublishOptions{.sequence = sequence, .properties = arrival.properties()});
  switch (status) {
    case Status::ok: context_.status.count_forwarded(); break;
    case Status::duplicate: context_.status.count_duplicate(); break;
    case Status::too_large:
      refuse(number, "with its properties it is larger than the local queue takes");
      return Stored::done;
    case Status::removed:
    case Status::evicted: lose_queue(status);
    default: full_ = producer; return Stored::full;
  }
  finished(number);
  return Stored::done;
}

Producer* InEnds::producer_of(std::uint64_t stream) {
  auto place = streams_.find(stream);
  if (place == streams_.end()) {
    if (streams_.size() >= k_max_streams) return nullptr;
    place = streams_.emplace(stream, std::nullopt).first;
    try {
      place->second = queue_->producer({.name = "bridge." + std::to_string(stream)});
    } catch (const Error& error) {
      if (error.reason() != Errc::limit_reached) {
        streams_.erase(place);
        throw;
      }
      context_.status.set_error(std::string("duplicates of a stream cannot be recognised: ") + error.what());
    }
  }
  return place->second ? &*place->second : nullptr;
}

void InEnds::refuse(std::uint64_t number, const std::string& why) {
  context_.status.count_refused();
  context_.status.set_error("a message was refused: " + why);
  acknowledge();
  receiver_->refuse(number);
  finished_ = number;
  acknowledged_ = number;
}

void InEnds::finished(std::uint64_t number) { finished_ = number; }

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
  receiver_->close();
}

}  // namespace

std::unique_ptr<RouteEnds> make_in_ends(const RouteContext& context) { return std::make_unique<InEnds>(context); }

}  // namespace beltway::bridge
