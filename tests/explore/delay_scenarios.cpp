// Delayed messages: a nack with a delay meets a scan for what is due, sleepers, a death and an eviction.
#include "memory.hpp"
#include "ring/redelivery.hpp"
#include "scenarios.hpp"
#include "world.hpp"

namespace beltway::explore {

using namespace beltway::ring;

namespace {

constexpr auto k_hold = World::Then::hold;
constexpr auto k_nack = World::Then::nack;

/// Longer than any delay of the group's, shorter than the last resort of a sleeper.
constexpr std::uint64_t k_long_ns = 100'000'000;

WorldOptions options() { return {.slots = 4, .producers = 1, .consumers = 4, .groups = 1}; }

/// A group with `messages`, all of them held by consumer 0, and two more consumers. A nack delays a message.
void prepare(World& w, unsigned messages) {
  w.add_producer(0);
  for (unsigned c = 0; c < 3; ++c) w.add_consumer(c, 0);
  for (unsigned i = 0; i < messages; ++i) w.publish(0, 20 + i);
  w.memory.group(0).redelivery.store_relaxed(Redelivery{1, 8, 0, false}.word());
}

/// When the first delayed message is due, by the lease words; 0: none is delayed.
std::uint64_t first_due_us(const World& w) {
  std::uint64_t first = 0;
  for (unsigned i = 0; i < w.memory.geometry.slots; ++i) {
    const Lease lease = Lease::of(w.memory.lease(0, i).load_acquire());
    if (lease.phase != LeasePhase::delayed) continue;
    const std::uint64_t due = LeaseTime::of(w.memory.lease_time(0, i).load_acquire()).due_us;
    if (first == 0 || due < first) first = due;
  }
  return first;
}

/// If a message is delayed, `earliest_due` says so in time, and if consumers sleep, one of them watches.
void check_due_times(const World& w, std::initializer_list<unsigned> sleepers = {}) {
  const std::uint64_t due = first_due_us(w);
  const std::uint64_t said = EarliestDue::of(w.memory.group(0).earliest_due.load_acquire()).due_us;
  if (due == 0) return;
  if (said == 0 || said > due) fail("a delayed message is due before the earliest due time");
  bool asleep = false;
  bool watched = false;
  for (const unsigned consumer : sleepers) {
    if (!is_asleep(consumer)) continue;
    asleep = true;
    const std::uint64_t watches = w.memory.endpoint(k_first_consumer + consumer).watches_due.load_acquire();
    watched = watched || (watches != 0 && watches <= due);
  }
  if (asleep && !watched) fail("a message is delayed, and no sleeper knows when it is due");
}

/// When all delays are over, consumer 3 gets what is left.
void check_all(World& w, unsigned unsure = 0) {
  pass_time(k_long_ns);
  w.check_named(0, 3, unsure);
}

/// One message is due and is leased; the other is given back meanwhile, and is due later.
Scenario nack_and_scan() {
  return scenario(
      "a nack with a delay meets a scan", options(), {.preemptions = 2, .delays = 1, .executions = 60'000},
      [](World& w) {
        prepare(w, 2);
        w.receive(0, k_nack);
        w.receive(0, k_hold);
        pass_time(2'000'000);
        add_actor([&w] { w.end_held(0, k_nack); }, {.name = "nack"});
        add_actor([&w] { w.receive(1); }, {.name = "scan"});
      },
      [](World& w) {
        check_due_times(w);
        check_all(w);
      });
}

/// Two scans and a nack: each of the scans stores what it leaves.
Scenario two_scans() {
  return scenario(
      "two scans for due messages and a nack", options(), {.preemptions = 2, .delays = 0, .executions = 60'000},
      [](World& w) {
        prepare(w, 3);
        for (unsigned i = 0; i < 2; ++i) w.receive(0, k_nack);
        w.receive(0, k_hold);
        pass_time(2'000'000);
        add_actor([&w] { w.receive(1); }, {.name = "A"});
        add_actor([&w] { w.receive(2); }, {.name = "B"});
        add_actor([&w] { w.end_held(0, k_nack); }, {.name = "nack"});
      },
      [](World& w) {
        check_due_times(w);
        check_all(w);
      });
}

/// A producer parks the delayed message, and the slot goes on without it, before the scan looks at the slot.
Scenario scan_and_parking() {
  WorldOptions parking = options();
  parking.slots = 2;
  parking.max_parked = 1;
  return scenario(
      "a delayed message is parked while a consumer scans", parking,
      {.preemptions = 2, .delays = 1, .executions = 60'000},
      [](World& w) {
        prepare(w, 2);
        w.receive(0, k_nack);
        w.receive(0);
        pass_time(2'000'000);
        add_actor([&w] { w.publish(0, 1), w.publish(0, 2); }, {.name = "producer"});
        add_actor([&w] { w.receive(1), w.receive(1); }, {.name = "scan"});
      },
      [](World& w) {
        check_due_times(w);
        check_all(w);
      });
}

/// Consumers that slept before the nack do not know its time: one is woken, and sleeps until then.
Scenario nack_and_sleepers() {
  return scenario(
      "a nack with a delay and two sleepers", options(), {.preemptions = 2, .delays = 1, .executions = 60'000},
      [](World& w) {
        prepare(w, 1);
        w.receive(0, k_hold);
        add_actor([&w] { w.end_held(0, k_nack); }, {.name = "nack"});
        add_actor([&w] { w.receive_waiting(1, k_hold); }, {.name = "A"});
        add_actor([&w] { w.receive_waiting(2, k_hold); }, {.name = "B"});
      },
      [](World& w) { check_due_times(w, {1, 2}); });
}

/// A sleeper that watches gets another message, and is busy with it for ever: the other sleeper watches in its place.
Scenario watch_is_handed_on() {
  return scenario(
      "a sleeper that watches gets other work", options(), {.preemptions = 2, .delays = 1, .executions = 60'000},
      [](World& w) {
        prepare(w, 1);
        w.receive(0, k_nack);
        add_actor([&w] { w.publish(0, 1); }, {.name = "producer"});
        add_actor([&w] { w.receive_waiting(1, k_hold); }, {.name = "A"});
        add_actor([&w] { w.receive_waiting(2, k_hold); }, {.name = "B"});
      },
      [](World& w) { check_due_times(w, {1, 2}); });
}

/// Time alone ends the sleep.
Scenario sleep_until_due() {
  return scenario(
      "a sleeper wakes when a message is due", options(),
      {.preemptions = 1, .delays = 0, .timeouts = 1, .executions = 20'000},
      [](World& w) {
        prepare(w, 1);
        w.receive(0, k_nack);
        add_actor([&w] { w.receive_waiting(1); }, {.name = "sleeper"});
      },
      [](World& w) {
        check_due_times(w);
        if (!is_done(0)) fail("a sleeper sleeps past the due time");
      });
}

Scenario dead_in_a_nack() {
  return scenario(
      "a consumer is killed in a nack with a delay", options(),
      {.preemptions = 2, .delays = 0, .kills = 1, .executions = 60'000},
      [](World& w) {
        prepare(w, 2);
        w.receive(0, k_nack);
        w.receive(0, k_hold);
        pass_time(2'000'000);
        const unsigned victim = add_actor([&w] { w.end_held(0, k_nack); }, {.name = "victim", .mortal = true});
        add_actor([&w] { w.receive(1); }, {.name = "B"});
        add_actor([&w] { w.bury(k_first_consumer); }, {.name = "repair", .gate = [victim] { return is_dead(victim); }});
      },
      [](World& w) {
        check_due_times(w);
        check_all(w);
      });
}

/// It stands still in a nack with a long delay and is thrown out. Another one delays its message for a short time.
Scenario thrown_out_in_a_nack() {
  WorldOptions evicting = options();
  evicting.evictable = true;
  return scenario(
      "a consumer is thrown out in a nack with a delay", evicting,
      {.preemptions = 2, .delays = 0, .executions = 60'000},
      [](World& w) {
        prepare(w, 1);
        w.receive(0, k_hold);
        add_actor([&w] { w.end_held(0, World::Then::nack_for_long); }, {.name = "A"});
        add_actor([&w] { w.throw_out(0, 0); }, {.name = "daemon"});
        add_actor([&w] { w.receive(1, k_nack); }, {.name = "B"});
      },
      [](World& w) {
        // If the nack of A was in time, its message waits for long.
        const bool is_late =
            Lease::of(w.memory.lease(0, w.got[0].entries[0].position).load_acquire()).owner == k_first_consumer;
        if (is_late) return;
        check_all(w);
      });
}

void let_move(World& w) {
  w.memory.group(0).redelivery.store_relaxed(
      Redelivery{.delay_ms = 1, .max_delay_ms = 8, .max_deliveries = 0, .discards = false, .dead_letters = true}
          .word());
}

/// A rejected message that cannot be moved now: as after a nack, a sleeper is woken, and sleeps until it is due.
Scenario failed_move_and_sleepers() {
  return scenario(
      "a move that fails and two sleepers", options(), {.preemptions = 2, .delays = 1, .executions = 60'000},
      [](World& w) {
        prepare(w, 1);
        let_move(w);
        w.moves_are_closed = true;
        w.receive(0, k_hold);
        add_actor([&w] { w.end_held(0, World::Then::reject); }, {.name = "reject"});
        add_actor([&w] { w.receive_waiting(1, k_hold); }, {.name = "A"});
        add_actor([&w] { w.receive_waiting(2, k_hold); }, {.name = "B"});
      },
      [](World& w) { check_due_times(w, {1, 2}); });
}

/// A message waits for its move, and a new one is there. Two consumers come when it is due: one moves it, none delivers it.
Scenario two_movers() {
  return scenario(
      "two consumers find a message to move", options(), {.preemptions = 2, .delays = 1, .executions = 60'000},
      [](World& w) {
        prepare(w, 2);
        let_move(w);
        w.moves_are_closed = true;
        w.receive(0, World::Then::reject);
        w.moves_are_closed = false;
        pass_time(2 * k_long_ns);
        add_actor([&w] { w.receive(1); }, {.name = "A"});
        add_actor([&w] { w.receive(2); }, {.name = "B"});
      },
      [](World& w) {
        const Position rejected = w.got[0].entries[0].position;
        if (w.moved[rejected % w.moved.size()] != 1) fail("a rejected message is not moved once");
        for (const unsigned consumer : {1U, 2U}) {
          for (unsigned i = 0; i < w.got[consumer].count; ++i) {
            if (w.got[consumer].entries[i].position == rejected) fail("a rejected message is delivered");
          }
        }
      });
}

}  // namespace

std::vector<Scenario> delay_scenarios() {
  return {nack_and_scan(),   two_scans(),      scan_and_parking(),     nack_and_sleepers(),        watch_is_handed_on(),
          sleep_until_due(), dead_in_a_nack(), thrown_out_in_a_nack(), failed_move_and_sleepers(), two_movers()};
}

}  // namespace beltway::explore
