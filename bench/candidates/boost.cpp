// Boost's queues in shared memory. Lock-free ones have their size in their type, which is how their documentation puts them
// into shared memory; so there is one type for each size and footprint, and the one whose footprint is nearest is taken.
#include <sched.h>

#include <boost/interprocess/ipc/message_queue.hpp>
#include <boost/lockfree/queue.hpp>
#include <boost/lockfree/spsc_queue.hpp>

#include <algorithm>
#include <array>
#include <new>
#include <utility>
#include <vector>

#include "candidates/endpoint.hpp"

namespace beltway::bench {

namespace {

template <std::size_t size>
struct alignas(8) Element {
  std::array<std::byte, size> bytes;
};

constexpr std::size_t k_sizes[] = {8, 64, 256, 1024, 4096, 65536};
constexpr std::size_t k_footprints[] = {64U << 10, 256U << 10, 1U << 20, 4U << 20};

/// How spsc_queue is used: one push or consume_one at a time, with the pause between two tries that all candidates have; or
/// tried again at once, as in its documentation; or push of an array and consume_all.
enum class Use : std::uint8_t { paced, tight, batch };

template <std::size_t size, std::size_t footprint, Use use>
class SpscChannel {
  static constexpr bool batch = use == Use::batch;
  template <class Done>
  static void await(const Done& done) {
    if constexpr (use != Use::tight) {
      tool::spin_until(done);
    } else {
      constexpr unsigned k_spins = 20'000;  // then it steps aside, as in spin_until()
      for (unsigned spins = 0; !done();) {
        if (++spins % k_spins == 0) sched_yield();
      }
    }
  }

 public:
  using Queue = boost::lockfree::spsc_queue<Element<size>, boost::lockfree::capacity<footprint / size>>;
  static constexpr Traits k_traits{.throughput_only = batch};

  SpscChannel(const Spec& /*spec*/, const std::string& /*name*/)
      : memory_(sizeof(Queue) + 64), queue_(*new(memory_.data()) Queue) {}
  [[nodiscard]] std::uint64_t bytes_in_flight() const { return footprint; }

  struct Sender {
    Sender(SpscChannel& channel, std::uint32_t /*index*/) : queue(channel.queue_) {}
    void send(std::uint64_t value) {
      Element<size> element;
      tool::fill(element.bytes, value);
      await([&] { return queue.push(element); });
    }
    void send_many(std::uint64_t value, std::uint64_t count)
      requires(batch)
    {
      elements.resize(count);
      for (Element<size>& element : elements) tool::fill(element.bytes, value++);
      std::size_t sent = 0;
      await([&] { return (sent += queue.push(elements.data() + sent, count - sent)) == count; });
    }
    Queue& queue;
    std::vector<Element<size>> elements;
  };

  struct Receiver {
    Receiver(SpscChannel& channel, std::uint32_t /*index*/) : queue(channel.queue_) {}
    std::uint64_t receive() {
      std::uint64_t value = 0;
      const auto read = [&](const Element<size>& element) { value = read_back(element.bytes); };
      await([&] { return queue.consume_one(read); });  // in place: a pop would copy
      return value;
    }
    std::uint64_t receive_many(std::uint64_t /*most*/)
      requires(batch)
    {
      std::uint64_t count = 0;
      const auto read = [](const Element<size>& element) { static_cast<void>(read_back(element.bytes)); };
      await([&] { return (count = queue.consume_all(read)) > 0; });
      return count;
    }
    Queue& queue;
  };

 private:
  SharedMemory memory_;
  Queue& queue_;
};

template <std::size_t size>
class LockfreeQueueChannel {
 public:
  static constexpr std::size_t k_capacity = std::clamp<std::size_t>((4U << 20) / size, 16, 1024);
  using Queue = boost::lockfree::queue<Element<size>, boost::lockfree::capacity<k_capacity>>;
  static constexpr Traits k_traits{.many_producers = true, .shared = true};

  LockfreeQueueChannel(const Spec& /*spec*/, const std::string& /*name*/)
      : memory_(sizeof(Queue) + 64), queue_(*new(memory_.data()) Queue) {}
  [[nodiscard]] std::uint64_t bytes_in_flight() const { return k_capacity * size; }

  struct Sender {
    Sender(LockfreeQueueChannel& channel, std::uint32_t /*index*/) : queue(channel.queue_) {}
    void send(std::uint64_t value) {
      Element<size> element;
      tool::fill(element.bytes, value);
      tool::spin_until([&] { return queue.bounded_push(element); });
    }
    Queue& queue;
  };
  struct Receiver {
    Receiver(LockfreeQueueChannel& channel, std::uint32_t /*index*/) : queue(channel.queue_) {}
    bool try_receive(std::uint64_t& value) {
      Element<size> element;
      if (!queue.pop(element)) return false;
      value = read_back(element.bytes);
      return true;
    }
    std::uint64_t receive() {
      std::uint64_t value = 0;
      tool::spin_until([&] { return try_receive(value); });
      return value;
    }
    Queue& queue;
  };

