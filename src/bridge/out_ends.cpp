// A route from a local group to a server.
//
// A message stays leased until the server has confirmed it. After a loss the same leases are sent again in the same order: they
// do not go back to the group, so their order stays and their deliveries are not counted.
#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <deque>
#include <optional>

#include "beltway/connection.hpp"
#include "beltway/consumer.hpp"
#include "beltway/queue.hpp"
#include "bridge/mapping.hpp"
#include "bridge/plants.hpp"
#include "bridge/route.hpp"

namespace beltway::bridge {

namespace {

using Clock = std::chrono::steady_clock;

class OutEnds final : public RouteEnds {
 public:
  explicit OutEnds(const RouteContext& context) : context_(context), host_(host_name()) {}

  void open() override;
  void pass() override;
  void drop() noexcept override { sender_.reset(); }
  void drain(Clock::time_point end) override;

 private:
  /// A message that is leased here.
  struct Lease {
    Message message;
    bool confirmed = false;
  };

  void attach();
  void check_alone(const Queue& queue) const;
  /// Takes messages from the group and sends them. Returns true if there were any.
  bool forward();
  void lease(Message message);
  void send(Lease& lease);
  bool take_confirmations();
  void confirm(const StoredRange& range);
  void end_confirmed();
  void look_around();
  void extend_leases();
  [[nodiscard]] bool has_room() const noexcept { return leases_.size() < context_.route.window; }
  [[nodiscard]] bool is_blocked() const { return !sender_->why_blocked().empty(); }
  void told_blocked();
  [[noreturn]] void lose_group(Status status);

  const RouteContext& context_;
  std::string host_;
  std::optional<Queue> queue_;
  std::optional<Consumer> consumer_;
  std::uint64_t stream_ = 0;
  std::chrono::milliseconds lease_timeout_{0};

