#include "node/consumer_endpoint.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "beltway/error.hpp"
#include "node/encoded_properties.hpp"
#include "node/napi.hpp"
#include "node/record.hpp"

namespace beltway::node {

namespace {

constexpr double k_unknown = std::numeric_limits<double>::quiet_NaN();

}  // namespace

ConsumerEndpoint::ConsumerEndpoint(Environment& environment, Consumer consumer, const ConsumerOptions& options)
    : environment_(environment.shared_from_this()),
      readiness_(environment),
      consumer_(std::move(consumer)),
      is_named_(!options.group.empty()),
      is_automatic_(is_named_ && options.ack == Ack::automatic),
      received_batch_(is_named_) {}

Consumer& ConsumerEndpoint::consumer() {
  if (!consumer_) throw Error(Errc::misuse, "receive: this consumer was closed: call queue.consumer() for another one");
  return *consumer_;
}

void ConsumerEndpoint::throw_ended(Status status) const {
  const std::string context = "receive from \"" + consumer_->queue_name() + "\": ";
  if (status == Status::removed) {
    throw Error(Errc::removed, context + "the queue" +
                                   (is_named_ ? " or the group \"" + consumer_->group() + '"' : "") +
                                   " was removed, or its daemon ended; declare it again");
  }
  throw Error(Errc::evicted,
              context + "this consumer was evicted, since it stood still while producers waited; attach again");
}

void ConsumerEndpoint::set_chunk(napi_env env, napi_value array_buffer, std::size_t used) {
  chunk_ = writable(env, array_buffer, "a chunk");
  used_ = std::min(used, chunk_.size());
}

Message* ConsumerEndpoint::next(std::size_t most, double& why) {
  if (next_ == end_) {
    next_ = end_ = 0;
    end_ = take_new(std::span(batch_).first(std::min(most, k_batch)), why);
    if (end_ == 0) return nullptr;
  }
  return &batch_[next_];
}

std::size_t ConsumerEndpoint::take_new(std::span<Message> to, double& why) {
  Status status = Status::empty;
  if (to.size() == 1) {  // one message is cheaper by itself than as a batch
    Result<Message> message = consumer().try_receive();
    if (message) {
      to[0] = std::move(*message);
      return 1;
    }
    status = message.status();
  } else {
    const Result<std::size_t> count = consumer().try_receive_batch(to);
    if (count) return *count;
    status = count.status();
  }
  why = status == Status::end_of_stream ? k_end_of_stream : k_empty;
  if (status == Status::removed || status == Status::evicted) throw_ended(status);
  return 0;
}

std::size_t ConsumerEndpoint::take_next(std::span<Message> to, double& why) {
  const std::span<Message> first = waiting().first(std::min(waiting().size(), to.size()));
  if (first.empty()) return take_new(to, why);
  std::ranges::move(first, to.begin());
  next_ += first.size();
  return first.size();
}

void ConsumerEndpoint::put_back(std::span<Message> messages) noexcept {
  if (waiting().empty()) next_ = end_ = batch_.size();
  // There is room: either they come from here, or nothing waits, and there are no more than one take_next() gives.
  next_ -= messages.size();
  std::ranges::move(messages, waiting().begin());
}

bool ConsumerEndpoint::copy(Message& message, std::byte* payload, std::byte* head, std::size_t properties_bytes) {
  const auto bytes = message.bytes();
  if (!bytes.empty()) std::memcpy(payload, bytes.data(), bytes.size());
  const auto age = message.age();
  const auto published = age ? message.published_at() : std::nullopt;
  using Milliseconds = std::chrono::duration<double, std::milli>;
  RecordHead record{
      .size = static_cast<std::uint32_t>(bytes.size()),
      .properties_bytes = static_cast<std::uint32_t>(properties_bytes),
      .position = static_cast<double>(message.position()),
      .slot = k_not_held,
      .generation = 0,
      .deliveries = message.deliveries(),
      .producer = message.producer(),
      .lost = static_cast<double>(message.lost()),
      .age_ms = age ? Milliseconds(*age).count() : k_unknown,
      .published_at_ms = published ? Milliseconds(published->time_since_epoch()).count() : k_unknown,
  };
  if (is_named_) {
    if (!message.still_held()) return false;
    const HeldMessages::Place place = held_.add(std::move(message));
    if (is_automatic_) received_.push_back(place);
    record.slot = place.slot;
    record.generation = place.generation;
  } else if (!message.ack()) {
    return false;
  }
  std::memcpy(head, &record, sizeof record);
  return true;
}

double ConsumerEndpoint::receive(std::uint32_t most) {
  acknowledge_received();
  std::uint32_t count = 0;
  double why = k_empty;
  bool is_first = true;
  while (count < most) {
    // A batch that is shorter than asked for says that nothing more is there: no further try, which would find nothing.
    const bool asks = next_ == end_;
    if (asks && !is_first && end_ < k_batch) break;
    Message* message = nullptr;
    try {
      message = next(most - count, why);
    } catch (const Error&) {
      if (count == 0) throw;
      break;  // the next call says it, after what was copied
    }
    if (message == nullptr) break;
    is_first = false;
    const EncodedProperties properties(*message);
    const std::size_t properties_at = aligned(sizeof(RecordHead) + message->size());
    const std::size_t needed = aligned(properties_at + properties.size());
    if (used_ + needed > chunk_.size()) return count > 0 ? count + k_room_ended : -static_cast<double>(needed);
    std::byte* const record = chunk_.data() + used_;
    properties.copy_to(record + properties_at);
    const bool is_ours = copy(*message, record + sizeof(RecordHead), record, properties.size());
    batch_[next_++] = Message();
    if (!is_ours) continue;
    used_ += needed;
    ++count;
  }
  return count > 0 ? count : why;
}

double ConsumerEndpoint::receive_into(std::span<std::byte> target, std::span<std::byte> head) {
  acknowledge_received();
  for (;;) {
    double why = k_empty;
    Message* const message = next(1, why);
    if (message == nullptr) return why;
    if (message->size() > target.size()) {
      throw Error(Errc::too_large, "receiveInto: the next message has " + std::to_string(message->size()) +
                                       " bytes, and the buffer has " + std::to_string(target.size()) +
                                       ": give a larger one, or call receive(); the message was not taken");
    }
    const EncodedProperties properties(*message);
    const std::size_t needed = sizeof(RecordHead) + properties.size();
    if (needed > head.size()) return -static_cast<double>(needed);
    properties.copy_to(head.data() + sizeof(RecordHead));
    const bool is_ours = copy(*message, target.data(), head.data(), properties.size());
    batch_[next_++] = Message();
    if (is_ours) return 1;
  }
}

double ConsumerEndpoint::receive_batch(std::uint32_t most) {
  acknowledge_received();
  if (!received_batch_.has_memory()) return -k_least_chunk;
  received_batch_.begin([this](Message message) { held_.add(std::move(message)); });
  double why = k_empty;
  for (bool may_have_more = true; may_have_more && received_batch_.count() < most;) {
    std::span<Message> room = received_batch_.room(std::min<std::size_t>(most - received_batch_.count(), k_batch));
    if (room.empty()) break;
    std::size_t count = 0;
    try {
      count = take_next(room, why);
    } catch (const Error&) {
      if (received_batch_.count() == 0) throw;
      break;  // the next call says it, after what was copied
    }
    may_have_more = count == room.size() || next_ != end_;
    const std::span<Message> run = room.first(count);
    const auto [taken, needed] = received_batch_.add(run);
    if (needed == 0) continue;
    put_back(run.subspan(taken));
    if (received_batch_.count() == 0) return -std::max(k_least_chunk, static_cast<double>(needed));
    break;
  }
  return received_batch_.count() > 0 ? static_cast<double>(received_batch_.count()) : why;
}

std::size_t ConsumerEndpoint::ack_many(std::span<const std::uint32_t> places) {
  std::array<Message, k_batch> run;
  std::size_t filled = 0;
  std::size_t done = 0;
  for (std::size_t i = 0; i + 1 < places.size(); i += 2) {
    run[filled++] = held_.take({places[i], places[i + 1]});
    if (filled < run.size()) continue;
    done += ack_batch(run);
    filled = 0;
  }
  return done + ack_batch(std::span(run).first(filled));
}

void ConsumerEndpoint::acknowledge_received() {
  for (const HeldMessages::Place place : received_) {
    if (Message message = held_.take(place)) message.ack();
  }
  received_.clear();
  if (is_automatic_) received_batch_.ack();
}

void ConsumerEndpoint::close() noexcept {
  readiness_.close();
  // The messages after their consumer: then they go back at once.
  consumer_.reset();
  for (Message& message : waiting()) message = Message();
  next_ = end_ = 0;
  held_.clear();
  received_batch_.clear();
  received_.clear();
}

}  // namespace beltway::node
