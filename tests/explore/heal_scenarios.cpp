// Healing while producers claim and consumers lease: what was written over before is set right, and nothing that they do
// meanwhile is lost.
#include "../support/living.hpp"
#include "recovery/heal.hpp"
#include "ring/floors.hpp"
#include "scenarios.hpp"
#include "world.hpp"

namespace beltway::explore {

using namespace beltway::detail;
using namespace beltway::ring;

namespace {

void heal(World& w) {
  recovery::heal(w.memory, test::living_of(w.memory));
  wake_all_sleepers(w.memory);
}

/// A ring of two whose next slot is in disorder: its producer finds it busy until it is healed.
Scenario slot_that_is_waited_for() {
  return scenario(
      "a slot is healed that a producer waits for", {.slots = 2, .producers = 2, .consumers = 1},
      {.preemptions = 2, .delays = 1, .executions = 150'000},
      [](World& w) {
        for (unsigned p = 0; p < 2; ++p) w.add_producer(p);
        w.add_private(0);
        for (unsigned i = 0; i < 2; ++i) w.publish(0, 30 + i), w.receive(0);
        Word& state = w.memory.slot(load_tail(w.memory)).state;
        const Position said = SlotState::of(state.load_relaxed()).position;
        state.store_release(SlotState{wrap(said + 1), 200, SlotPhase::ready}.word());
        add_actor([&w] { w.publish_waiting(0, 1); }, {.name = "A"});
        add_actor([&w] { heal(w); }, {.name = "daemon"});
        add_actor([&w] { w.publish(1, 3), w.receive(0); }, {.name = "B"});
      },
      [](World& w) {
        w.check_sleeper(0, 0);
        w.check_private(0);
        w.check_usable(0, 0);
      });
}

/// Whatever `tail` said, no two producers get one position, and the queue goes on. Nothing is lost, with one exception: of two
/// producers one may stand still while the daemon heals, with a wrong `tail` in its hands that is a whole lap too far; then it
/// helps that one on.
Scenario tail(std::uint32_t ahead, std::uint32_t producers, bool gapless = true) {
  return scenario((producers == 1 ? "a claim limit that is " : "a tail that is ") + std::to_string(ahead) +
                      " ahead is healed under " + std::to_string(producers) + " producers",
                  {.slots = 2, .producers = producers, .consumers = 1},
                  {.preemptions = 2, .delays = 1, .executions = 150'000},
                  [=](World& w) {
                    for (unsigned p = 0; p < producers; ++p) w.add_producer(p);
                    w.add_private(0);
                    w.publish(0, 30), w.receive(0);
                    if (producers == 1) {
                      w.memory.ring_head().claim_limit.store_release(load_tail(w.memory) + ahead);
                    } else {
                      const Tail tail = Tail::of(w.memory.tail().load_relaxed());
                      w.memory.tail().store_release(Tail{tail.position + ahead, tail.generation, tail.owner}.word());
                    }
                    add_actor([&w] { w.publish(0, 1), w.publish(0, 2); }, {.name = "A"});
                    if (producers > 1) add_actor([&w] { w.publish(1, 3), w.publish(1, 4); }, {.name = "B"});
                    add_actor([&w] { heal(w); }, {.name = "daemon"});
                    add_actor([&w] { w.receive(0), w.receive(0); }, {.name = "C"});
                  },
                  [=](World& w) {
                    heal(w);  // a single producer that has published since is healed only now
                    for (unsigned p = 0; p < producers; ++p)
                      w.publish(p, 50 + p);  // each takes notice, and voids what it lost
                    w.check_private(0, gapless);
                    w.check_usable(0, 0);
                  });
}

/// Lease words, `next` and the floor of a named group, while its consumers lease and a producer publishes.
Scenario group(const char* what, void (*write)(World&)) {
  return scenario(
      std::string("a named group's ") + what + " is healed while consumers lease",
      {.slots = 2, .producers = 2, .consumers = 3, .groups = 1}, {.preemptions = 2, .delays = 1, .executions = 150'000},
      [=](World& w) {
        w.add_producer(0);
        for (unsigned c = 0; c < 2; ++c) w.add_consumer(c, 0);
        w.publish(0, 30), w.publish(0, 31);
        write(w);
        add_actor([&w] { w.receive(0), w.receive(0); }, {.name = "A"});
        add_actor([&w] { w.receive(1), w.publish(0, 1); }, {.name = "B"});
        add_actor([&w] { heal(w); }, {.name = "daemon"});
      },
      [](World& w) { w.check_named(0, 2); });
}

void write_lease(World& w) {
  const Position p = wrap(w.memory.group(0).floor.load_relaxed());
  w.memory.lease(0, p).store_release(Lease{p + 2, k_first_consumer, 0, LeasePhase::leased}.word());
}
void write_lease_of_nobody(World& w) {
  const Position p = wrap(w.memory.group(0).floor.load_relaxed());
  w.memory.lease(0, p).store_release(Lease{p, k_first_consumer + 2, 0, LeasePhase::leased}.word());
}
void write_next(World& w) {
  const Next next = Next::of(w.memory.group(0).next.load_relaxed());
  w.memory.group(0).next.store_release(Next{next.position + 9, next.version}.word());
}

}  // namespace

std::vector<Scenario> heal_scenarios() {
  return {slot_that_is_waited_for(),
          tail(3, 2),
          tail(4, 2, false),
          tail(4, 1),
          group("lease of a later lap", write_lease),
          group("lease of nobody", write_lease_of_nobody),
          group("next", write_next)};
}

}  // namespace beltway::explore