  std::unique_ptr<RemoteSender> sender_;
  std::deque<Lease> leases_;         // the oldest first
  std::size_t sent_ = 0;             // of these, on this connection
  std::uint64_t front_number_ = 1;   // the number of the first lease on this connection
  std::vector<StoredRange> stored_;  // scratch
  RemoteMessage remote_;             // scratch
  Clock::time_point looked_at_{};
  Clock::time_point extended_at_{};
};

void OutEnds::open() {
  if (!consumer_) attach();
  sender_ = context_.engine.open_sender(context_.route);
  sent_ = 0;
  front_number_ = 1;
  if (is_planted("drop_at_reconnect")) {
    for (Lease& lease : leases_) lease.message.ack();
    leases_.clear();
  }
  std::erase_if(leases_, [](const Lease& lease) { return lease.confirmed; });
  for (Lease& lease : leases_) {
    context_.status.count_duplicate();
    send(lease);
  }
}

void OutEnds::attach() {
  const Connection connection = Connection::open(context_.local);
  queue_ = connection.open_queue(context_.route.queue);
  check_alone(*queue_);
  consumer_ = queue_->consumer({.group = context_.route.group,
                                .create_group = true,
                                .start = Start::oldest,
                                .prefetch = std::min(context_.route.window, queue_->options().slots)});
  stream_ = stream_of(host_, queue_->id(), context_.route.group);
  const QueueOptions& options = queue_->options();
  lease_timeout_ = options.lease_timeout;
  for (const NamedGroup& group : queue_->describe().options.groups) {
    if (group.name == context_.route.group) lease_timeout_ = group.options.lease_timeout.value_or(lease_timeout_);
  }
}

/// Another consumer would take messages out of the stream and give some of them back later: their sequence would be wrong then.
void OutEnds::check_alone(const Queue& queue) const {
  for (const EndpointInfo& endpoint : queue.describe().endpoints) {
    if (endpoint.producer || endpoint.group != context_.route.group || endpoint.evicted || endpoint.leaving) continue;
    const bool lives = kill(endpoint.pid, 0) == 0 || errno == EPERM;
    throw RouteError(lives && !endpoint.orphan ? Fault::refused : Fault::lost,
                     "group " + context_.route.group + " of queue " + context_.route.queue +
                         " has another consumer, of process " + std::to_string(endpoint.pid) +
                         ": a route needs a group of its own");
  }
}

void OutEnds::pass() {
  while (!context_.stop.requested()) {
    bool is_busy = take_confirmations();
    told_blocked();
    if (!is_blocked() && has_room()) is_busy = forward() || is_busy;
    look_around();
    if (is_busy) continue;
    const auto time = lease_timeout_.count() == 0 ? k_tick : std::min(k_tick, lease_timeout_ / 4);
    context_.wait({sender_->descriptor(), !is_blocked() && has_room() ? consumer_->poll_fd() : -1}, time);
  }
}

bool OutEnds::forward() {
  std::array<Message, k_batch> batch;
  const std::size_t room = std::min<std::size_t>(batch.size(), context_.route.window - leases_.size());
  const Result<std::size_t> taken = consumer_->try_receive_batch(std::span(batch.data(), room));
  if (!taken) {
    if (taken.status() == Status::removed || taken.status() == Status::evicted) lose_group(taken.status());
    return false;
  }
  const std::size_t before = leases_.size();
  for (std::size_t i = 0; i < *taken; ++i) lease(std::move(batch[i]));
  for (std::size_t i = before; i < leases_.size(); ++i) {
    send(leases_[i]);
    if (is_planted("ack_before_confirm")) leases_[i].message.ack();
  }
  return true;
}

void OutEnds::lease(Message message) {
  leases_.push_back({.message = std::move(message)});
  context_.status.set_in_flight(leases_.size());
}

void OutEnds::send(Lease& lease) {
  const std::uint64_t position = lease.message.position();
  Departure departure{.origin = {host_, queue_->id(), position}, .place = {stream_, position + 1}, .now = Clock::now()};
  const PropertiesView properties = lease.message.properties();
  if (properties.publish_time() == PublishTime{})
    departure.stamped = lease.message.published_at().value_or(PublishTime{});
  to_remote(properties, departure, remote_);
  sender_->send(remote_, lease.message.bytes());
  ++sent_;
  context_.status.count_forwarded();
}

bool OutEnds::take_confirmations() {
  stored_.clear();
  const auto confirm_all = [this] {
    for (const StoredRange& range : stored_) confirm(range);
    end_confirmed();
  };
  try {
    sender_->take(stored_);
  } catch (const RouteError&) {
    confirm_all();
    throw;
  }
  confirm_all();
  return !stored_.empty();
}

void OutEnds::confirm(const StoredRange& range) {
  std::uint64_t confirmed = 0;
  // A server may name any number: only those of messages that are on their way count.
  const std::uint64_t last = std::min(range.last, front_number_ + sent_ - 1);
  for (std::uint64_t number = std::max(range.first, front_number_); number <= last; ++number) {
    Lease& lease = leases_[number - front_number_];
    if (lease.confirmed) continue;
    lease.confirmed = true;
    lease.message.ack();
    ++confirmed;
  }
  if (confirmed > 0) context_.progressed(confirmed);
}

void OutEnds::end_confirmed() {
  while (!leases_.empty() && leases_.front().confirmed) {
    leases_.pop_front();
    ++front_number_;
    --sent_;
  }
  context_.status.set_in_flight(leases_.size());
}

void OutEnds::told_blocked() {
  const bool was_blocked = context_.machine.state() == RouteState::blocked;
  if (is_blocked() && !was_blocked) {
    context_.status.set_error(sender_->why_blocked());
    context_.take(RouteEvent::blocked);
  } else if (!is_blocked() && was_blocked) {
    context_.take(RouteEvent::unblocked);
  }
}

void OutEnds::look_around() {
  const Clock::time_point now = Clock::now();
  if (lease_timeout_.count() != 0 && now - extended_at_ >= lease_timeout_ / 4) {
    extended_at_ = now;
    extend_leases();
  }
  if (now - looked_at_ < k_depth_interval) return;
  looked_at_ = now;
  for (const GroupState& group : queue_->snapshot().groups) {
    if (group.name == context_.route.group) context_.status.set_remaining(group.available);
  }
}

void OutEnds::extend_leases() {
  for (Lease& lease : leases_) {
    if (!lease.confirmed) lease.message.extend();
  }
}

void OutEnds::lose_group(Status status) {
  // What is leased has gone back to the group, or is gone with it.
  leases_.clear();
  consumer_.reset();
  queue_.reset();
  const bool removed = status == Status::removed;
  throw Error(removed ? Errc::removed : Errc::evicted,
              "receive from group " + context_.route.group + " of queue " + context_.route.queue + ": " +
                  (removed ? "it was removed" : "the route was evicted, since it held producers back"));
}

void OutEnds::drain(Clock::time_point end) {
  while (sender_ != nullptr && !leases_.empty() && Clock::now() < end) {
    if (!take_confirmations()) {
      pollfd polled{.fd = sender_->descriptor(), .events = POLLIN, .revents = 0};
      poll(&polled, 1, static_cast<int>(k_tick.count()));
    }
  }
  const bool is_confirmed = leases_.empty();
  // Without a pause: they come before newer messages then.
  for (Lease& lease : leases_) {
    if (!lease.confirmed) lease.message.nack(std::chrono::microseconds(0));
  }
  leases_.clear();
  context_.status.set_in_flight(0);
  // A server that is silent would not hear a goodbye.
  if (sender_ != nullptr && is_confirmed) sender_->close();
}

}  // namespace

std::unique_ptr<RouteEnds> make_out_ends(const RouteContext& context) { return std::make_unique<OutEnds>(context); }

}  // namespace beltway::bridge
