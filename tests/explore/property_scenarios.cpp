// Messages with properties: readers of all kinds against producers that reuse the memory, and a peer that rewrites it.
#include "scenarios.hpp"
#include "world.hpp"

namespace beltway::explore {

using namespace beltway::ring;

namespace {

/// Room for two messages with properties: a line for the properties, and one for the payload.
constexpr std::uint64_t k_lane_bytes = 4 * k_cache_line_bytes;

/// Messages with and without properties follow each other in the same memory.
Scenario lossy(std::uint32_t producers, bool weak) {
  return scenario(
      std::string("a lossy reader, properties in the lane of ") +
          (producers == 1 ? "a single producer" : "one of two producers") + (weak ? ", weak memory" : ""),
      {.slots = 2, .producers = producers, .consumers = 1, .lane_bytes = k_lane_bytes},
      {.preemptions = 2, .delays = 1, .weak = weak},
      [](World& w) {
        w.add_producer(0);
        w.add_private(0, Start::latest, GroupKind::lossy);
        w.publish_with_properties(0, 9);
        add_actor([&w] { w.publish(0, 1, true), w.publish_with_properties(0, 2), w.publish(0, 3); }, {.name = "A"});
        add_actor([&w] { w.receive(0) && w.receive(0); }, {.name = "reader"});
      },
      [](World& w) {
        while (w.receive(0)) {
        }
      });
}

/// The killed producer's message is there whole, with its properties, or not at all.
Scenario death() {
  return scenario(
      "a producer is killed publishing properties, another lives",
      {.slots = 2, .consumers = 1, .lane_bytes = k_lane_bytes}, {.preemptions = 2, .delays = 1, .kills = 1},
      [](World& w) {
        for (unsigned p = 0; p < 2; ++p) w.add_producer(p);
        w.add_private(0);
        const unsigned victim = add_actor([&w] { w.publish_with_properties(0, 1); }, {.name = "A", .mortal = true});
        add_actor([&w] { w.publish_with_properties(1, 3), w.receive(0); }, {.name = "B"});
        add_actor([&w] { w.bury(0); }, {.name = "repair", .gate = [victim] { return is_dead(victim); }});
      },
      [](World& w) {
        w.check_private(0);
        w.check_usable(1, 0);
      });
}

/// Whatever length the reader sees, payload and properties together are the bytes of the message.
Scenario rewritten_length() {
  return scenario(
      "a peer rewrites the length of a message's properties",
      {.slots = 2, .producers = 1, .consumers = 1, .lane_bytes = k_lane_bytes}, {.preemptions = 2, .delays = 1},
      [](World& w) {
        w.add_producer(0);
        w.add_private(0);
        w.publish_with_properties(0, 1);
        add_actor(
            [&w] {
              // The first message of the lane.
              reinterpret_cast<Word*>(w.memory.lane(0))->store_release(PropertiesHead{32, 0, 0}.word());
            },
            {.name = "peer"});
        add_actor(
            [&w] {
              Result<Message> received = w.consumers[0]->try_receive();
              if (!received) return;  // it counts as corrupt
              const std::span<const std::byte> bytes = received->bytes();
              const std::byte* const end = w.memory.lane(0) + k_cache_line_bytes + 16;
              if (bytes.data() + bytes.size() != end) fail("a message ends outside of its bytes");
              static_cast<void>(received->properties());
            },
            {.name = "reader"});
      },
      [](World& w) { w.check_usable(0, 0); });
}

}  // namespace

std::vector<Scenario> property_scenarios() {
  return {lossy(1, false), lossy(1, true), lossy(2, false), death(), rewritten_length()};
}

}  // namespace beltway::explore
