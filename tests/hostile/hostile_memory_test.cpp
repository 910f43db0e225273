// Honest endpoints beside a neighbour that scribbles over all that it may write, between any two of their calls. What they
// get may be nonsense; they stay alive, inside of their memory (which sanitizers see here: ring, heap and control are
// allocations of their own) and inside of their deadlines (which the watchdog sees).
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "beltway/consumer.hpp"
#include "beltway/error.hpp"
#include "beltway/producer.hpp"
#include "hostile/scribble.hpp"
#include "support/local_queue.hpp"

namespace beltway {
namespace {

using namespace std::chrono_literals;
using test::LocalQueue;
using test::Neighbour;
using test::Scribbler;

struct Case {
  Neighbour neighbour;
  std::uint32_t producers;
  const char* name;
};

class Hostile : public testing::TestWithParam<Case> {
 protected:
  /// Endpoints of all kinds, made anew when their memory says that they are gone.
  struct Crew {
    explicit Crew(LocalQueue& queue)
        : producer(queue.producer({.wait = WaitStrategy::sleep})),
          reader(queue.consumer({.wait = WaitStrategy::sleep})),
          worker(queue.consumer({.group = "workers", .wait = WaitStrategy::sleep})),
          other(queue.consumer({.group = "workers"})),
          lossy(queue.consumer({.lossy = true})) {}
    Producer producer;
    Consumer reader;
    Consumer worker;
    Consumer other;
    Consumer lossy;
  };

  void call(Crew& crew, Scribbler& scribbler) {
    const std::vector<std::byte> data(scribbler.below(2) == 0 ? 24 : 700, std::byte{7});
    std::array<Message, 4> out;
    switch (scribbler.below(12)) {
      case 0: (void)crew.producer.try_publish(Bytes(data)); break;
      case 1: (void)crew.producer.publish_until(Bytes(data), 1ms); break;
      case 2: {
        const std::array<Bytes, 3> batch{Bytes(data), Bytes(data), Bytes(data)};
        (void)crew.producer.try_publish_batch(batch);
        break;
      }
      case 3:
        if (Lent lent = crew.producer.try_loan(600)) (void)lent->try_commit(scribbler.below(600) + 1);
        break;
      case 4: use(crew.reader.try_receive(), scribbler); break;
      case 5: use(crew.reader.receive(1ms), scribbler); break;
      case 6: use(crew.worker.try_receive(), scribbler); break;
      case 7: use(crew.worker.receive(1ms), scribbler); break;
      case 8: use(crew.other.try_receive(), scribbler); break;
      case 9:
        for (std::size_t i = 0, count = crew.worker.try_receive_batch(out).count; i < count; ++i) touch(out[i]);
        break;
      case 10: use(crew.lossy.try_receive(), scribbler); break;
      default: use(crew.lossy.receive(1ms), scribbler); break;
    }
  }

  void run(std::uint64_t seed) {
    const QueueOptions options{.slots = 8,
                               .slot_bytes = 64,
                               .lane_bytes = 4096,
                               .max_producers = GetParam().producers,
                               .max_consumers = 6,
                               .max_groups = 2,
                               .groups = {"workers"}};
    LocalQueue queue(options, seed % 3 == 0 ? (1ULL << 44) - 5 : 0);
    Scribbler scribbler(queue.map(), GetParam().neighbour, seed);
    std::optional<Crew> crew(queue);
    for (int i = 0; i < 60; ++i) {
      try {
        call(*crew, scribbler);
      } catch (const Error&) {  // removed, evicted, corrupt: an answer like another
      }
      if (i > 4) scribbler.scribble();
    }
    crew.reset();  // each is repaired, over whatever is there now
    crew.emplace(queue);
    try {
      for (int i = 0; i < 10; ++i) call(*crew, scribbler);
    } catch (const Error&) {
    }
    if (crew->producer.counters().messages == 0) quiet_ = quiet_ + 1;
  }

  int quiet_ = 0;  ///< rounds in which nobody could publish any more

 private:
  static void touch(const Message& message) {
    std::uint64_t sum = 0;
    for (const std::byte each : message.bytes()) sum += static_cast<std::uint64_t>(each);
    volatile std::uint64_t kept = sum;
    (void)kept;
  }
  void use(Received received, Scribbler& scribbler) {
    if (!received) return;
    touch(*received);
    scribbler.scribble();
    touch(*received);
    if (scribbler.below(2) == 0)
      (void)received->ack();
    else if (scribbler.below(2) == 0)
      (void)received->nack();
  }
};

TEST_P(Hostile, a_scribbling_neighbour_costs_the_others_neither_life_nor_deadline) {
  constexpr int k_rounds = 150;
  for (std::uint64_t seed = 1; seed <= k_rounds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    run(seed);
  }
  EXPECT_LT(quiet_, k_rounds);
}

INSTANTIATE_TEST_SUITE_P(Neighbours, Hostile,
                         testing::Values(Case{Neighbour::consumer, 2, "a_consumer"},
                                         Case{Neighbour::consumer, 1, "a_consumer_of_a_single_producer"},
                                         Case{Neighbour::producer, 2, "a_producer"}),
                         [](const auto& of) { return std::string(of.param.name); });

}  // namespace
}  // namespace beltway
