// Named groups: leases, acks and nacks of two and three consumers, one by one and in batches, and dead ones repaired.
#include "ring/claim.hpp"
#include "scenarios.hpp"
#include "world.hpp"

namespace beltway::explore {

using namespace beltway::ring;

namespace {

constexpr auto k_ack = World::Then::ack;
constexpr auto k_nack = World::Then::nack;

/// A group with `before` messages, and consumers 0 to 2; consumer 3 is for the check.
void prepare(World& w, unsigned before, unsigned consumers) {
  w.add_producer(0);
  for (unsigned i = 0; i < before; ++i) w.publish(0, 20 + i);
  for (unsigned c = 0; c < consumers; ++c) w.add_consumer(c, 0);
}

WorldOptions options(std::uint32_t slots, std::uint32_t producers = 2) {
  return {.slots = slots, .producers = producers, .consumers = 4, .groups = 1};
}

Scenario one_nack(std::uint32_t slots) {
  return scenario(
      "a nack and two acks, ring of " + std::to_string(slots), options(slots),
      {.preemptions = 2, .delays = 1, .executions = 150'000},
      [](World& w) {
        prepare(w, 2, 3);
        add_actor([&w] { w.receive(0, k_nack); }, {.name = "A"});
        add_actor([&w] { w.receive(1), w.receive(1); }, {.name = "B"});
        add_actor([&w] { w.receive(2); }, {.name = "C"});
      },
      [](World& w) { w.check_named(0, 3); });
}

Scenario two_nacks(std::uint32_t slots) {
  return scenario(
      "two nacks against acks, ring of " + std::to_string(slots), options(slots), {.preemptions = 3, .delays = 1},
      [](World& w) {
        prepare(w, 2, 2);
        add_actor([&w] { w.receive(0, k_nack), w.receive(0, k_nack); }, {.name = "A"});
        add_actor([&w] { w.receive(1), w.receive(1), w.receive(1); }, {.name = "B"});
      },
      [](World& w) { w.check_named(0, 3); });
}

/// A consumer walks over several positions and moves `next` once, at the end.
Scenario batch_and_nack(std::uint32_t slots) {
  return scenario(
      "a batch against nacks, ring of " + std::to_string(slots), options(slots),
      {.preemptions = 2, .delays = 1, .executions = 150'000},
      [=](World& w) {
        prepare(w, slots, 3);
        add_actor([&w] { w.receive_batch(0, 3), w.end_held(0, k_ack); }, {.name = "batch"});
        add_actor([&w] { w.receive(1, k_nack); }, {.name = "B"});
        add_actor([&w] { w.receive(2, k_nack), w.receive(2); }, {.name = "C"});
      },
      [](World& w) { w.check_named(0, 3); });
}

Scenario two_batches() {
  return scenario(
      "two batches, one given back, and a producer", options(4), {.preemptions = 2, .delays = 1, .executions = 150'000},
      [](World& w) {
        prepare(w, 4, 2);
        add_actor([&w] { w.receive_batch(0, 3), w.end_held(0, k_nack); }, {.name = "A"});
        add_actor([&w] { w.receive_batch(1, 3), w.end_held(1, k_ack); }, {.name = "B"});
        add_actor([&w] { w.publish(0, 1), w.publish(0, 2); }, {.name = "producer"});
      },
      [](World& w) { w.check_named(0, 3); });
}

Scenario dead_consumer(std::uint32_t slots, World::Then then, bool batch) {
  return scenario(
      std::string("a consumer is killed ") + (then == k_ack ? "acknowledging" : "giving back") +
          (batch ? " a batch" : "") + ", ring of " + std::to_string(slots),
      options(slots), {.preemptions = 2, .delays = 0, .kills = 1, .executions = 250'000},
      [=](World& w) {
        prepare(w, slots < 4 ? 2 : 3, 2);
        const auto live = [=, &w] {
          if (batch) {
            w.receive_batch(0, 2), w.end_held(0, then);
          } else {
            w.receive(0, then);
          }
        };
        const unsigned victim = add_actor(live, {.name = "victim", .mortal = true});
        add_actor([&w] { w.receive(1), w.receive(1); }, {.name = "B"});
        add_actor([&w] { w.bury(k_first_consumer); }, {.name = "repair", .gate = [victim] { return is_dead(victim); }});
      },
      // One ack may have been done by the dead, or a batch of two.
      [=](World& w) {
        w.check_named(0, 3, !is_dead(0) ? 0 : batch && then == k_ack ? 2 : 1);
      });
}

/// It stood still with a message that is another's by the time it goes on: what it does late changes nothing.
Scenario thrown_out(World::Then then) {
  WorldOptions evicting = options(2);
  evicting.evictable = true;
  return scenario(
      std::string("a consumer is thrown out ") + (then == k_ack ? "acknowledging" : "giving back") +
          ", another gets its message",
      evicting, {.preemptions = 2, .delays = 0, .executions = 250'000},
      [=](World& w) {
        prepare(w, 2, 2);
        w.receive(0, World::Then::hold);
        w.receive(1);
        add_actor([=, &w] { w.end_held(0, then); }, {.name = "A"});
        add_actor([&w] { w.throw_out(0, 0); }, {.name = "daemon"});
        const auto take_over = [&w] {
          w.receive(1, World::Then::hold);
          w.read_held_again(1);
          w.end_held(1, k_ack);
        };
        add_actor(take_over, {.name = "B"});
        add_actor([&w] { w.publish(0, 1); }, {.name = "producer"});
      },
      [](World& w) { w.check_named(0, 3); });
}

/// Acks in any order, and producers that help the floor: one swap passes many positions.
Scenario floors(std::uint32_t slots, unsigned before) {
  return scenario(
      "acks out of order and a producer that wants the room, ring of " + std::to_string(slots), options(slots),
      {.preemptions = 2, .delays = 1, .executions = 150'000},
      [=](World& w) {
        prepare(w, before, 2);
        for (unsigned c = 0; c < 2; ++c) w.receive(c, World::Then::hold);
        add_actor([&w] { w.end_held(0, k_ack); }, {.name = "A"});
        add_actor([&w] { w.end_held(1, k_ack), w.receive(1); }, {.name = "B"});
        add_actor([&w] { w.publish(0, 1), w.publish(0, 2); }, {.name = "producer"});
      },
      [](World& w) { w.check_named(0, 3); });
}

/// One helps, the other has just looked: it must not call the ring full.
Scenario two_helpers() {
  return scenario(
      "a consumer and a producer help the floor of a ring that has room", options(8), {.preemptions = 2, .delays = 1},
      [](World& w) {
        prepare(w, 8, 1);
        // Two acks are too few for the consumer to move the floor by itself.
        w.receive(0), w.receive(0);
        w.receive_batch(0, 3), w.receive_batch(0, 3);
        // The claim itself: a Producer tries twice, and would have to be unlucky twice.
        const auto claim = [&w] {
          Claimer claimer(w.memory, 1);
          claimer.accept_notice();
          for (unsigned i = 0; i < 2; ++i) {
            const detail::ClaimedSlot<Claimer> slot(claimer, 0);
            if (slot.claim() == Claim::full) fail("a ring that has room all the time was called full");
          }
        };
        add_actor(claim, {.name = "producer"});
        add_actor([&w] { w.receive(0); }, {.name = "consumer"});
      },
      [](World& w) {
        w.end_held(0, k_ack);
        w.check_named(0, 3);
      });
}

}  // namespace

std::vector<Scenario> group_scenarios() {
  return {one_nack(2),
          two_nacks(2),
          two_nacks(4),
          batch_and_nack(2),
          batch_and_nack(4),
          two_batches(),
          dead_consumer(2, k_nack, false),
          dead_consumer(2, k_ack, false),
          dead_consumer(4, k_nack, true),
          thrown_out(k_ack),
          thrown_out(k_nack),
          floors(2, 2),
          floors(4, 4),
          two_helpers()};
}

}  // namespace beltway::explore
