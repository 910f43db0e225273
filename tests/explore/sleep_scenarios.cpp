// Consumers that sleep: one of them is woken for each message, and none sleeps for ever while a message waits.
#include "ring/groups.hpp"
#include "scenarios.hpp"
#include "world.hpp"

namespace beltway::explore {

using namespace beltway::ring;

namespace {

constexpr auto k_hold = World::Then::hold;

/// Nobody who sleeps has something to do. Whoever took a message is busy with it for ever (it holds it).
void check_two_sleepers(World& w) {
  for (unsigned c = 0; c < 2; ++c) w.check_sleeper(c, k_first_consumer + c);
}

void add_sleepers(World& w, bool first_is_patient) {
  for (unsigned c = 0; c < 2; ++c) w.add_consumer(c, 0);
  add_actor([=, &w] { w.receive_waiting(0, k_hold, first_is_patient); }, {.name = "A"});
  add_actor([&w] { w.receive_waiting(1, k_hold); }, {.name = "B"});
}

Scenario two_sleepers(unsigned producers, unsigned messages, bool first_is_patient) {
  return scenario(
      "two sleepers, " + std::to_string(producers) + " producers, " + std::to_string(messages) + " messages each" +
          (first_is_patient ? "" : ", one sleeper has a deadline"),
      {.slots = 2, .producers = producers, .consumers = 2, .groups = 1},
      {.preemptions = 2,
       .delays = 1,
       .timeouts = first_is_patient ? 0U : 1U,
       .executions = 150'000,
       .random = producers == 2 ? 20'000U : 0U},
      [=](World& w) {
        for (unsigned p = 0; p < producers; ++p) w.add_producer(p);
        add_sleepers(w, first_is_patient);
        for (unsigned p = 0; p < producers; ++p) {
          const auto publish = [=, &w] {
            for (unsigned i = 0; i < messages; ++i) w.publish(p, 10 * p + i);
          };
          add_actor(publish, {.name = p == 0 ? "producer 0" : "producer 1"});
        }
      },
      check_two_sleepers);
}

Scenario private_sleeper(std::uint32_t producers) {
  return scenario(
      "a private consumer sleeps, " + std::to_string(producers) + " producers",
      {.slots = 2, .producers = producers, .consumers = 1}, {.preemptions = 3, .delays = 2, .executions = 150'000},
      [=](World& w) {
        w.add_private(0);
        for (unsigned p = 0; p < producers; ++p) w.add_producer(p);
        add_actor([&w] { w.receive_waiting(0), w.receive_waiting(0); }, {.name = "consumer"});
        for (unsigned p = 0; p < producers; ++p) {
          add_actor([=, &w] { w.publish(p, p + 1); }, {.name = p == 0 ? "producer 0" : "producer 1"});
        }
      },
      [](World& w) { w.check_sleeper(0, k_first_consumer); });
}

/// A nack gives the message to whoever sleeps.
Scenario nack_wakes() {
  return scenario(
      "a nack wakes a sleeper", {.slots = 2, .producers = 1, .consumers = 2, .groups = 1},
      {.preemptions = 3, .delays = 1, .executions = 150'000},
      [](World& w) {
        w.add_producer(0);
        for (unsigned c = 0; c < 2; ++c) w.add_consumer(c, 0);
        w.publish(0, 1);
        w.receive(0, k_hold);
        add_actor([&w] { w.receive_waiting(1, k_hold); }, {.name = "B"});
        add_actor([&w] { w.end_held(0, World::Then::nack); }, {.name = "A"});
      },
      [](World& w) { w.check_sleeper(0, k_first_consumer + 1); });
}

/// A waker stops for good in the middle of waking; whoever publishes after it wakes in its place.
Scenario stopped_waker() {
  return scenario(
      "a waker stops in the middle, another publishes", {.slots = 4, .producers = 2, .consumers = 1, .groups = 1},
      {.preemptions = 2, .delays = 1, .kills = 1, .executions = 150'000},
      [](World& w) {
        for (unsigned p = 0; p < 2; ++p) w.add_producer(p);
        w.add_consumer(0, 0);
        add_actor([&w] { w.receive_waiting(0, k_hold); }, {.name = "consumer"});
        const unsigned first = add_actor([&w] { w.publish(0, 1); }, {.name = "waker", .mortal = true});
        add_actor([&w] { w.publish(1, 2); },
                  {.name = "other", .gate = [first] { return is_dead(first) || is_done(first); }});
      },
      [](World& w) { w.check_sleeper(0, k_first_consumer); });
}

/// The waker is killed, and repaired; nobody else publishes.
Scenario dead_waker() {
  return scenario(
      "a waker is killed in the middle and repaired", {.slots = 2, .producers = 2, .consumers = 2, .groups = 1},
      {.preemptions = 2, .delays = 1, .kills = 1, .executions = 150'000},
      [](World& w) {
        for (unsigned p = 0; p < 2; ++p) w.add_producer(p);
        add_sleepers(w, true);
        const unsigned waker = add_actor([&w] { w.publish(0, 1), w.publish(0, 2); }, {.name = "waker", .mortal = true});
        add_actor([&w] { w.bury(0); }, {.name = "repair", .gate = [waker] { return is_dead(waker); }});
      },
      check_two_sleepers);
}

/// One of two sleepers dies when it has just been chosen to be woken.
Scenario dead_sleeper() {
  return scenario(
      "a sleeper is killed when it is woken", {.slots = 2, .producers = 2, .consumers = 2, .groups = 1},
      {.preemptions = 2, .delays = 0, .kills = 1, .executions = 150'000},
      [](World& w) {
        w.add_producer(0);
        for (unsigned c = 0; c < 2; ++c) w.add_consumer(c, 0);
        const unsigned victim = add_actor([&w] { w.receive_waiting(0, k_hold); }, {.name = "victim", .mortal = true});
        add_actor([&w] { w.receive_waiting(1, k_hold); }, {.name = "B"});
        add_actor([&w] { w.publish(0, 1); }, {.name = "producer"});
        add_actor([&w] { w.bury(k_first_consumer); }, {.name = "repair", .gate = [victim] { return is_dead(victim); }});
      },
      [](World& w) { w.check_sleeper(1, k_first_consumer + 1); });
}

/// The waker is killed between its steps; the publisher after it finds WAKING and does the rest.
Scenario stopped_waker_of_a_loop() {
  return scenario(
      "a waker of an event loop stops in the middle, another publishes",
      {.slots = 4, .producers = 2, .consumers = 1, .groups = 1},
      {.preemptions = 2, .delays = 1, .kills = 1, .executions = 40'000},
      [](World& w) {
        for (unsigned p = 0; p < 2; ++p) w.add_producer(p);
        w.add_consumer(0, 0);
        add_actor([&w] { w.receive_in_a_loop(0, k_hold); }, {.name = "consumer"});
        const unsigned first = add_actor([&w] { w.publish(0, 1); }, {.name = "waker", .mortal = true});
        add_actor([&w] { w.publish(1, 2); },
                  {.name = "other", .gate = [first] { return is_dead(first) || is_done(first); }});
      },
      [](World& w) { w.check_sleeper(0, k_first_consumer); });
}

/// Two wakers of one sleeper at once, each with a message: both wake it, and the wake counts once.
Scenario two_wakers(bool in_a_loop) {
  return scenario(
      std::string("two wakers, one sleeper") + (in_a_loop ? " in an event loop" : ""),
      {.slots = 4, .producers = 2, .consumers = 1}, {.preemptions = 3, .delays = 1, .executions = 40'000},
      [=](World& w) {
        for (unsigned p = 0; p < 2; ++p) w.add_producer(p);
        w.add_private(0);
        const auto receive = [=, &w] { in_a_loop ? w.receive_in_a_loop(0) : w.receive_waiting(0); };
        add_actor([=] { receive(), receive(); }, {.name = "consumer"});
        for (unsigned p = 0; p < 2; ++p) {
          add_actor([=, &w] { w.publish(p, p + 1); }, {.name = p == 0 ? "producer 0" : "producer 1"});
        }
      },
      [](World& w) { w.check_sleeper(0, k_first_consumer); });
}

/// One that wakes, and has no message of its own, stops for good in the middle: the other, whose first swap failed, does the
/// rest.
Scenario two_wakers_one_stops() {
  return scenario(
      "one of two wakers stops in the middle", {.slots = 4, .producers = 2, .consumers = 1},
      {.preemptions = 3, .delays = 0, .kills = 1, .executions = 40'000},
      [](World& w) {
        for (unsigned p = 0; p < 2; ++p) w.add_producer(p);
        w.add_private(0);
        add_actor([&w] { w.receive_waiting(0); }, {.name = "consumer"});
        add_actor([&w] { w.publish(0, 1); }, {.name = "other"});
        add_actor([&w] { wake_all_sleepers(w.memory); }, {.name = "waker", .mortal = true});
      },
      [](World& w) { w.check_sleeper(0, k_first_consumer); });
}

/// Two consumers of different groups listen to one bell: each hears the rings for the other.
Scenario neighbours_on_a_bell(bool second_blocks) {
  return scenario(
      std::string("two endpoints on one bell, ") + (second_blocks ? "one of them blocks" : "both in event loops"),
      {.slots = 4, .producers = 1, .consumers = 2, .one_bell = true},
      {.preemptions = 2, .delays = 1, .executions = 40'000, .random = 10'000},
      [=](World& w) {
        w.add_producer(0);
        for (unsigned c = 0; c < 2; ++c) w.add_private(c);
        add_actor([&w] { w.receive_in_a_loop(0), w.receive_in_a_loop(0); }, {.name = "A"});
        add_actor(
            [=, &w] {
              for (unsigned i = 0; i < 2; ++i) second_blocks ? w.receive_waiting(1) : w.receive_in_a_loop(1);
            },
            {.name = "B"});
        add_actor([&w] { w.publish(0, 1), w.publish(0, 2); }, {.name = "producer"});
      },
      check_two_sleepers);
}

/// In one group: a message wakes one of the two, and the other must not keep the wake for itself.
Scenario group_on_a_bell() {
  return scenario(
      "two consumers of a group on one bell",
      {.slots = 4, .producers = 1, .consumers = 2, .groups = 1, .one_bell = true},
      {.preemptions = 2, .delays = 1, .executions = 40'000, .random = 10'000},
      [](World& w) {
        w.add_producer(0);
        for (unsigned c = 0; c < 2; ++c) w.add_consumer(c, 0);
        add_actor([&w] { w.receive_in_a_loop(0, k_hold); }, {.name = "A"});
        add_actor([&w] { w.receive_in_a_loop(1, k_hold); }, {.name = "B"});
        add_actor([&w] { w.publish(0, 1), w.publish(0, 2); }, {.name = "producer"});
      },
      check_two_sleepers);
}

/// A producer waits for room in an event loop, on the bell of the consumer that makes it.
Scenario room_in_a_loop() {
  return scenario(
      "a producer waits for room in an event loop", {.slots = 2, .producers = 1, .consumers = 1, .one_bell = true},
      {.preemptions = 3, .delays = 1, .executions = 40'000},
      [](World& w) {
        w.add_producer(0);
        w.add_private(0);
        for (unsigned i = 0; i < 2; ++i) w.publish(0, i);
        add_actor([&w] { w.publish_in_a_loop(0, 2); }, {.name = "producer"});
        add_actor([&w] { w.receive_in_a_loop(0), w.receive_in_a_loop(0); }, {.name = "consumer"});
      },
      [](World& w) {
        w.check_sleeper(0, 0);
        w.check_sleeper(1, k_first_consumer);
      });
}

/// A consumer may hold one message and waits for its end. No other message may wake it then, and whoever does so all the same,
/// since it slept in the list of sleepers a moment ago, must not be counted on.
Scenario waits_for_credit() {
  return scenario(
      "a consumer reaches its prefetch limit, another of its group sleeps",
      {.slots = 4, .producers = 2, .consumers = 2, .groups = 1},
      {.preemptions = 3, .delays = 0, .executions = 120'000, .random = 40'000},
      [](World& w) {
        for (unsigned p = 0; p < 2; ++p) w.add_producer(p);
        w.add_consumer(0, 0, {.group = "g", .prefetch = 1});
        w.add_consumer(1, 0);
        add_actor([&w] { w.receive_waiting(0, k_hold), w.receive_waiting(0, k_hold, false); }, {.name = "A"});
        add_actor([&w] { w.receive_waiting(1, k_hold); }, {.name = "B"});
        for (unsigned p = 0; p < 2; ++p) {
          add_actor([=, &w] { w.publish(p, p + 1); }, {.name = p == 0 ? "producer 0" : "producer 1"});
        }
      },
      [](World& w) { w.check_sleeper(1, k_first_consumer + 1); });
}

}  // namespace

std::vector<Scenario> sleep_scenarios() {
  return {two_sleepers(1, 2, true),
          two_sleepers(2, 1, true),
          two_sleepers(1, 2, false),
          two_sleepers(1, 1, false),
          two_sleepers(2, 1, false),
          private_sleeper(1),
          private_sleeper(2),
          nack_wakes(),
          stopped_waker(),
          dead_waker(),
          dead_sleeper(),
          stopped_waker_of_a_loop(),
          two_wakers(false),
          two_wakers(true),
          two_wakers_one_stops(),
          neighbours_on_a_bell(false),
          neighbours_on_a_bell(true),
          group_on_a_bell(),
          room_in_a_loop(),
          waits_for_credit()};
}

}  // namespace beltway::explore
