// Named groups that are paused, resumed and reset while producers publish and consumers lease.
#include <string>

#include "ring/floors.hpp"
#include "ring/live_groups.hpp"
#include "scenarios.hpp"
#include "world.hpp"

namespace beltway::explore {

using namespace beltway::ring;

namespace {

constexpr auto k_ack = World::Then::ack;
constexpr auto k_nack = World::Then::nack;

WorldOptions options(std::uint32_t slots, std::uint32_t producers) {
  return {.slots = slots, .producers = producers, .consumers = 3, .groups = 1};
}

void publish_and_ack(World& w, unsigned first, unsigned count) {
  for (unsigned i = 0; i < count; ++i) w.publish(0, first + i), w.receive(0);
}

// -- resets -------------------------------------------------------------------------------------------------------

Reset done;

void reset_to(World& w, std::uint32_t back) {
  done = reset(w.memory, 0, wrap(load_tail(w.memory) - back));
  w.joined();
  note("has reset the group: %llu messages come again", done.restored);
}

/// Each message was acknowledged once, and each one that the reset restored once more. The queue goes on.
void check_reset(World& w) {
  const auto drain = [&w] {
    for (unsigned turns = 0; w.receive(2); ++turns) {
      if (turns > 60) fail("messages of a group come again and again");
    }
    help_floor(w.memory, 0);
    if (wrap(w.memory.group(0).floor.load_acquire()) != load_tail(w.memory)) fail("a group's floor stays behind");
  };
  const auto check_acks = [&w] {
    std::uint64_t expected = done.restored;
    std::uint64_t acks = 0;
    for (unsigned id = 0; id < w.acked.size(); ++id) {
      acks += w.acked[id];
      expected += w.published[id] ? 1U : 0U;
      if (w.published[id] && w.acked[id] == 0) fail("a message of a group is lost");
    }
    if (acks < expected) fail("a message that the reset restored does not come");
    if (acks > expected) fail("a message comes again that the reset has not restored");
  };
  w.add_consumer(2, 0);
  drain();
  check_acks();
  for (std::uint32_t i = 0; i < w.memory.geometry.slots; ++i) {
    const LeasePhase phase = Lease::of(w.memory.lease(0, i).load_acquire()).phase;
    if (phase == LeasePhase::leased || phase == LeasePhase::parked) fail("a lease of nobody is left");
  }
  for (unsigned i = 0; i < 2 * w.memory.geometry.slots; ++i) {
    if (!w.publish(0, 40 + i)) fail("the queue is not usable any more: publish finds no room");
    drain();
  }
  check_acks();
}

/// Producers that have limits by the floor before the reset, while the floor goes back.
Scenario reset_and_producers(std::uint32_t slots, std::uint32_t producers, unsigned publishes) {
  return scenario(
      "a group is reset to oldest, " + std::to_string(producers) + " producers with limits, ring of " +
          std::to_string(slots),
      options(slots, producers), {.preemptions = 2, .delays = 2, .executions = 150'000},
      [=](World& w) {
        for (unsigned p = 0; p < producers; ++p) w.add_producer(p);
        w.add_consumer(0, 0);
        publish_and_ack(w, 10, slots);
        publish_and_ack(w, 20, 1);  // with a limit of the next lap
        add_actor(
            [=, &w] {
              for (unsigned i = 0; i < publishes; ++i) w.publish(0, 1 + i);
            },
            {.name = "A"});
        add_actor([=, &w] { reset_to(w, slots), w.receive(0); }, {.name = "daemon, then its consumer"});
        if (producers > 1) add_actor([&w] { w.publish(1, 8); }, {.name = "B"});
      },
      check_reset);
}

/// A producer that wants the room parks what holds the floor: the message that a consumer holds, and not the daemon's leases.
Scenario reset_and_parking(std::uint32_t producers) {
  WorldOptions parking = options(4, producers);
  parking.max_parked = 3;
  return scenario(
      "a group is reset beside a held message, a producer parks, " + std::to_string(producers) + " producers", parking,
      {.preemptions = 2, .delays = 1, .executions = 150'000},
      [](World& w) {
        w.add_producer(0);
        for (unsigned c = 0; c < 2; ++c) w.add_consumer(c, 0);
        publish_and_ack(w, 20, 3);
        w.publish(0, 23), w.receive(1, World::Then::hold);
        // Behind a finished position, the producer gains room.
        add_actor([&w] { w.end_held(1, k_ack), w.publish(0, 1), w.publish(0, 2); }, {.name = "holder, then producer"});
        add_actor([&w] { reset_to(w, 4), w.receive(0); }, {.name = "daemon, then its consumer"});
      },
      check_reset);
}

/// A consumer that finds no message helps the floor on by what it saw before the reset.
Scenario reset_and_helper(bool sleeper) {
  // A single ack is too few for its consumer to move the floor. So the other one does, or the producer.
  const unsigned messages = sleeper ? 2 : 1;
  return scenario(
      std::string("a group is reset while a consumer that finds nothing ") +
          (sleeper ? "goes to sleep" : "helps the floor"),
      options(4, 2), {.preemptions = 2, .delays = 1, .executions = 150'000},
      [=](World& w) {
        w.add_producer(0);
        for (unsigned c = 0; c < 2; ++c) w.add_consumer(c, 0);
        publish_and_ack(w, 20, messages);
        add_actor([=, &w] { sleeper ? static_cast<void>(w.receive_waiting(1)) : static_cast<void>(w.receive(1)); },
                  {.name = "consumer"});
        add_actor([=, &w] { reset_to(w, messages); }, {.name = "daemon"});
      },
      [=](World& w) {
        if (sleeper) w.check_sleeper(0, k_first_consumer + 1);
        check_reset(w);
      });
}

/// Acks, nacks and leases cross the reset.
Scenario reset_and_consumers(World::Then then, std::uint32_t back) {
  return scenario(
      std::string("a group is reset by ") + std::to_string(back) + " while a message is " +
          (then == k_ack ? "acknowledged" : "given back"),
      options(4, 2), {.preemptions = 2, .delays = 1, .executions = 150'000},
      [=](World& w) {
        w.add_producer(0);
        for (unsigned c = 0; c < 2; ++c) w.add_consumer(c, 0);
        publish_and_ack(w, 20, 2);
        for (unsigned i = 0; i < 2; ++i) w.publish(0, 22 + i);
        w.receive(0, World::Then::hold);
        add_actor([=, &w] { w.end_held(0, then), w.receive(0); }, {.name = "A"});
        add_actor([&w] { w.receive(1), w.receive(1); }, {.name = "B"});
        add_actor([=, &w] { reset_to(w, back); }, {.name = "daemon"});
      },
      check_reset);
}

/// The lane of a message that the reset restores is given to the next loan, or it is not.
Scenario reset_and_lane(std::uint32_t producers) {
  WorldOptions with_lane = options(8, producers);
  with_lane.lane_bytes = 2 * k_cache_line_bytes;
  return scenario(
      "a group is reset while the lane is freed, " + std::to_string(producers) + " producers", with_lane,
      {.preemptions = 2, .delays = 1, .executions = 150'000},
      [](World& w) {
        w.add_producer(0);
        w.add_consumer(0, 0);
        for (unsigned i = 0; i < 2; ++i) w.publish(0, 20 + i, true), w.receive(0);
        add_actor([&w] { w.publish(0, 1, true); }, {.name = "producer"});
        add_actor([&w] { reset_to(w, 2), w.receive(0, World::Then::hold), w.read_held_again(0); },
                  {.name = "daemon, then its consumer"});
      },
      [](World& w) {
        w.read_held_again(0);
        w.end_held(0, k_ack);
        while (w.receive(0)) {
        }
        for (unsigned id = 0; id < w.acked.size(); ++id) {
          if (w.published[id] && w.acked[id] == 0) fail("a message of a group is lost");
        }
      });
}

// -- pauses -------------------------------------------------------------------------------------------------------

Scenario pause_and_leases(World::Then then) {
  static bool paused;
  return scenario(
      std::string("a group is paused while a message is ") + (then == k_ack ? "acknowledged" : "given back"),
      options(2, 2), {.preemptions = 3, .delays = 1, .executions = 150'000},
      [=](World& w) {
        paused = false;
        w.add_producer(0);
        for (unsigned c = 0; c < 2; ++c) w.add_consumer(c, 0);
        for (unsigned i = 0; i < 2; ++i) w.publish(0, 20 + i);
        const auto consume = [=, &w] {
          for (unsigned turn = 0; turn < 2; ++turn) {
            const bool before = paused;
            if (w.receive(0, then) && before && paused) fail("a paused group gave a message");
          }
        };
        const auto pause_for_a_while = [&w] {
          pause(w.memory, 0);
          paused = true;
          w.publish(0, 1);
          paused = false;
          resume(w.memory, 0);
        };
        add_actor(consume, {.name = "consumer"});
        add_actor(pause_for_a_while, {.name = "daemon"});
      },
      [](World& w) { w.check_named(0, 1); });
}

/// Producers wake no consumer of a paused group: the end of the pause must do so.
Scenario pause_and_sleeper() {
  return scenario(
      "a paused group with a sleeping consumer gets a message and is resumed", options(2, 2),
      {.preemptions = 3, .delays = 1, .executions = 150'000},
      [](World& w) {
        w.add_producer(0);
        w.add_consumer(0, 0);
        pause(w.memory, 0);
        add_actor([&w] { w.receive_waiting(0); }, {.name = "consumer"});
        add_actor([&w] { w.publish(0, 1); }, {.name = "producer"});
        add_actor([&w] { resume(w.memory, 0); }, {.name = "daemon"});
      },
      [](World& w) {
        w.check_sleeper(0, k_first_consumer);
        w.check_named(0, 2);
      });
}

}  // namespace

std::vector<Scenario> live_group_scenarios() {
  return {reset_and_producers(2, 1, 3),
          reset_and_producers(4, 1, 5),
          reset_and_producers(2, 2, 2),
          reset_and_producers(4, 2, 4),
          reset_and_parking(1),
          reset_and_parking(2),
          reset_and_helper(false),
          reset_and_helper(true),
          reset_and_consumers(k_ack, 4),
          reset_and_consumers(k_nack, 4),
          reset_and_consumers(k_ack, 2),
          reset_and_lane(1),
          reset_and_lane(2),
          pause_and_leases(k_ack),
          pause_and_leases(k_nack),
          pause_and_sleeper()};
}

}  // namespace beltway::explore
