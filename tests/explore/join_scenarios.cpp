// Groups that join while producers publish: at the latest message and at the oldest, on single- and several-producer rings.
#include <string>

#include "scenarios.hpp"
#include "world.hpp"

namespace beltway::explore {

using namespace beltway::ring;

namespace {

void publish_some(World& w, unsigned producer, unsigned first, unsigned count) {
  for (unsigned i = 0; i < count; ++i) w.publish(producer, first + i);
}

/// The check of all: what joined sees everything from its start on, and holds producers from then on.
void check(World& w, unsigned joined, bool has_reader, unsigned reader = 0) {
  const auto read = [&] { return has_reader && w.receive(reader); };
  for (unsigned i = 0; i < w.memory.geometry.slots + 2; ++i) {
    w.publish(0, 20 + i);
    while (read()) {
    }
  }
  w.check_joined(joined);
  for (unsigned i = 0; i < w.memory.geometry.slots + 2; ++i) {
    if (!w.publish(0, 30 + i)) fail("the queue is not usable any more: publish finds no room");
    w.check_joined(joined);
    while (read()) {
    }
  }
}

Scenario with_reader(std::uint32_t slots) {
  return scenario(
      "join at latest, two producers and a reader, ring of " + std::to_string(slots), {.slots = slots, .producers = 2},
      {.preemptions = 2, .delays = 1},
      [](World& w) {
        for (unsigned p = 0; p < 2; ++p) w.add_producer(p);
        w.add_private(0);
        w.publish(0, 19);
        add_actor([&w] { publish_some(w, 0, 1, 3); }, {.name = "A"});
        add_actor([&w] { w.add_private(1), w.joined(), w.receive(1) && w.receive(1); }, {.name = "joiner"});
        add_actor([&w] { w.publish(1, 10), w.receive(0), w.receive(0), publish_some(w, 1, 11, 2); }, {.name = "B"});
      },
      [](World& w) { check(w, 1, true); });
}

Scenario two_producers(std::uint32_t slots, Start start, unsigned before) {
  return scenario(
      std::string("join at ") + (start == Start::latest ? "latest" : "oldest") + ", two producers, ring of " +
          std::to_string(slots) + (before == 0 ? "" : ", cached limits"),
      {.slots = slots, .producers = 2, .consumers = 1}, {.preemptions = 3, .delays = 1, .executions = 150'000},
      [=](World& w) {
        for (unsigned p = 0; p < 2; ++p) w.add_producer(p), publish_some(w, p, 15 + 2 * p, before);
        add_actor([&w] { publish_some(w, 0, 1, 2); }, {.name = "A"});
        add_actor([=, &w] { w.add_private(0, start), w.joined(), w.receive(0) && w.receive(0); }, {.name = "joiner"});
        add_actor([&w] { publish_some(w, 1, 10, 2); }, {.name = "B"});
      },
      [](World& w) { check(w, 0, false); });
}

Scenario single_producer(std::uint32_t slots, Start start, bool reader) {
  return scenario(
      std::string("join at ") + (start == Start::latest ? "latest" : "oldest") + ", single producer" +
          (reader ? " and a reader" : "") + ", ring of " + std::to_string(slots),
      {.slots = slots, .producers = 1}, {.preemptions = 2, .delays = 2},
      [=](World& w) {
        w.add_producer(0);
        // A limit of the lap before is at hand: the first claims look at nothing.
        w.publish(0, 19);
        if (reader) w.add_private(0), w.receive(0);
        add_actor([=, &w] { publish_some(w, 0, 1, slots + 3); }, {.name = "A"});
        add_actor([=, &w] { w.add_private(1, start), w.joined(), w.receive(1) && w.receive(1); }, {.name = "joiner"});
        if (reader) add_actor([&w] { w.receive(0) && w.receive(0); }, {.name = "reader"});
      },
      [=](World& w) { check(w, 1, reader); });
}

/// The joiner's group is looked at before the reader's: a limit from a scan that missed the joiner must not count.
Scenario below_a_reader(Start start) {
  return scenario(
      std::string("join at ") + (start == Start::latest ? "latest" : "oldest") + " below a reader whose floor moves",
      {.slots = 2, .producers = 2}, {.preemptions = 3, .delays = 0, .executions = 150'000},
      [=](World& w) {
        for (unsigned p = 0; p < 2; ++p) w.add_producer(p);
        w.add_private(1);
        if (start == Start::oldest) w.publish(0, 19);
        add_actor([&w] { publish_some(w, 0, 1, 3); }, {.name = "A"});
        add_actor([=, &w] { w.add_private(0, start), w.joined(); }, {.name = "joiner"});
        add_actor([&w] { publish_some(w, 1, 10, 2), w.receive(1), w.receive(1); }, {.name = "B"});
      },
      [](World& w) { check(w, 0, true, 1); });
}

/// A named group that joins: producers that find the ring full help its floor while the join still raises it.
Scenario named(std::uint32_t slots, Start start, std::uint32_t producers) {
  return scenario(
      std::string("a named group joins at ") + (start == Start::latest ? "latest" : "oldest") + ", " +
          std::to_string(producers) + " producers, ring of " + std::to_string(slots),
      {.slots = slots, .producers = producers, .consumers = 1, .groups = 1},
      {.preemptions = 2, .delays = 1, .executions = 150'000},
      [=](World& w) {
        // The group of the beginning goes, so that there is one to make.
        leave(w.memory, 0);
        free_group(w.memory, 0);
        for (unsigned p = 0; p < producers; ++p) w.add_producer(p);
        w.publish(0, 19);
        add_actor([=, &w] { publish_some(w, 0, 1, producers == 1 ? slots + 2 : 2); }, {.name = "A"});
        add_actor(
            [=, &w] {
              join(w.memory, 0, GroupKind::named, start);
              w.joined();
              w.add_consumer(0, 0);
              w.receive(0) && w.receive(0);
            },
            {.name = "joiner"});
        if (producers > 1) add_actor([&w] { publish_some(w, 1, 10, 2); }, {.name = "B"});
      },
      [](World& w) { w.check_joined_group(0, 0); });
}

}  // namespace

std::vector<Scenario> join_scenarios() {
  return {with_reader(2),
          with_reader(4),
          two_producers(2, Start::latest, 0),
          two_producers(2, Start::oldest, 0),
          two_producers(2, Start::oldest, 1),
          two_producers(4, Start::oldest, 1),
          single_producer(2, Start::latest, false),
          single_producer(2, Start::latest, true),
          single_producer(2, Start::oldest, false),
          single_producer(4, Start::oldest, false),
          single_producer(4, Start::oldest, true),
          below_a_reader(Start::latest),
          below_a_reader(Start::oldest),
          named(2, Start::latest, 2),
          named(2, Start::oldest, 2),
          named(4, Start::oldest, 1)};
}

}  // namespace beltway::explore
