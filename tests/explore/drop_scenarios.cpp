// Groups that keep only their newest messages: producers and consumers drop what no consumer holds. See ring/drop_oldest.hpp.
#include "ring/drop_oldest.hpp"
#include "ring/floors.hpp"
#include "scenarios.hpp"
#include "world.hpp"

namespace beltway::explore {

using namespace beltway::ring;

namespace {

constexpr auto k_ack = World::Then::ack;
constexpr auto k_nack = World::Then::nack;
constexpr auto k_hold = World::Then::hold;

struct Setting {
  std::uint32_t slots = 2;
  std::uint32_t producers = 1;
  std::uint32_t keeps = 1;
  std::uint32_t max_parked = 1;
  std::uint32_t groups = 1;
};

WorldOptions options(const Setting& setting) {
  return {.slots = setting.slots,
          .producers = setting.producers,
          .consumers = 4,
          .groups = setting.groups,
          .max_parked = setting.max_parked};
}

/// A full ring, of which no message is read.
void fill(World& w, const Setting& setting) {
  for (unsigned p = 0; p < setting.producers; ++p) w.add_producer(p);
  for (unsigned c = 0; c < 2; ++c) w.add_consumer(c, 0);
  for (unsigned i = 0; i < setting.slots; ++i) w.publish(0, 20 + i);
}

/// The same, but consumer 0 holds the first message.
void hold_first(World& w, const Setting& setting) {
  w.memory.group(0).keeps.store_relaxed(0);
  fill(w, setting);
  w.receive(0, k_hold);
  w.memory.group(0).keeps.store_relaxed(setting.keeps);
}

/// Each published message was acknowledged once or dropped, and the newest one was not dropped. `unsure`: messages that a process
/// published or dropped which did not live to tell.
void check_dropping(World& w, unsigned unsure = 0) {
  if (!w.consumers[3]) w.add_consumer(3, 0);
  for (unsigned turns = 0; w.receive(3); ++turns) {
    if (turns > 60) fail("messages of a group come again and again");
  }
  unsigned published = 0;
  unsigned acked = 0;
  for (unsigned id = 0; id < w.acked.size(); ++id) {
    if (w.acked[id] > 1) fail("a message was acknowledged twice");
    published += w.published[id] ? 1 : 0;
    acked += w.acked[id];
  }
  if (acked == 0) fail("the newest message was dropped");
  const std::uint64_t ended = acked + w.memory.group(0).dropped.load_relaxed();
  if (ended + unsure < published) fail("a message was neither delivered nor counted as dropped");
  if (ended > published + unsure) fail("a message was dropped twice, or dropped and delivered");
  help_floor(w.memory, 0);
  if (wrap(w.memory.group(0).floor.load_acquire()) != load_tail(w.memory)) fail("a group's floor stays behind");
}

/// setup() with the number of messages that the group keeps.
Scenario dropping(const std::string& name, const Setting& setting, const Bounds& bounds,
                  const std::function<void(World&)>& setup, const std::function<void(World&)>& check) {
  return scenario(
      name, options(setting), bounds,
      [=](World& w) {
        w.memory.group(0).keeps.store_relaxed(setting.keeps);
        setup(w);
      },
      check);
}

Scenario while_a_consumer_leases(std::uint32_t producers) {
  const Setting setting{.slots = 4, .producers = producers, .max_parked = 2};
  return dropping(
      "a producer drops while a consumer leases, " + std::to_string(producers) + " producers", setting,
      {.preemptions = 2, .delays = 1, .executions = 150'000},
      [=](World& w) {
        fill(w, setting);
        add_actor([&w] { w.publish(0, 1), w.publish(0, 2); }, {.name = "producer"});
        add_actor([&w] { w.receive(0), w.receive(0); }, {.name = "consumer"});
      },
      [](World& w) {
        if (!w.published[1] || !w.published[2]) fail("a group that nobody reads holds a producer");
        check_dropping(w);
      });
}

Scenario two_droppers() {
  const Setting setting{.slots = 4, .producers = 2};
  return dropping(
      "two producers and a consumer drop", setting, {.preemptions = 2, .delays = 0, .executions = 200'000},
      [=](World& w) {
        fill(w, setting);
        add_actor([&w] { w.publish(0, 1); }, {.name = "producer 0"});
        add_actor([&w] { w.publish(1, 2); }, {.name = "producer 1"});
        add_actor([&w] { w.receive(0); }, {.name = "consumer"});
      },
      [](World& w) { check_dropping(w); });
}

Scenario held(World::Then then) {
  const Setting setting{.producers = 2};
  return dropping(
      std::string("a producer drops around a held message that is ") + (then == k_ack ? "acknowledged" : "given back"),
      setting, {.preemptions = 2, .delays = 0, .executions = 150'000},
      [=](World& w) {
        hold_first(w, setting);
        add_actor([&w] { w.publish(0, 1), w.publish(1, 2); }, {.name = "producer"});
        add_actor([=, &w] { w.read_held_again(0), w.end_held(0, then); }, {.name = "holder"});
      },
      [=](World& w) {
        if (then == k_ack && w.acked[20] != 1) fail("a message was dropped while a consumer held it");
        check_dropping(w);
      });
}

/// The ring is held since no message may be parked. Nobody leases the message again that is given back.
Scenario given_back_while_a_producer_sleeps() {
  const Setting setting{.max_parked = 0};
  return dropping(
      "a held message is given back while a producer sleeps", setting,
      {.preemptions = 2, .delays = 1, .executions = 150'000},
      [=](World& w) {
        hold_first(w, setting);
        add_actor([&w] { w.publish_waiting(0, 1); }, {.name = "producer"});
        add_actor([&w] { w.end_held(0, k_nack); }, {.name = "holder"});
      },
      [](World& w) {
        if (is_asleep(0)) fail("a producer sleeps though all that holds the ring may be dropped");
        check_dropping(w);
      });
}

/// All slots are claimed. The producer that sleeps hears of the first message that it may drop.
Scenario claims_fill_the_ring() {
  const Setting setting{.producers = 3};
  return dropping(
      "a producer waits while unfinished claims fill the ring", setting,
      {.preemptions = 2, .delays = 0, .executions = 200'000},
      [=](World& w) {
        fill(w, setting);
        add_actor([&w] { w.publish(0, 1); }, {.name = "producer 0"});
        add_actor([&w] { w.publish(1, 2); }, {.name = "producer 1"});
        add_actor([&w] { w.publish_waiting(2, 3); }, {.name = "producer 2"});
      },
      [](World& w) {
        if (is_asleep(2)) fail("a producer sleeps though all that holds the ring may be dropped");
        check_dropping(w);
      });
}

/// A claim that its producer never finishes pushes out no message.
Scenario dead_claimer() {
  const Setting setting{.slots = 4, .producers = 2};
  return dropping(
      "a producer is killed while a consumer drops", setting, {.preemptions = 1, .delays = 0, .kills = 1},
      [=](World& w) {
        for (unsigned p = 0; p < 2; ++p) w.add_producer(p);
        w.add_consumer(0, 0);
        w.publish(0, 20);
        const unsigned victim = add_actor([&w] { w.publish(1, 1); }, {.name = "victim", .mortal = true});
        add_actor([&w] { w.receive(0); }, {.name = "consumer"});
        add_actor([&w] { w.bury(1); }, {.name = "repair", .gate = [victim] { return is_dead(victim); }});
      },
      [](World& w) { check_dropping(w, is_dead(0) ? 1 : 0); });
}

Scenario dead_dropper() {
  const Setting setting{.producers = 2};
  return dropping(
      "a producer is killed while it drops", setting, {.preemptions = 1, .delays = 0, .kills = 1},
      [=](World& w) {
        fill(w, setting);
        const unsigned victim = add_actor([&w] { w.publish(1, 1); }, {.name = "victim", .mortal = true});
        add_actor([&w] { w.publish(0, 2), w.receive(0); }, {.name = "other"});
        add_actor([&w] { w.bury(1); }, {.name = "repair", .gate = [victim] { return is_dead(victim); }});
      },
      [](World& w) { check_dropping(w, is_dead(0) ? 2 : 0); });
}

/// The other group holds the room: a drop would gain nothing.
Scenario held_by_another_group() {
  const Setting setting{.keeps = 9, .groups = 2};
  return dropping(
      "another group holds the room", setting, {.preemptions = 1, .delays = 0},
      [=](World& w) {
        fill(w, setting);
        w.add_consumer(2, 1);
        add_actor([&w] { w.publish(0, 1); }, {.name = "producer"});
        add_actor([&w] { w.receive(2); }, {.name = "consumer of the other group"});
      },
      [](World& w) {
        if (w.memory.group(0).dropped.load_relaxed() != (w.published[1] ? 1 : 0))
          fail("a message was dropped for no room");
        w.receive(2), w.receive(2), w.receive(2);
        w.acked = {};  // by the other group
        check_dropping(w);
      });
}

}  // namespace

std::vector<Scenario> drop_scenarios() {
  return {while_a_consumer_leases(1),
          while_a_consumer_leases(2),
          two_droppers(),
          held(k_ack),
          held(k_nack),
          given_back_while_a_producer_sleeps(),
          claims_fill_the_ring(),
          dead_claimer(),
          dead_dropper(),
          held_by_another_group()};
}

}  // namespace beltway::explore
