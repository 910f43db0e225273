// A peer overwrites the words of a queue that uses all options: retries, dead letters, leases that end by time, messages that
// expire, groups that keep only their newest messages, parked messages, named producers and properties. The others go on: no call
// crashes, hangs, or returns bytes outside of the queue.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "beltway/beltway.hpp"
#include "hostile/intruder.hpp"
#include "ring/redelivery.hpp"

namespace beltway {

using namespace beltway::ring;

namespace {

using namespace std::chrono_literals;
using test::connect;
using test::Intruder;
using test::Neighbour;
using test::Numbers;
using test::Scribbler;
using test::TestDaemon;

const Geometry k_full_geometry{.slots = 16,
                               .slot_bytes = 64,
                               .lane_bytes = 4096,
                               .max_producers = 3,
                               .max_consumers = 6,
                               .max_groups = 2,
                               .max_parked = 8};

QueueOptions all_options() {
  const GroupOptions jobs{.retry_delay = 1ms,
                          .retry_delay_max = 4ms,
                          .max_deliveries = 2,
                          .dead_letter = "dead",
                          .ttl = 50ms,
                          .lease_timeout = 10ms};
  return {.slots = 16,
          .slot_bytes = 64,
          .lane_bytes = 4096,
          .max_producers = 3,
          .max_consumers = 6,
          .max_groups = 2,
          .groups = {NamedGroup("jobs", jobs), NamedGroup("newest", {.drop_oldest = 3})},
          .ttl = 1000ms,
          .stamps = Stamps::fine,
          .max_parked = 8};
}

/// Writes over the words that only such options use: random bits, and values that look right.
class OptionScribbler {
 public:
  OptionScribbler(const QueueMemory& memory, Numbers numbers) : memory_(memory), numbers_(std::move(numbers)) {}

  void scribble() {
    for (std::uint64_t i = numbers_(4) + 1; i != 0; --i) pick().store_release(value());
  }

 private:
  Word& pick() {
    const Geometry& geometry = memory_.geometry;
    GroupBlock& group = memory_.group(number<unsigned>(geometry.max_groups));
    const std::array options{&group.earliest_due, &group.redelivery, &group.lease_check,
                             &group.times,        &group.keeps,      &group.dropped};
    const auto index = number<unsigned>(geometry.max_groups);
    SequenceRecord& record = memory_.sequence_record(number<unsigned>(2));
    switch (numbers_(7)) {
      case 0: return *options[numbers_(options.size())];
      case 1: return memory_.lease(index, numbers_(geometry.slots));
      case 2: return memory_.lease_time(index, numbers_(geometry.slots));
      case 3: return memory_.stamp(numbers_(geometry.slots));
      case 4: return memory_.parked_slots(numbers_(geometry.parked_slots_words()));
      case 5: return *std::array{&record.committed, &record.pending_position, &record.pending_sequence}[numbers_(3)];
      default: {
        Endpoint& endpoint = memory_.endpoint(k_first_consumer + number<unsigned>(geometry.max_consumers));
        return numbers_(2) == 0 ? endpoint.ticket : endpoint.watches_due;
      }
    }
  }

