// Beltway, in the ways that its users have.
#include <algorithm>
#include <array>
#include <vector>

#include "beltway/beltway.hpp"
#include "candidates/endpoint.hpp"
#include "tool/process/exit_code.hpp"

namespace beltway::bench {

namespace {

constexpr const char* k_group = "bench";
constexpr std::uint64_t k_largest_in_slot_bytes = 4096;

enum class Way : std::uint8_t {
  copy,   ///< publish(bytes)
  place,  ///< publish(size, callback)
  loan,   ///< loan, write, commit
  batch,  ///< publish_batch, receive_batch
};

struct Kind {
  Way way = Way::copy;
  bool many_producers = false;
  bool group = false;          ///< a named group with leases and acks
  bool receive_batch = false;  ///< also without publish_batch
  WaitStrategy wait = WaitStrategy::spin;
};

/// One for the process, made in it.
const Connection& connection(const Spec& spec) {
  static const Connection made = Connection::open({.socket = spec.socket, .start_daemon = false});
  return made;
}

template <Kind kind>
class BeltwayChannel {
 public:
  static constexpr Traits k_traits{
      .many_producers = kind.many_producers, .broadcast = !kind.group, .shared = kind.group && !kind.receive_batch};
  static constexpr bool k_batches = kind.way == Way::batch || kind.receive_batch;

  BeltwayChannel(const Spec& spec, const std::string& name) : spec_(spec), name_(name) {
    std::ranges::replace(name_, ':', '.');
    const bool in_slot = kind.way != Way::loan && spec.size_bytes <= k_largest_in_slot_bytes;
    options_.slot_bytes = static_cast<std::uint32_t>(in_slot ? spec.slot() : Spec::k_line_bytes);
    if (in_slot) {
      options_.slots = static_cast<std::uint32_t>(spec.ring_slots());
      options_.lane_bytes = 0;
    } else {
      // The lane bounds what is in flight; a message in it begins on a line of its own.
      const std::uint64_t least = 4 * spec.size_bytes;
      options_.slots = 1024;
      options_.lane_bytes =
          (std::max(spec.footprint(), least) + k_lane_granule_bytes - 1) / k_lane_granule_bytes * k_lane_granule_bytes;
    }
    options_.max_producers = kind.many_producers ? std::max(2U, spec.producers) : 1;
    options_.max_consumers = spec.consumers;
    options_.max_groups = kind.group ? 1 : 0;
    if (kind.group) options_.groups = {k_group};
  }

  [[nodiscard]] std::uint64_t bytes_in_flight() const {
    return options_.lane_bytes != 0 ? options_.lane_bytes : std::uint64_t{options_.slots} * options_.slot_bytes;
  }

  class Sender {
   public:
    Sender(BeltwayChannel& channel, std::uint32_t /*index*/)
        : size_(channel.spec_.size_bytes),
          producer_(channel.queue().producer({.wait = kind.wait})),
          buffer_(size_ * channel.spec_.batch) {
      for (std::size_t i = 0; i < channel.spec_.batch; ++i) messages_.emplace_back(buffer_.data() + i * size_, size_);
    }

    void send(std::uint64_t value) {
      if constexpr (kind.way == Way::place) {
        producer_.publish(size_, [value](std::span<std::byte> place) { tool::fill(place, value); });
      } else if constexpr (kind.way == Way::loan) {
        Loan loan = producer_.loan(size_);
        tool::fill(loan.bytes(), value);
        loan.commit();
      } else {
        tool::fill({buffer_.data(), size_}, value);
        producer_.publish(Bytes(buffer_.data(), size_));
      }
    }

    void send_many(std::uint64_t value, std::uint64_t count)
      requires(kind.way == Way::batch)
    {
      for (std::size_t i = 0; i < count; ++i) tool::fill({buffer_.data() + i * size_, size_}, value + i);
      producer_.publish_batch(std::span(messages_).first(count));
    }

   private:
    const std::size_t size_;
    Producer producer_;
    std::vector<std::byte> buffer_;
    std::vector<Bytes> messages_;
  };

