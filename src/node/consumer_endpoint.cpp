#include "node/consumer_endpoint.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "beltway/error.hpp"
#include "endpoint/properties_block.hpp"
#include "node/napi.hpp"
#include "node/record.hpp"

namespace beltway::node {

namespace {

constexpr double k_unknown = std::numeric_limits<double>::quiet_NaN();

/// The properties of a message, encoded again: the view has checked them, and they lie in our memory.
class Block {
 public:
  explicit Block(const Message& message) {
    if (!message.has_properties()) [[likely]]
      return;
    const PropertiesView view = message.properties();
    const Properties properties = view;
    if (!endpoint::find_excess(properties)) block_.emplace(properties);
  }
  [[nodiscard]] std::size_t size() const noexcept { return block_ ? block_->size() : 0; }
  void copy_to(std::byte* place) const noexcept {
    if (block_) std::memcpy(place, block_->data(), block_->size());
  }

 private:
  std::optional<endpoint::PropertiesBlock> block_;
};

}  // namespace

ConsumerEndpoint::ConsumerEndpoint(Environment& environment, Consumer consumer, const ConsumerOptions& options)
    : environment_(environment.shared_from_this()),
      readiness_(environment),
      consumer_(std::move(consumer)),
      is_named_(!options.group.empty()),
      is_automatic_(is_named_ && options.ack == Ack::automatic) {}

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
    const Result<std::size_t> count = consumer().try_receive_batch(std::span(batch_).first(std::min(most, k_batch)));
    if (!count) {
      const Status status = count.status();
      why = status == Status::end_of_stream ? k_end_of_stream : k_empty;
      if (status == Status::removed || status == Status::evicted) throw_ended(status);
      return nullptr;
    }
    end_ = *count;
  }
  return &batch_[next_];
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
    const Block block(*message);
    const std::size_t properties_at = aligned(sizeof(RecordHead) + message->size());
    const std::size_t needed = aligned(properties_at + block.size());
    if (used_ + needed > chunk_.size()) return count > 0 ? count + k_room_ended : -static_cast<double>(needed);
    std::byte* const record = chunk_.data() + used_;
    block.copy_to(record + properties_at);
    const bool is_ours = copy(*message, record + sizeof(RecordHead), record, block.size());
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
    const Block block(*message);
    const std::size_t needed = sizeof(RecordHead) + block.size();
    if (needed > head.size()) return -static_cast<double>(needed);
    block.copy_to(head.data() + sizeof(RecordHead));
    const bool is_ours = copy(*message, target.data(), head.data(), block.size());
    batch_[next_++] = Message();
    if (is_ours) return 1;
  }
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
}

void ConsumerEndpoint::close() noexcept {
  readiness_.close();
  // The messages after their consumer: then they go back at once.
  consumer_.reset();
  for (Message& message : waiting()) message = Message();
  next_ = end_ = 0;
  held_.clear();
  received_.clear();
}

}  // namespace beltway::node
