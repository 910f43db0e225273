// Parked messages: a consumer holds one while producers need its place. They park it, go around it, and see its lease end.
// See ring/parking.hpp.
#include "ring/floors.hpp"
#include "ring/parking.hpp"
#include "scenarios.hpp"
#include "world.hpp"

namespace beltway::explore {

using namespace beltway::ring;

namespace {

constexpr auto k_ack = World::Then::ack;
constexpr auto k_nack = World::Then::nack;
constexpr auto k_hold = World::Then::hold;

WorldOptions options(std::uint32_t slots, std::uint32_t producers, std::uint64_t lane_bytes = 0) {
  return {.slots = slots,
          .producers = producers,
          .consumers = 4,
          .groups = 1,
          .lane_bytes = lane_bytes,
          .max_parked = slots / 2};
}

/// A full ring: consumer 0 holds its first message, and consumer 1 has acknowledged all others.
void prepare(World& w, bool large = false) {
  w.add_producer(0);
  w.add_consumer(0, 0);
  w.add_consumer(1, 0);
  for (unsigned i = 0; i < w.memory.geometry.slots; ++i) {
    w.publish(0, 20 + i, large && i == 0);
    w.receive(i == 0 ? 0 : 1, i == 0 ? k_hold : k_ack);
  }
}

void reread_and_end(World& w, World::Then then) {
  w.read_held_again(0);
  w.end_held(0, then);
}

Scenario held(std::uint32_t producers, World::Then then) {
  return scenario(
      std::string("a held message is parked, then ") + (then == k_ack ? "acknowledged, " : "given back, ") +
          std::to_string(producers) + " producers",
      options(2, producers), {.preemptions = 2, .delays = 1, .executions = 150'000},
      [=](World& w) {
        prepare(w);
        if (producers > 1) w.add_producer(1);
        add_actor([&w] { w.publish(0, 1), w.receive(1); }, {.name = "producer 0"});
        if (producers > 1) add_actor([&w] { w.publish(1, 2); }, {.name = "producer 1"});
        add_actor([=, &w] { reread_and_end(w, then); }, {.name = "holder"});
      },
      [](World& w) {
        w.check_named(0, 3);
        w.check_usable(0, 0);
      });
}

/// Two slots in a row are parked, and one of them comes free while a producer goes around them.
Scenario two_held(std::uint32_t producers) {
  return scenario(
      "two held messages are parked, " + std::to_string(producers) + " producers", options(4, producers),
      {.preemptions = 2, .delays = 0, .executions = 150'000},
      [](World& w) {
        w.add_producer(0);
        for (unsigned c = 0; c < 3; ++c) w.add_consumer(c, 0);
        for (unsigned i = 0; i < 4; ++i) {
          w.publish(0, 20 + i);
          w.receive(i == 0 ? 0 : i == 1 ? 2 : 1, i < 2 ? k_hold : k_ack);
        }
        add_actor([&w] { w.publish(0, 1), w.receive(1), w.publish(0, 2), w.receive(1); }, {.name = "producer"});
        add_actor([&w] { w.end_held(2, k_ack); }, {.name = "holder"});
      },
      [](World& w) {
        w.read_held_again(0);
        w.end_held(0, k_ack);
        w.check_named(0, 3);
      });
}

/// The consumer has leased and not looked at its slot again, while the message is parked and a producer goes around it.
Scenario before_the_second_check() {
  return scenario(
      "a message is parked before its consumer looks again", options(2, 2), {.preemptions = 2, .delays = 0},
      [](World& w) {
        w.add_producer(0);
        for (unsigned c = 0; c < 2; ++c) w.add_consumer(c, 0);
        w.publish(0, 20), w.publish(0, 21);
        w.receive(0, k_hold), w.receive(1);
        w.end_held(0, k_nack);
        add_actor([&w] { w.receive(0); }, {.name = "consumer"});
        add_actor([&w] { w.publish(0, 1), w.receive(1), w.publish(0, 2); }, {.name = "producer"});
      },
      [](World& w) { w.check_named(0, 3); });
}

Scenario dead_holder(World::Then then) {
  return scenario(
      std::string("a consumer with a parked message is killed ") +
          (then == k_ack ? "acknowledging it" : "giving it back"),
      options(2, 2), {.preemptions = 2, .delays = 0, .kills = 1, .executions = 200'000},
      [=](World& w) {
        prepare(w);
        const unsigned victim = add_actor([=, &w] { w.end_held(0, then); }, {.name = "victim", .mortal = true});
        add_actor([&w] { w.publish(0, 1), w.receive(1); }, {.name = "producer"});
        add_actor([&w] { w.bury(k_first_consumer); }, {.name = "repair", .gate = [victim] { return is_dead(victim); }});
      },
      [=](World& w) { w.check_named(0, 3, is_dead(0) ? 1 : 0); });
}

Scenario thrown_out_holder() {
  WorldOptions evictable = options(2, 2);
  evictable.evictable = true;
  return scenario(
      "a consumer is thrown out while a producer parks its message", evictable,
      {.preemptions = 2, .delays = 0, .executions = 150'000},
      [](World& w) {
        prepare(w);
        add_actor([&w] { w.throw_out(0, 0); }, {.name = "daemon"});
        add_actor([&w] { w.publish(0, 1), w.receive(1); }, {.name = "producer"});
      },
      [](World& w) { w.check_named(0, 3); });
}

/// One producer finds marks that are stale. Before it clears them, another one parks a message in one of these slots.
Scenario stale_marks() {
  return scenario(
      "one producer clears the mark of a slot that another parks", options(2, 2),
      {.preemptions = 1, .delays = 0, .executions = 250'000},
      [](World& w) {
        for (unsigned index = 0; index < 2; ++index) w.add_producer(index), w.add_consumer(index, 0);
        for (unsigned i = 0; i < 2; ++i) w.publish(0, 20 + i), w.receive(1);
        w.memory.parked_slots(0).store_relaxed(ParkedSlots{9, 1U << (load_tail(w.memory) & 1)}.word());
        add_actor([&w] { w.publish(1, 1); }, {.name = "clears"});
        const auto park = [&w] {
          w.publish(0, 2), w.receive(0, k_hold);
          for (unsigned i = 0; i < 2; ++i) w.publish(0, 3 + i), w.receive(1);
        };
        add_actor(park, {.name = "parks"});
      },
      [](World& w) {
        while (w.receive(1)) {
        }
        w.read_held_again(0);
        w.end_held(0, k_ack);
        w.check_named(0, 3);
      });
}

/// The message lies in the lane, which goes round beside it.
Scenario in_the_lane(std::uint32_t producers) {
  return scenario(
      "the lane goes around a held message, " + std::to_string(producers) + " producers", options(4, producers, 256),
      {.preemptions = 1, .delays = 0, .executions = 150'000},
      [](World& w) {
        prepare(w, true);
        const auto go_round = [&w] {
          for (unsigned i = 0; i < 5; ++i) w.publish(0, 1 + i, true), w.receive(1);
        };
        add_actor(go_round, {.name = "producer"});
        add_actor([&w] { w.read_held_again(0); }, {.name = "holder"});
      },
      [](World& w) {
        w.read_held_again(0);
        w.end_held(0, k_ack);
        w.check_named(0, 3);
      });
}

/// The producer of a parked message is gone, and the next one at its place finds the bytes.
Scenario heir() {
  return scenario(
      "a dead producer's lane is taken over, a message in it is parked", options(4, 2, 256),
      {.preemptions = 1, .delays = 0, .executions = 150'000},
      [](World& w) {
        prepare(w, true);
        for (unsigned i = 0; i < 4; ++i) w.publish(0, 30 + i), w.receive(1);
        w.producers[0].reset();
        w.bury(0);
        w.add_producer(0);
        const auto go_round = [&w] {
          for (unsigned i = 0; i < 5; ++i) w.publish(0, 1 + i, true), w.receive(1);
        };
        add_actor(go_round, {.name = "heir"});
        add_actor([&w] { w.read_held_again(0); }, {.name = "holder"});
      },
      [](World& w) {
        w.read_held_again(0);
        w.end_held(0, k_ack);
        w.check_named(0, 3);
      });
}

/// As many slots as may be are parked: only the end of such a lease makes room.
Scenario sleeping_producer(World::Then then) {
  WorldOptions one = options(4, 1);
  one.max_parked = 1;
  return scenario(
      std::string("a producer sleeps until a parked message is ") + (then == k_ack ? "acknowledged" : "given back"),
      one, {.preemptions = 2, .delays = 0, .executions = 150'000},
      [=](World& w) {
        prepare(w);
        w.add_consumer(2, 0);
        w.publish(0, 30), w.receive(2, k_hold);
        for (unsigned i = 0; w.publish(0, 31 + i); ++i) w.receive(1);
        add_actor([&w] { w.publish_waiting(0, 1); }, {.name = "producer"});
        add_actor(
            [=, &w] {
              w.end_held(0, then);
              if (then == k_nack) w.receive(1);
            },
            {.name = "holder"});
      },
      [](World& w) {
        w.check_sleeper(0, 0);
        w.end_held(2, k_ack);
        w.check_named(0, 3);
      });
}

/// Its lane is full of a parked message and of one that is only held. No floor moves when the parked one ends.
Scenario sleeping_for_the_lane() {
  return scenario(
      "a producer sleeps for its lane until a parked message is acknowledged", options(4, 1, 128),
      {.preemptions = 2, .delays = 0, .executions = 150'000},
      [](World& w) {
        prepare(w, true);
        w.add_consumer(2, 0);
        w.publish(0, 30), w.receive(1);
        w.publish(0, 31, true), w.receive(2, k_hold);
        add_actor([&w] { w.publish_waiting(0, 1, true); }, {.name = "producer"});
        add_actor([&w] { w.end_held(0, k_ack); }, {.name = "holder"});
      },
      [](World& w) {
        w.check_sleeper(0, 0);
        w.end_held(2, k_ack);
        w.check_named(0, 3);
      });
}

/// A consumer that finds nothing parks what holds the floor, for a producer that sleeps.
Scenario parked_by_a_consumer(std::uint32_t producers) {
  return scenario(
      "a consumer parks for a producer that sleeps, " + std::to_string(producers) + " producers", options(2, producers),
      {.preemptions = 2, .delays = 0, .executions = 150'000},
      [](World& w) {
        w.add_producer(0);
        for (unsigned c = 0; c < 2; ++c) w.add_consumer(c, 0);
        w.publish(0, 20), w.publish(0, 21);
        w.receive(0, k_hold), w.receive(1, k_hold);
        add_actor([&w] { w.publish_waiting(0, 1); }, {.name = "producer"});
        add_actor([&w] { w.end_held(1, k_ack); }, {.name = "consumer"});
      },
      [](World& w) {
        w.check_sleeper(0, 0);
        w.read_held_again(0);
        w.end_held(0, k_ack);
        w.check_named(0, 3);
      });
}

/// The ring is nearly full, and an ack parks what a producer parks, too.
Scenario parked_before_full() {
  return scenario(
      "a consumer parks before the ring is full", options(32, 2),
      {.preemptions = 1, .delays = 0, .executions = 150'000},
      [](World& w) {
        w.add_producer(0);
        for (unsigned c = 0; c < 2; ++c) w.add_consumer(c, 0);
        for (unsigned i = 0; i < 31; ++i) w.publish(0, 20 + i);
        w.receive(0, k_hold);
        for (unsigned i = 1; i < k_park_window; ++i) w.receive(1);
        w.receive(1, k_hold);
        add_actor([&w] { w.end_held(1, k_ack); }, {.name = "consumer"});
        add_actor([&w] { w.publish(0, 1), w.publish(0, 2); }, {.name = "producer"});
      },
      [](World& w) {
        while (w.receive(1)) {
        }
        w.read_held_again(0);
        w.end_held(0, k_ack);
        w.check_named(0, 1);
      });
}

/// All slots are parked: the producer makes a whole ring of positions VOID, and publishes nothing that would wake a reader.
Scenario sleeping_private_consumer(std::uint32_t producers) {
  WorldOptions all = options(2, producers);
  all.max_parked = 2;
  return scenario(
      "a private consumer sleeps while a producer goes around parked slots, " + std::to_string(producers) +
          " producers",
      all, {.preemptions = 2, .delays = 0, .executions = 150'000},
      [](World& w) {
        prepare(w);
        w.publish(0, 30), w.receive(1, k_hold);
        w.add_private(2);
        add_actor([&w] { w.publish_waiting(0, 1); }, {.name = "producer"});
        add_actor([&w] { w.receive_waiting(2); }, {.name = "private consumer"});
        add_actor([&w] { w.end_held(1, k_ack); }, {.name = "holder"});
      },
      [](World& w) {
        w.check_sleeper(1, k_first_consumer + 2);
        w.check_sleeper(0, 0);
        w.end_held(0, k_ack);
        w.check_usable(0, 2);
      });
}

/// Before, messages waited for a consumer: nothing was parked, and no ack follows.
Scenario last_waiting_message() {
  return scenario(
      "the last message that waits is leased while a producer sleeps", options(4, 1),
      {.preemptions = 2, .delays = 0, .executions = 150'000},
      [](World& w) {
        w.add_producer(0);
        for (unsigned c = 0; c < 3; ++c) w.add_consumer(c, 0);
        for (unsigned i = 0; i < 4; ++i) w.publish(0, 20 + i);
        w.receive(0, k_hold), w.receive(1);
        add_actor([&w] { w.publish_waiting(0, 1); }, {.name = "producer"});
        add_actor([&w] { w.receive(1, k_hold); }, {.name = "one"});
        add_actor([&w] { w.receive(2, k_hold); }, {.name = "another"});
      },
      [](World& w) {
        w.check_sleeper(0, 0);
        for (unsigned c = 0; c < 3; ++c) w.end_held(c, k_ack);
        w.check_named(0, 3);
      });
}

Scenario removal() {
  return scenario(
      "a group with a parked message is removed", options(2, 2), {.preemptions = 2, .delays = 0},
      [](World& w) {
        prepare(w);
        w.publish(0, 30);
        add_actor([&w] { leave(w.memory, 0); }, {.name = "daemon"});
        add_actor([&w] { reread_and_end(w, k_ack); }, {.name = "holder"});
        add_actor([&w] { w.publish(0, 1), w.publish(0, 2); }, {.name = "producer"});
      },
      [](World& w) {
        if (!try_drain(w.memory, 0)) fail("a removed group is not drained");
      });
}

Scenario end_of_stream() {
  return scenario(
      "a stream ends while a message is parked", options(2, 1), {.preemptions = 2, .delays = 0},
      [](World& w) {
        prepare(w);
        w.publish(0, 30), w.receive(1);
        w.producers[0].reset();
        w.bury(0);
        const auto wait = [&w] {
          while (w.receive_waiting(1) == Status::ok) {
          }
        };
        add_actor(wait, {.name = "waits"});
        add_actor([&w] { reread_and_end(w, k_nack); }, {.name = "holder"});
      },
      [](World& w) {
        w.check_sleeper(0, k_first_consumer + 1);
        if (w.acked[20] != 1) fail("a stream ended before a parked message");
      });
}

}  // namespace

std::vector<Scenario> parking_scenarios() {
  return {held(1, k_ack),
          held(1, k_nack),
          held(2, k_ack),
          held(2, k_nack),
          two_held(1),
          two_held(2),
          before_the_second_check(),
          dead_holder(k_ack),
          dead_holder(k_nack),
          thrown_out_holder(),
          stale_marks(),
          in_the_lane(1),
          in_the_lane(2),
          heir(),
          sleeping_producer(k_ack),
          sleeping_producer(k_nack),
          sleeping_for_the_lane(),
          parked_by_a_consumer(1),
          parked_by_a_consumer(2),
          parked_before_full(),
          sleeping_private_consumer(1),
          sleeping_private_consumer(2),
          last_waiting_message(),
          removal(),
          end_of_stream()};
}

}  // namespace beltway::explore
