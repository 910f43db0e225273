// Producers that sleep: for room in the ring, for room in the lane, for a claim of another to end.
#include <stdexcept>
#include <string>

#include "scenarios.hpp"
#include "world.hpp"

namespace beltway::explore {

using namespace beltway::ring;

namespace {

constexpr auto k_ack = World::Then::ack;

Scenario ring_room(std::uint32_t slots, std::uint32_t producers, bool named) {
  return scenario(
      std::to_string(producers) + " producers wait for room, a " + (named ? "named" : "private") + " group, ring of " +
          std::to_string(slots),
      {.slots = slots, .producers = producers, .consumers = 1, .groups = named ? 1U : 0U},
      {.preemptions = 2, .delays = 1, .executions = 150'000},
      [=](World& w) {
        for (unsigned p = 0; p < producers; ++p) w.add_producer(p);
        if (named) {
          w.add_consumer(0, 0);
        } else {
          w.add_private(0);
        }
        for (unsigned i = 0; i < slots; ++i) w.publish(0, 20 + i);
        for (unsigned p = 0; p < producers; ++p) {
          add_actor([=, &w] { w.publish_waiting(p, p + 1); }, {.name = p == 0 ? "producer 0" : "producer 1"});
        }
        add_actor([&w] { w.receive(0) && w.receive(0); }, {.name = "consumer"});
      },
      [=](World& w) {
        for (unsigned p = 0; p < producers; ++p) w.check_sleeper(p, p);
      });
}

/// Two consumers of a group hold a message each; acks in any order must free the room.
Scenario room_by_two_consumers() {
  return scenario(
      "a producer waits for room that two consumers make", {.slots = 2, .producers = 1, .consumers = 2, .groups = 1},
      {.preemptions = 2, .delays = 1, .executions = 150'000},
      [](World& w) {
        w.add_producer(0);
        for (unsigned c = 0; c < 2; ++c) w.add_consumer(c, 0);
        for (unsigned i = 0; i < 2; ++i) w.publish(0, 20 + i);
        for (unsigned c = 0; c < 2; ++c) w.receive(c, World::Then::hold);
        add_actor([&w] { w.publish_waiting(0, 1); }, {.name = "producer"});
        add_actor([&w] { w.end_held(0, k_ack); }, {.name = "A"});
        add_actor([&w] { w.end_held(1, k_ack), w.receive(1); }, {.name = "B"});
      },
      [](World& w) { w.check_sleeper(0, 0); });
}

/// Both are needed, and neither looks for another message: one of them must see the other's end.
Scenario room_by_two_that_stop_receiving(unsigned each) {
  return scenario(
      "a producer waits for room that two consumers make, which stop receiving, " + std::to_string(each) + " each",
      {.slots = 8, .producers = 1, .consumers = 2, .groups = 1}, {.preemptions = 2, .delays = 2, .executions = 150'000},
      [=](World& w) {
        w.add_producer(0);
        for (unsigned c = 0; c < 2; ++c) w.add_consumer(c, 0);
        for (unsigned i = 0; i < 8; ++i) w.publish(0, 20 + i);
        for (unsigned c = 0; c < 2; ++c) w.receive_batch(c, each);
        while (w.receive(0)) {
        }
        add_actor([&w] { w.publish_waiting(0, 1); }, {.name = "producer"});
        for (unsigned c = 0; c < 2; ++c) add_actor([=, &w] { w.end_held(c, k_ack); }, {.name = c == 0 ? "A" : "B"});
      },
      [](World& w) { w.check_sleeper(0, 0); });
}

/// The first of the line may give up at its deadline, in the very moment that there is room, which is then for the second one.
Scenario first_of_the_line_gives_up() {
  return scenario(
      "the first of two producers that wait for room gives up",
      {.slots = 2, .producers = 2, .consumers = 1, .groups = 1},
      {.preemptions = 2, .delays = 1, .timeouts = 1, .executions = 150'000},
      [](World& w) {
        for (unsigned p = 0; p < 2; ++p) w.add_producer(p);
        w.add_consumer(0, 0);
        for (unsigned i = 0; i < 2; ++i) w.publish(0, 20 + i);
        add_actor([&w] { w.publish_waiting(0, 1, false, false); }, {.name = "impatient"});
        add_actor([&w] { w.publish_waiting(1, 2); }, {.name = "patient"});
        add_actor([&w] { w.receive(0); }, {.name = "consumer"});
      },
      [](World& w) {
        w.check_sleeper(0, 0);
        // One place came free: if the first one did not take it, it is the second one's.
        if (!w.published[1]) w.check_sleeper(1, 1);
      });
}

/// The first of the line does not come: it holds a ticket and never claims. Others pass over it.
Scenario first_of_the_line_stands_still() {
  return scenario(
      "the first producer of the line for room never claims", {.slots = 2, .producers = 3, .consumers = 1, .groups = 1},
      {.preemptions = 2, .delays = 1, .executions = 100'000},
      [](World& w) {
        for (unsigned p = 0; p < 2; ++p) w.add_producer(p);
        w.add_consumer(0, 0);
        w.memory.endpoint(2).ticket.store_relaxed(2);  // of an event loop
        w.memory.shared_status().room_line.fetch_or(1U << 2);
        w.memory.shared_status().next_ticket.store_relaxed(1);
        for (unsigned i = 0; i < 2; ++i) w.publish(0, 20 + i);
        add_actor(
            [&w] {
              w.receive(0);
              w.receive(0);
            },
            {.name = "consumer"});
        for (unsigned p = 0; p < 2; ++p) {
          add_actor([=, &w] { w.publish_waiting(p, p + 1); }, {.name = p == 0 ? "producer 0" : "producer 1"});
        }
      },
      [](World& w) {
        for (unsigned p = 0; p < 2; ++p) w.check_sleeper(p + 1, p);
      });
}

/// A VOID makes room, and nobody acknowledges or looks any more.
Scenario room_behind_a_void() {
  return scenario(
      "a producer waits for room behind a claim that becomes VOID",
      {.slots = 2, .producers = 2, .consumers = 1, .groups = 1}, {.preemptions = 3, .delays = 1},
      [](World& w) {
        for (unsigned p = 0; p < 2; ++p) w.add_producer(p);
        w.add_consumer(0, 0);
        const auto publish_void = [&w] {
          try {
            static_cast<void>(w.producers[1]->try_publish(
                16, [](std::span<std::byte>) { throw std::runtime_error("the writer of this message gives up"); }));
          } catch (const std::runtime_error&) {
            note("its claim is VOID");
          }
        };
        add_actor(publish_void, {.name = "voider"});
        add_actor([&w] { w.publish_waiting(0, 1), w.publish_waiting(0, 2); }, {.name = "producer"});
      },
      [](World& w) { w.check_sleeper(1, 0); });
}

/// The lane is full and the ring is not: acks of a large ring are gathered, and the floor is helped by nobody else.
/// `looks`: the consumer looks for more, and helps the floor when there is nothing.
Scenario lane_room(std::uint32_t slots, bool named, bool receives) {
  return scenario(
      std::string("a producer waits for room in its lane, a ") + (named ? "named" : "private") + " group, ring of " +
          std::to_string(slots) + (receives ? "" : ", the consumer stops receiving"),
      {.slots = slots, .producers = 2, .consumers = 1, .groups = named ? 1U : 0U, .lane_bytes = k_cache_line_bytes},
      {.preemptions = 2, .delays = 1, .executions = 150'000},
      [=](World& w) {
        w.add_producer(0);
        if (named) {
          w.add_consumer(0, 0);
        } else {
          w.add_private(0);
        }
        w.publish(0, 20, true);
        w.receive(0, World::Then::hold);
        add_actor([&w] { w.publish_waiting(0, 1, true); }, {.name = "producer"});
        const auto consume = [=, &w] {
          w.end_held(0, k_ack);
          if (receives) w.receive(0);
        };
        add_actor(consume, {.name = "consumer"});
      },
      [](World& w) { w.check_sleeper(0, 0); });
}

/// A group joined past a claim that is still being written; a lap later, its slot is busy and not full.
Scenario busy_slot() {
  return scenario(
      "a producer waits for a claim of the lap before", {.slots = 2, .producers = 2, .consumers = 1},
      {.preemptions = 3, .delays = 1, .executions = 150'000},
      [](World& w) {
        for (unsigned p = 0; p < 2; ++p) w.add_producer(p);
        add_actor([&w] { w.publish(1, 10); }, {.name = "slow"});
        add_actor(
            [&w] {
              for (unsigned id = 1; id < 4; ++id) w.publish_waiting(0, id);
            },
            {.name = "producer"});
      },
      [](World& w) { w.check_sleeper(1, 0); });
}

}  // namespace

std::vector<Scenario> room_scenarios() {
  return {ring_room(2, 2, false),
          ring_room(2, 2, true),
          ring_room(4, 1, true),
          room_by_two_consumers(),
          room_by_two_that_stop_receiving(1),
          room_by_two_that_stop_receiving(2),
          first_of_the_line_gives_up(),
          first_of_the_line_stands_still(),
          room_behind_a_void(),
          lane_room(4, false, true),
          lane_room(8, true, true),
          lane_room(8, true, false),
          busy_slot()};
}

}  // namespace beltway::explore