 private:
  SharedMemory memory_;
  Queue& queue_;
};

/// boost::interprocess::message_queue. Its users' best is to try and spin: its blocking calls sleep on a condition.
template <bool spin>
class MessageQueueChannel {
 public:
  using Queue = boost::interprocess::message_queue;
  static constexpr Traits k_traits{.many_producers = true, .shared = true};

  MessageQueueChannel(const Spec& spec, const std::string& name)
      : size_(spec.size_bytes),
        capacity_(spec.elements(spec.size_bytes)),
        name_(name),
        queue_(boost::interprocess::create_only, name.c_str(), capacity_, size_) {}
  ~MessageQueueChannel() { Queue::remove(name_.c_str()); }
  MessageQueueChannel(const MessageQueueChannel&) = delete;
  MessageQueueChannel& operator=(const MessageQueueChannel&) = delete;
  [[nodiscard]] std::uint64_t bytes_in_flight() const { return capacity_ * size_; }

  struct Sender {
    Sender(MessageQueueChannel& channel, std::uint32_t /*index*/) : queue(channel.queue_), buffer(channel.size_) {}
    void send(std::uint64_t value) {
      tool::fill(buffer, value);
      if constexpr (spin) {
        tool::spin_until([&] { return queue.try_send(buffer.data(), buffer.size(), 0); });
      } else {
        queue.send(buffer.data(), buffer.size(), 0);
      }
    }
    Queue& queue;
    std::vector<std::byte> buffer;
  };
  struct Receiver {
    Receiver(MessageQueueChannel& channel, std::uint32_t /*index*/) : queue(channel.queue_), buffer(channel.size_) {}
    bool try_receive(std::uint64_t& value) {
      std::size_t size = 0;
      unsigned priority = 0;
      if (!queue.try_receive(buffer.data(), buffer.size(), size, priority)) return false;
      value = read_back(std::span(buffer).first(size));
      return true;
    }
    std::uint64_t receive() {
      std::uint64_t value = 0;
      if constexpr (spin) {
        tool::spin_until([&] { return try_receive(value); });
      } else {
        std::size_t size = 0;
        unsigned priority = 0;
        queue.receive(buffer.data(), buffer.size(), size, priority);
        value = read_back(std::span(buffer).first(size));
      }
      return value;
    }
    Queue& queue;
    std::vector<std::byte> buffer;
  };

 private:
  std::size_t size_;
  std::uint64_t capacity_;
  std::string name_;
  Queue queue_;  // the mapping is inherited by the workers
};

std::size_t nearest_footprint(const Spec& spec) {
  std::size_t best = k_footprints[0];
  const auto distance = [&](std::size_t footprint) {
    const double ratio = static_cast<double>(footprint) / static_cast<double>(spec.footprint());
    return ratio > 1 ? ratio : 1 / ratio;
  };
  for (const std::size_t footprint : k_footprints) {
    if (distance(footprint) < distance(best)) best = footprint;
  }
  return best;
}

template <std::size_t size, std::size_t footprint>
void add_spsc(Entries& entries) {
  if constexpr (footprint / size >= Spec::k_least_slots) {
    const auto fits = [](const Spec& spec) { return spec.size_bytes == size && nearest_footprint(spec) == footprint; };
    add<SpscChannel<size, footprint, Use::paced>>(entries, "boost-spsc",
                                                  "boost::lockfree::spsc_queue: push, consume_one", fits);
    if constexpr (size <= 64) {
      add<SpscChannel<size, footprint, Use::tight>>(entries, "boost-spsc-tight",
                                                    "the same, tried again at once, as in its documentation", fits);
    }
    if constexpr (size <= 1024) {
      add<SpscChannel<size, footprint, Use::batch>>(entries, "boost-spsc-batch",
                                                    "boost::lockfree::spsc_queue: push of an array, consume_all", fits);
    }
  }
}

template <std::size_t... indices>
void add_sizes(Entries& entries, std::index_sequence<indices...> /*of k_sizes*/) {
  const auto add_size = [&]<std::size_t size>() {
    add_spsc<size, k_footprints[0]>(entries);
    add_spsc<size, k_footprints[1]>(entries);
    add_spsc<size, k_footprints[2]>(entries);
    add_spsc<size, k_footprints[3]>(entries);
    add<LockfreeQueueChannel<size>>(entries, "boost-queue", "boost::lockfree::queue: bounded_push, pop",
                                    [](const Spec& spec) { return spec.size_bytes == size; });
  };
  (add_size.template operator()<k_sizes[indices]>(), ...);
}

}  // namespace

void add_boost(Entries& entries) {
  add_sizes(entries, std::make_index_sequence<std::size(k_sizes)>());
  add<MessageQueueChannel<true>>(entries, "boost-mq", "boost::interprocess::message_queue: try_send, try_receive");
  add<MessageQueueChannel<false>>(entries, "boost-mq:sleep", "boost::interprocess::message_queue: send, receive",
                                  [](const Spec& spec) { return spec.mode != Mode::throughput; });
}

}  // namespace beltway::bench