  class Receiver {
   public:
    Receiver(BeltwayChannel& channel, std::uint32_t /*index*/)
        : consumer_(channel.queue().consumer({.group = kind.group ? k_group : "", .wait = kind.wait})),
          batch_(k_batches ? channel.spec_.batch : 1) {}

    std::uint64_t receive() {
      Result<Message> received = consumer_.receive();
      if (!received) throw tool::failure_of(received.status(), "bench: receive");
      return end(*received);
    }

    bool try_receive(std::uint64_t& value)
      requires(kind.group && !kind.receive_batch)
    {
      Result<Message> received = consumer_.try_receive();
      if (received) value = end(*received);
      return static_cast<bool>(received);
    }

    std::uint64_t receive_many(std::uint64_t most)
      requires(k_batches)
    {
      const Result<std::size_t> got =
          consumer_.receive_batch(std::span(batch_).first(std::min<std::size_t>(most, batch_.size())));
      if (!got) throw tool::failure_of(got.status(), "bench: receive");
      const std::span<Message> messages = std::span(batch_).first(*got);
      for (const Message& message : messages) static_cast<void>(read_back(message.bytes()));
      ack_batch(messages);
      return *got;
    }

   private:
    static std::uint64_t end(Message& message) {
      const std::uint64_t value = read_back(message.bytes());
      message.ack();
      return value;
    }

    Consumer consumer_;
    std::vector<Message> batch_;
  };

 private:
  /// Whoever comes first declares it.
  [[nodiscard]] Queue queue() const { return connection(spec_).declare(name_, options_); }

  const Spec& spec_;
  std::string name_;
  QueueOptions options_;
};

constexpr Kind with(Kind kind, WaitStrategy wait) {
  kind.wait = wait;
  return kind;
}

template <Kind kind>
void add_kind(Entries& entries, const std::string& name, const std::string& what,
              const std::function<bool(const Spec&)>& fits = {}) {
  add<BeltwayChannel<kind>>(entries, name, what, fits);
}

template <Kind kind>
void add_waits(Entries& entries, const std::string& name, const std::string& what) {
  add_kind<kind>(entries, name, what);
  add_kind<with(kind, WaitStrategy::adaptive)>(entries, name + ":adaptive", what + "; spins for a while, then sleeps");
  add_kind<with(kind, WaitStrategy::sleep)>(entries, name + ":sleep", what + "; sleeps at once");
}

bool in_slot(const Spec& spec) { return spec.size_bytes <= k_largest_in_slot_bytes; }
bool worth_a_loan(const Spec& spec) { return spec.size_bytes >= 1024; }
bool in_batches(const Spec& spec) { return spec.mode == Mode::throughput && in_slot(spec); }

}  // namespace

void add_beltway(Entries& entries) {
  add_waits<Kind{}>(entries, "beltway", "single-producer ring, publish(bytes), private consumers");
  add_kind<Kind{.way = Way::place}>(entries, "beltway-place", "the same, written in place by a callback", in_slot);
  add_kind<Kind{.way = Way::loan}>(entries, "beltway-loan", "the same, in the lane: loan, write, commit", worth_a_loan);
  add_kind<Kind{.way = Way::batch}>(entries, "beltway-batch", "the same, publish_batch and receive_batch", in_batches);
  add_kind<Kind{.receive_batch = true}>(entries, "beltway-receive-batch", "publish one by one, receive_batch",
                                        in_batches);
  add_waits<Kind{.many_producers = true}>(entries, "beltway-mp", "several-producer ring, publish(bytes)");
  add_waits<Kind{.group = true}>(entries, "beltway-group",
                                 "single-producer ring, named group, lease and ack one by one");
  add_kind<Kind{.group = true, .receive_batch = true}>(entries, "beltway-group-batch", "the same, leased in batches",
                                                       in_batches);
  add_kind<Kind{.many_producers = true, .group = true}>(entries, "beltway-mp-group",
                                                        "several-producer ring, named group, lease and ack one by one");
}

}  // namespace beltway::bench
