// An operator acknowledges one message of a named group, or keeps it from the consumers, while they lease it, give it back, and
// producers park it. See ring/one_message.hpp.
#include <string>

#include "ring/floors.hpp"
#include "ring/one_message.hpp"
#include "scenarios.hpp"
#include "world.hpp"

namespace beltway::explore {

using namespace beltway::ring;

namespace {

constexpr auto k_ack = World::Then::ack;
constexpr auto k_nack = World::Then::nack;
constexpr auto k_hold = World::Then::hold;

WorldOptions options(std::uint32_t slots, std::uint32_t max_parked) {
  return {.slots = slots, .producers = 2, .consumers = 4, .groups = 1, .max_parked = max_parked};
}

/// How often the operator's ack ended a message; its number.
unsigned operator_acks;
unsigned operator_id;

void acknowledge(World& w, Position position) {
  if (ack_message(w.memory, 0, position).standing != MessageStanding::waits) return;
  ++operator_acks;
  note("the operator has acknowledged message %u", operator_id);
}

void keep(World& w, Position position, std::uint64_t due_us) {
  const bool kept = hold_message(w.memory, 0, position, due_us).standing == MessageStanding::waits;
  note(kept ? "the operator keeps the message" : "the operator cannot keep the message");
}

/// Each message ends once: by a consumer, or by the operator.
void check_ends(World& w) {
  pass_time(10'000'000);  // what is kept is due
  w.add_consumer(3, 0);
  if (operator_acks > 1) fail("an operator acknowledged a message twice");
  if (operator_acks != 0 && w.acked[operator_id] != 0) fail("a message ended twice");
  w.acked[operator_id] += operator_acks;
  w.check_named(0, 3);
  w.check_usable(0, 0);
}

/// The first position of the group that is not finished.
Position oldest(const World& w) { return wrap(w.memory.group(0).floor.load_acquire()); }

Scenario act_and_lease(bool is_ack, World::Then then) {
  return scenario(
      std::string("an operator ") + (is_ack ? "acknowledges" : "keeps") + " a message that is leased, then " +
          (then == k_ack ? "acknowledged" : "given back"),
      options(4, 2), {.preemptions = 3, .delays = 1, .executions = 150'000},
      [=](World& w) {
        operator_acks = 0, operator_id = 20;
        w.add_producer(0);
        for (unsigned c = 0; c < 2; ++c) w.add_consumer(c, 0);
        for (unsigned i = 0; i < 2; ++i) w.publish(0, 20 + i);
        const Position first = oldest(w);
        add_actor([=, &w] { w.receive(0, then), w.receive(0); }, {.name = "A"});
        add_actor([&w] { w.receive(1); }, {.name = "B"});
        add_actor([=, &w] { is_ack ? acknowledge(w, first) : keep(w, first, 0); }, {.name = "daemon"});
      },
      check_ends);
}

/// The message was given back, and a producer that needs its place parks it.
Scenario act_and_park(bool is_ack) {
  return scenario(
      std::string("an operator ") + (is_ack ? "acknowledges" : "keeps") + " a message that a producer parks",
      options(2, 1), {.preemptions = 3, .delays = 1, .executions = 150'000},
      [=](World& w) {
        operator_acks = 0, operator_id = 20;
        w.add_producer(0);
        for (unsigned c = 0; c < 2; ++c) w.add_consumer(c, 0);
        w.publish(0, 20), w.publish(0, 21);
        const Position first = oldest(w);
        w.receive(0, k_hold), w.receive(1);
        w.end_held(0, k_nack);
        add_actor([&w] { w.publish(0, 1), w.publish(0, 2); }, {.name = "producer"});
        add_actor([=, &w] { is_ack ? acknowledge(w, first) : keep(w, first, 0); }, {.name = "daemon"});
        add_actor([&w] { w.receive(1), w.receive(1); }, {.name = "consumer"});
      },
      check_ends);
}

/// Nobody but the operator's ack makes room, or work.
Scenario act_and_sleeper(bool is_ack) {
  return scenario(
      is_ack ? "an operator acknowledges what a producer waits for" : "an operator makes a message due for a sleeper",
      options(2, 0), {.preemptions = 3, .delays = 1, .executions = 150'000},
      [=](World& w) {
        operator_acks = 0, operator_id = 20;
        w.add_producer(0);
        w.add_consumer(0, 0);
        w.publish(0, 20), w.publish(0, 21);
        const Position first = oldest(w);
        if (!is_ack) w.receive(0, World::Then::nack_for_long), w.receive(0);
        if (is_ack) {
          add_actor([&w] { w.publish_waiting(0, 1); }, {.name = "producer"});
        } else {
          add_actor([&w] { w.receive_waiting(0); }, {.name = "consumer"});
        }
        add_actor([=, &w] { is_ack ? acknowledge(w, first) : keep(w, first, 0); }, {.name = "daemon"});
      },
      [=](World& w) {
        w.check_sleeper(0, is_ack ? 0 : k_first_consumer);
        check_ends(w);
      });
}

}  // namespace

std::vector<Scenario> operator_scenarios() {
  return {act_and_lease(true, k_ack),   act_and_lease(true, k_nack), act_and_lease(false, k_ack),
          act_and_lease(false, k_nack), act_and_park(true),          act_and_park(false),
          act_and_sleeper(true),        act_and_sleeper(false)};
}

}  // namespace beltway::explore
