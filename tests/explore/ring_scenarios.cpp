// Claims: several producers and a private consumer, a dead producer and its repair, helpers that are late by laps.
#include "scenarios.hpp"
#include "world.hpp"

namespace beltway::explore {

namespace {

Scenario two_producers(std::uint32_t slots, bool full) {
  return scenario(
      std::string("two producers and a private consumer, ring ") + (full ? "full" : "empty"), {.slots = slots},
      {.preemptions = 2, .delays = 1},
      [=](World& w) {
        for (unsigned p = 0; p < 2; ++p) w.add_producer(p);
        w.add_private(0);
        for (unsigned i = 0; full && i < slots; ++i) w.publish(0, 30 + i);
        add_actor([&w] { w.publish(0, 1), w.publish(0, 2); }, {.name = "A"});
        add_actor([&w] { w.publish(1, 3), w.publish(1, 4); }, {.name = "B"});
        add_actor([&w] { w.receive(0) && w.receive(0) && w.receive(0); }, {.name = "C"});
      },
      [](World& w) {
        w.check_private(0);
        w.check_usable(2, 0);
      });
}

Scenario dead_producer(std::uint32_t slots, std::uint32_t producers) {
  return scenario(
      producers == 1 ? "the single producer is killed and repaired"
                     : "a producer is killed and repaired, another lives",
      {.slots = slots, .producers = producers, .consumers = 1}, {.preemptions = 2, .delays = 1, .kills = 1},
      [=](World& w) {
        w.add_producer(0);
        w.add_private(0);
        w.publish(0, 30);
        const unsigned victim = add_actor([&w] { w.publish(0, 1); }, {.name = "A", .mortal = true});
        if (producers > 1) {
          w.add_producer(1);
          add_actor([&w] { w.publish(1, 3), w.publish(1, 4); }, {.name = "B"});
        } else {
          add_actor([&w] { w.receive(0), w.receive(0); }, {.name = "B"});
        }
        add_actor([&w] { w.bury(0); }, {.name = "repair", .gate = [victim] { return is_dead(victim); }});
      },
      [=](World& w) {
        w.check_private(0);
        if (is_dead(0)) w.add_producer(0);
        w.check_usable(0, 0);
      });
}

Scenario laps() {
  return scenario(
      "two late producers, one that laps them", {.slots = 2, .consumers = 1}, {.preemptions = 3, .delays = 1},
      [](World& w) {
        for (unsigned p = 0; p < 3; ++p) w.add_producer(p);
        w.add_private(0);
        add_actor([&w] { w.publish(0, 1); }, {.name = "A"});
        add_actor(
            [&w] {
              for (unsigned id = 10; id < 13; ++id) w.publish(1, id), w.receive(0);
            },
            {.name = "B"});
        add_actor([&w] { w.publish(2, 3); }, {.name = "C"});
      },
      [](World& w) {
        w.check_private(0);
        w.check_usable(0, 0);
      });
}

}  // namespace

std::vector<Scenario> ring_scenarios() {
  return {two_producers(2, false),
          two_producers(2, true),
          two_producers(4, true),
          dead_producer(2, 3),
          dead_producer(4, 3),
          dead_producer(2, 1),
          laps()};
}

}  // namespace beltway::explore