  std::uint64_t value() {
    const Position near = Tail::of(memory_.tail().load_relaxed()).position + numbers_(40) - 20;
    const auto owner = number<std::uint8_t>(256);
    const auto tries = number<std::uint8_t>(3);
    const std::uint64_t time = now_us() + numbers_(20'000) - 10'000;
    switch (numbers_(10)) {
      case 0: return 0;
      case 1: return ~0ULL;
      case 2: return swaps_word(number<std::uint32_t>(4));
      case 3: return Lease{near, owner, tries, static_cast<LeasePhase>(numbers_(8))}.word();
      case 4: return LeaseTime{time, owner, tries, static_cast<FailReason>(numbers_(8))}.word();
      case 5: return LeaseEnd{time, number<std::uint16_t>(4), static_cast<std::uint8_t>(owner | 128), tries}.word();
      case 6: return EarliestDue{time, number<std::uint16_t>(4)}.word();
      case 7: return Redelivery{number<std::uint32_t>(9), number<std::uint32_t>(9), tries, tries == 0, true}.word();
      case 8: return GroupTimes{number<std::uint32_t>(9), number<std::uint32_t>(9)}.word();
      default: return numbers_(0);
    }
  }
  template <class Number>
  Number number(std::uint64_t limit) {
    return static_cast<Number>(numbers_(limit));
  }

  const QueueMemory memory_;
  Numbers numbers_;
};

/// Reads each byte that a message shows.
void read_all(const Message& message) {
  const PropertiesView properties = message.properties();
  std::string all(message.text());
  all += properties.key();
  for (const MessageHeader& header : properties.headers()) all.append(header.name).append(header.value);
  if (const auto letter = properties.dead_letter()) all.append(letter->queue).append(letter->group);
  volatile std::size_t kept = all.size();
  static_cast<void>(kept);
  static_cast<void>(message.age());
}

/// What honest processes do, whatever it gives.
void use_options(const Queue& queue, const Queue& dead, Numbers& numbers) {
  const std::vector<std::byte> data(900);
  const std::string key = "key";
  const MessageHeader headers[] = {{"name", key}};
  Producer producer = queue.producer({.name = "of a name"});
  Consumer worker = queue.consumer({.group = "jobs"});
  Consumer other = queue.consumer({.group = "jobs"});
  Consumer newest = queue.consumer({.group = "newest"});
  std::vector<Message> held;
  for (int i = 0; i < 12; ++i) {
    const Bytes bytes(data.data(), i % 2 == 0 ? 20 : data.size());
    static_cast<void>(producer.try_publish(bytes, {.sequence = producer.last_sequence() + 1}));
    static_cast<void>(producer.publish_until(bytes, {.key = key, .headers = headers, .ttl = 20ms}, 1ms));
    for (Consumer* const in : {&worker, &other, &newest}) {
      Result<Message> message = in->receive(1ms);
      if (!message) continue;
      read_all(*message);
      switch (numbers(6)) {
        case 0: static_cast<void>(message->ack()); break;
        case 1: static_cast<void>(message->nack()); break;
        case 2: static_cast<void>(message->nack(2ms)); break;
        case 3: static_cast<void>(message->reject()); break;
        case 4: static_cast<void>(message->extend() && message->still_held()); break;
        default: held.push_back(std::move(*message)); break;  // for too long
      }
    }
  }
  Consumer letters = dead.consumer({.group = "readers"});
  while (Result<Message> letter = letters.try_receive()) {
    read_all(*letter);
    static_cast<void>(letter->ack());
  }
}

void inspect(const Queue& queue) {
  static_cast<void>(queue.snapshot());
  static_cast<void>(queue.peek(100, 64, "jobs"));
  static_cast<void>(queue.peek({.count = 100, .group = "newest", .from = 3}));
  static_cast<void>(queue.purge("newest"));
}

class HostileOptions : public testing::TestWithParam<Neighbour> {};

TEST_P(HostileOptions, a_queue_with_all_options_is_used_inspected_and_repaired_while_a_peer_overwrites_it) {
  const TestDaemon daemon;
  const Connection link = connect(daemon);
  const Queue dead = link.declare(
      "dead", {.slots = 64, .slot_bytes = 128, .lane_bytes = 1 << 18, .max_groups = 1, .groups = {"readers"}});
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Queue queue = link.declare("q", all_options());
    {
      Numbers numbers = test::random_numbers(seed + 100);
      const Intruder intruder(daemon, queue, k_full_geometry, GetParam());
      Scribbler scribbler(intruder.memory(), GetParam(), test::random_numbers(seed));
      OptionScribbler of_options(intruder.memory(), test::random_numbers(seed));
      for (int round = 0; round < 6; ++round) {
        try {
          use_options(queue, dead, numbers);
          inspect(queue);
        } catch (const Error&) {  // an answer like another: evicted, removed, no room
        }
        for (int i = 0; i < 8; ++i) of_options.scribble();
        if (round % 2 == 1) scribbler.scribble();
      }
    }
    link.remove("q");
  }
  // Nobody else has noticed.
  Consumer letters = dead.consumer({.group = "readers"});
  while (Result<Message> letter = letters.try_receive()) EXPECT_TRUE(letter->ack());
  dead.producer().publish("well");
  EXPECT_EQ(letters.receive(20s)->text(), "well");
}

INSTANTIATE_TEST_SUITE_P(By, HostileOptions, testing::Values(Neighbour::consumer, Neighbour::producer),
                         [](const auto& of) { return of.param == Neighbour::consumer ? "a_consumer" : "a_producer"; });

}  // namespace
}  // namespace beltway
