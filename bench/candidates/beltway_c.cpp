// Beltway's C library, as a C program calls it: through the shared library, a call for each operation.
#include <algorithm>
#include <vector>

#include "beltway/beltway.h"
#include "beltway/limits.hpp"
#include "beltway/status.hpp"
#include "candidates/endpoint.hpp"
#include "tool/process/exit_code.hpp"

namespace beltway::bench {

namespace {

enum class Way : std::uint8_t {
  one_by_one,  ///< publish, receive
  batch,       ///< publish_batch, receive_batch
  group,       ///< one by one, a named group with leases and acks
};

/// Throws for what the harness does not expect.
void must(beltway_status status, const char* what) {
  if (status == BELTWAY_OK) return;
  if (status == BELTWAY_ERROR)
    throw tool::Failure(tool::ExitCode::failed, std::string("bench: ") + what + ": " + beltway_last_error());
  throw tool::failure_of(static_cast<Status>(status), std::string("bench: ") + what);
}

/// One for the process, made in it.
const beltway_connection* connection(const Spec& spec) {
  static beltway_connection* const made = [&] {
    beltway_connection_options options = BELTWAY_CONNECTION_OPTIONS_INIT;
    options.socket = spec.socket.c_str();
    options.start_daemon = false;
    beltway_connection* link = nullptr;
    must(beltway_open(&options, &link), "open");
    return link;
  }();
  return made;
}

template <Way way>
class CChannel {
 public:
  static constexpr Traits k_traits{
      .broadcast = way != Way::group, .shared = way == Way::group, .throughput_only = way == Way::batch};

  CChannel(const Spec& spec, const std::string& name) : spec_(spec), name_(name) {}

  [[nodiscard]] std::uint64_t bytes_in_flight() const { return spec_.ring_slots() * spec_.slot(); }

  class Sender {
   public:
    Sender(const CChannel& channel, std::uint32_t /*index*/)
        : size_(channel.spec_.size_bytes), buffer_(size_ * channel.spec_.batch) {
      beltway_queue* const queue = channel.declare();
      beltway_producer_options options = BELTWAY_PRODUCER_OPTIONS_INIT;
      options.wait = BELTWAY_WAIT_SPIN;
      must(beltway_producer_new(queue, &options, &producer_), "attach");
      beltway_queue_free(queue);
      for (std::size_t i = 0; i < channel.spec_.batch; ++i) messages_.push_back({buffer_.data() + i * size_, size_});
    }
    Sender(const Sender&) = delete;
    Sender& operator=(const Sender&) = delete;
    ~Sender() { beltway_producer_free(producer_); }

    void send(std::uint64_t value) {
      tool::fill({buffer_.data(), size_}, value);
      must(beltway_publish(producer_, buffer_.data(), size_), "publish");
    }

    void send_many(std::uint64_t value, std::uint64_t count)
      requires(way == Way::batch)
    {
      for (std::size_t i = 0; i < count; ++i) tool::fill({buffer_.data() + i * size_, size_}, value + i);
      must(beltway_publish_batch(producer_, messages_.data(), count, nullptr), "publish");
    }

   private:
    const std::size_t size_;
    beltway_producer* producer_ = nullptr;
    std::vector<std::byte> buffer_;
    std::vector<beltway_bytes> messages_;
  };

  class Receiver {
   public:
    Receiver(const CChannel& channel, std::uint32_t /*index*/) : batch_(channel.spec_.batch, BELTWAY_MESSAGE_INIT) {
      beltway_queue* const queue = channel.declare();
      beltway_consumer_options options = BELTWAY_CONSUMER_OPTIONS_INIT;
      options.group = way == Way::group ? "bench" : nullptr;
      options.wait = BELTWAY_WAIT_SPIN;
      must(beltway_consumer_new(queue, &options, &consumer_), "attach");
      beltway_queue_free(queue);
    }
    Receiver(const Receiver&) = delete;
    Receiver& operator=(const Receiver&) = delete;
    ~Receiver() { beltway_consumer_free(consumer_); }

    std::uint64_t receive() {
      must(beltway_receive(consumer_, batch_.data()), "receive");
      return end(batch_[0]);
    }

    bool try_receive(std::uint64_t& value)
      requires(way == Way::group)
    {
      if (beltway_try_receive(consumer_, batch_.data()) != BELTWAY_OK) return false;
      value = end(batch_[0]);
      return true;
    }

    std::uint64_t receive_many(std::uint64_t most)
      requires(way == Way::batch)
    {
      std::size_t got = 0;
      const std::size_t room = std::min<std::size_t>(most, batch_.size());
      must(beltway_receive_batch(consumer_, batch_.data(), room, &got), "receive");
      for (std::size_t i = 0; i < got; ++i) static_cast<void>(read_back(bytes_of(batch_[i])));
      beltway_ack_batch(batch_.data(), got);
      return got;
    }

   private:
    static std::span<const std::byte> bytes_of(const beltway_message& message) {
      return {static_cast<const std::byte*>(message.data), message.size};
    }
    static std::uint64_t end(beltway_message& message) {
      const std::uint64_t value = read_back(bytes_of(message));
      beltway_ack(&message);
      return value;
    }

    beltway_consumer* consumer_ = nullptr;
    std::vector<beltway_message> batch_;
  };

 private:
  /// Whoever comes first declares it.
  [[nodiscard]] beltway_queue* declare() const {
    const beltway_group group = BELTWAY_GROUP_INIT("bench");
    beltway_queue_options options = BELTWAY_QUEUE_OPTIONS_INIT;
    options.slots = static_cast<std::uint32_t>(spec_.ring_slots());
    options.slot_bytes = static_cast<std::uint32_t>(spec_.slot());
    options.lane_bytes = 0;
    options.max_producers = 1;
    options.max_consumers = spec_.consumers;
    options.max_groups = way == Way::group ? 1 : 0;
    options.groups = &group;
    options.group_count = options.max_groups;
    beltway_queue* queue = nullptr;
    must(beltway_declare(connection(spec_), name_.c_str(), &options, &queue), "declare");
    return queue;
  }

  const Spec& spec_;
  const std::string name_;
};

bool in_slot(const Spec& spec) {
  constexpr std::uint64_t k_largest_in_slot_bytes = 4096;
  return spec.size_bytes <= k_largest_in_slot_bytes;
}

}  // namespace

void add_beltway_c(Entries& entries) {
  add<CChannel<Way::one_by_one>>(entries, "beltway-c", "beltway, called from C", in_slot);
  add<CChannel<Way::batch>>(entries, "beltway-c-batch", "beltway-batch, called from C", in_slot);
  add<CChannel<Way::group>>(entries, "beltway-c-group", "beltway-group, called from C", in_slot);
}

}  // namespace beltway::bench
