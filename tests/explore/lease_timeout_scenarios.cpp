// Leases that end by time: the look for leases that are over meets their holders, other consumers, sleepers and a death.
#include "memory.hpp"
#include "ring/lease_timeout.hpp"
#include "scenarios.hpp"
#include "world.hpp"

namespace beltway::explore {

using namespace beltway::ring;

namespace {

constexpr auto k_hold = World::Then::hold;
constexpr auto k_ack = World::Then::ack;
constexpr auto k_nack = World::Then::nack;

/// Longer than a lease lasts, shorter than the last resort of a sleeper.
constexpr std::uint64_t k_over_ns = 100'000'000;

WorldOptions options() { return {.slots = 4, .producers = 1, .consumers = 4, .groups = 1}; }

/// A group whose leases last some milliseconds, three consumers of it, and `messages` in the ring.
void prepare(World& w, unsigned messages) {
  w.memory.group(0).times.store_relaxed(GroupTimes{10, 0}.word());
  w.memory.group(0).redelivery.store_relaxed(Redelivery{1, 8, 0, false}.word());
  w.add_producer(0);
  for (unsigned c = 0; c < 3; ++c) w.add_consumer(c, 0);
  for (unsigned i = 0; i < messages; ++i) w.publish(0, 20 + i);
}

/// Consumer 0 holds the first of `messages` for too long; the others are acknowledged.
void prepare_late_holder(World& w, unsigned messages) {
  prepare(w, messages);
  w.receive(0, k_hold);
  for (unsigned i = 1; i < messages; ++i) w.receive(1);
  pass_time(k_over_ns);
}

/// When the first lease ends, by the lease words; 0: none ends by time.
std::uint64_t first_end_us(const World& w) {
  std::uint64_t first = 0;
  for (unsigned i = 0; i < w.memory.geometry.slots; ++i) {
    const std::optional<HeldLease> held = held_lease(w.memory, 0, i);
    if (held && held->due_us && (first == 0 || *held->due_us < first)) first = *held->due_us;
  }
  return first;
}

/// If a lease ends by time, consumers look for it then, and if consumers sleep, one of them watches.
void check_look(const World& w, std::initializer_list<unsigned> sleepers = {}) {
  const std::uint64_t end = first_end_us(w);
  const std::uint64_t look = EarliestDue::of(w.memory.group(0).lease_check.load_acquire()).due_us;
  if (end == 0) return;
  if (look == 0 || look > end) fail("a lease ends, and nobody looks then");
  bool asleep = false;
  bool watched = false;
  for (const unsigned consumer : sleepers) {
    if (!is_asleep(consumer)) continue;
    asleep = true;
    const std::uint64_t watches = w.memory.endpoint(k_first_consumer + consumer).watches_due.load_acquire();
    watched = watched || (watches != 0 && watches <= end);
  }
  if (asleep && !watched) fail("a lease ends, and no sleeper knows when");
}

/// When all leases and delays are over, consumer 3 gets what is left.
void check_all(World& w) {
  w.add_consumer(3, 0);
  for (unsigned i = 0; i < 3; ++i) {
    pass_time(k_over_ns);
    w.receive(3);
  }
  pass_time(k_over_ns);
  w.check_named(0, 3);
}

/// A message that consumer 0 held for too long was delivered with one more try.
void check_tries(const World& w, unsigned consumer) {
  if (w.got[consumer].count == 0) return;
  const Position position = w.got[consumer].entries[0].position;
  if (position != w.got[0].entries[0].position) return;
  if (Lease::of(w.memory.lease(0, position).load_acquire()).tries == 0) fail("a lease that is over counted no try");
}

Scenario late_end(const char* name, World::Then then) {
  return scenario(
      name, options(), {.preemptions = 2, .delays = 1, .executions = 60'000},
      [then](World& w) {
        prepare_late_holder(w, 2);
        add_actor([&w, then] { w.end_held(0, then); }, {.name = "late holder"});
        add_actor([&w] { w.receive(2); }, {.name = "look"});
      },
      [](World& w) {
        check_look(w);
        check_tries(w, 2);
        check_all(w);
      });
}

/// If it was extended in time, nobody else gets it.
Scenario late_extend() {
  static bool extended;
  return scenario(
      "a late holder extends its lease", options(), {.preemptions = 2, .delays = 1, .executions = 60'000},
      [](World& w) {
        extended = false;
        prepare_late_holder(w, 1);
        add_actor([&w] { extended = w.extend_held(0); }, {.name = "late holder"});
        add_actor([&w] { w.receive(2, k_hold); }, {.name = "look"});
      },
      [](World& w) {
        if (extended && w.got[2].count != 0) fail("a message was extended, and another consumer got it");
        check_look(w);
        w.end_held(2, k_ack);
        w.end_held(0, k_ack);
        check_all(w);
      });
}

/// The look finds no lease and plans none. A consumer leases meanwhile, and the one that looks leases later.
Scenario lease_and_look() {
  return scenario(
      "a lease meets a look that finds none", options(), {.preemptions = 2, .delays = 1, .executions = 60'000},
      [](World& w) {
        prepare(w, 1);
        w.receive(0);
        pass_time(k_over_ns);
        for (unsigned id = 30; id < 32; ++id) w.publish(0, id);
        add_actor([&w] { w.receive(1, k_hold); }, {.name = "lease"});
        add_actor([&w] { w.receive(2, k_hold); }, {.name = "look"});
        add_actor([] { pass_time(3'000'000); }, {.name = "clock"});
      },
      [](World& w) {
        check_look(w);
        check_all(w);
      });
}

/// The look finds one lease that is over, and one that is not.
Scenario lease_that_is_left() {
  return scenario(
      "a look leaves a lease that is not over", options(), {.preemptions = 2, .delays = 1, .executions = 60'000},
      [](World& w) {
        prepare(w, 2);
        w.receive(0, k_hold);
        pass_time(5'000'000);
        w.receive(1, k_hold);
        pass_time(17'000'000);  // the first lease is over, and the second one ends before another timeout
        add_actor([&w] { w.receive(2, k_hold); }, {.name = "look"});
        add_actor([&w] { w.end_held(0, k_ack); }, {.name = "late holder"});
      },
      [](World& w) {
        check_look(w);
        w.end_held(1, k_ack);
        check_all(w);
      });
}

/// The slot of a new lease still has the time of the lap before, of the same consumer.
Scenario time_of_the_lap_before() {
  return scenario(
      "a lease meets a look, the time of the lap before is over", options(),
      {.preemptions = 2, .delays = 1, .executions = 60'000},
      [](World& w) {
        prepare(w, 0);
        for (unsigned i = 0; i < 4; ++i) {
          w.publish(0, 20 + i);
          w.receive(0);
        }
        pass_time(k_over_ns);
        w.publish(0, 30);
        add_actor([&w] { w.receive(0, k_hold); }, {.name = "lease"});
        add_actor([&w] { w.receive(2, k_hold); }, {.name = "look"});
      },
      [](World& w) {
        if (w.got[0].count - 4 + w.got[2].count > 1) fail("a lease was ended before its time");
        check_all(w);
      });
}

Scenario lease_and_sleepers() {
  return scenario(
      "a lease and two sleepers", options(), {.preemptions = 2, .delays = 1, .executions = 60'000},
      [](World& w) {
        prepare(w, 1);
        add_actor([&w] { w.receive(0, k_hold); }, {.name = "holder"});
        add_actor([&w] { w.receive_waiting(1, k_hold); }, {.name = "A"});
        add_actor([&w] { w.receive_waiting(2, k_hold); }, {.name = "B"});
      },
      [](World& w) { check_look(w, {1, 2}); });
}

[[nodiscard]] bool is_held(const World& w) {
  for (unsigned i = 0; i < w.memory.geometry.slots; ++i) {
    if (held_lease(w.memory, 0, i)) return true;
  }
  return false;
}

/// Consumer 2 looks until each lease must be over, whatever its holder has stored.
void look_again_and_again(World& w, unsigned& round) {
  for (unsigned i = 0; i < 6; ++i) {
    pass_time(k_over_ns);
    ++round;
    if (w.receive(2, k_hold)) return;
  }
}

/// The holder stops anywhere, also before its lease has a time, and before it has planned a look.
Scenario stopped_holder() {
  return scenario(
      "a consumer stops in the middle of a lease", options(), {.preemptions = 2, .delays = 1, .executions = 60'000},
      [](World& w) {
        prepare(w, 1);
        add_actor([&w] { w.receive(0, k_hold); }, {.name = "holder"});
        add_actor(
            [&w] {
              const bool held = is_held(w);
              unsigned rounds = 0;
              look_again_and_again(w, rounds);
              if (held && w.got[2].count == 0) fail("a consumer that has stopped keeps its message for ever");
            },
            {.name = "look"});
      },
      [](World& w) {
        w.end_held(2, k_ack);
        check_all(w);
      });
}

/// It goes on while the lease is ended by a time that another consumer gave it.
Scenario late_lease() {
  static unsigned round;
  static unsigned extended;  // in which round; 0: not
  return scenario(
      "a consumer stops in the middle of a lease, and extends it", options(),
      {.preemptions = 3, .delays = 0, .executions = 120'000},
      [](World& w) {
        round = 1;
        extended = 0;
        prepare(w, 1);
        add_actor(
            [&w] {
              if (!w.receive(0, k_hold)) return;
              const unsigned now = round;
              if (w.extend_held(0)) extended = now;
            },
            {.name = "holder"});
        add_actor(
            [&w] {
              look_again_and_again(w, round);
              if (w.got[2].count != 0 && extended == round) fail("a message was extended, and another consumer got it");
            },
            {.name = "look"});
      },
      [](World& w) {
        w.end_held(2, k_ack);
        check_all(w);
      });
}

/// The due time lies where the end of the lease lay. The look takes that for a lease without a time.
Scenario nack_and_look() {
  return scenario(
      "a late holder gives back with a long delay", options(), {.preemptions = 2, .delays = 1, .executions = 60'000},
      [](World& w) {
        prepare_late_holder(w, 1);
        add_actor([&w] { w.end_held(0, World::Then::nack_for_long); }, {.name = "late holder"});
        add_actor([&w] { w.receive(2, k_hold); }, {.name = "look"});
      },
      [](World& w) {
        if (w.got[2].count != 0) return;
        pass_time(k_over_ns);
        bring_forward(w.memory, 0, k_at_once_us);  // as if another message were due
        w.receive(2, k_hold);
        if (w.got[2].count != 0) fail("a message came before its delay was over");
      });
}

/// The holder ends its lease by a store, since it leased before the option was there. Its other thread has seen the option.
Scenario option_turned_on() {
  static unsigned round;
  return scenario(
      "leases get a timeout while a message is held", options(),
      {.preemptions = 2, .delays = 0, .executions = 60'000, .random = 0},  // no store takes as long as a timeout
      [](World& w) {
        round = 0;
        w.add_producer(0);
        for (unsigned c = 0; c < 3; ++c) w.add_consumer(c, 0);
        w.publish(0, 20);
        w.receive(0, k_hold);
        w.memory.group(0).times.store_relaxed(GroupTimes{10, 0}.word());
        post_notice(w.memory, 0);
        add_actor([&w] { w.end_held(0, k_ack); }, {.name = "holder"});
        add_actor([&w] { w.receive(0); }, {.name = "its other thread"});
        add_actor(
            [&w] {
              look_again_and_again(w, round);
              w.end_held(2, k_ack);
            },
            {.name = "look"});
      },
      [](World& w) { check_all(w); });
}

/// The consumer that takes the message plans a look, and wakes the other one, which watches.
Scenario message_for_sleepers() {
  return scenario(
      "a message for two sleepers is held", options(), {.preemptions = 2, .delays = 1, .executions = 60'000},
      [](World& w) {
        prepare(w, 0);
        add_actor([&w] { w.receive_waiting(0, k_hold); }, {.name = "A"});
        add_actor([&w] { w.receive_waiting(1, k_hold); }, {.name = "B"});
        add_actor([&w] { w.publish(0, 20); }, {.name = "producer"});
      },
      [](World& w) { check_look(w, {0, 1}); });
}

/// Time alone ends the sleep.
Scenario sleep_until_over() {
  return scenario(
      "a sleeper wakes when a lease is over", options(),
      {.preemptions = 1, .delays = 0, .timeouts = 1, .executions = 20'000},
      [](World& w) {
        prepare(w, 1);
        w.receive(0, k_hold);
        add_actor([&w] { w.receive_waiting(1); }, {.name = "sleeper"});
      },
      [](World&) {
        if (!is_done(0)) fail("a sleeper sleeps past the end of a lease");
      });
}

/// It is killed anywhere, also between the clearing of the time and its second walk.
Scenario dead_in_a_look() {
  return scenario(
      "a consumer is killed while it looks for leases that are over", options(),
      {.preemptions = 2, .delays = 0, .kills = 1, .executions = 60'000},
      [](World& w) {
        prepare(w, 1);
        w.receive(0);
        pass_time(k_over_ns);
        w.publish(0, 30);
        const unsigned victim = add_actor([&w] { w.receive(1); }, {.name = "victim", .mortal = true});
        add_actor([&w] { w.receive(2, k_hold); }, {.name = "lease"});
        add_actor([&w] { w.bury(k_first_consumer + 1); },
                  {.name = "repair", .gate = [victim] { return is_dead(victim); }});
      },
      [](World& w) {
        check_look(w);
        w.end_held(2, k_ack);
      });
}

}  // namespace

std::vector<Scenario> lease_timeout_scenarios() {
  return {late_end("a late holder acknowledges", k_ack),
          late_end("a late holder gives back with a delay", k_nack),
          late_extend(),
          lease_and_look(),
          lease_that_is_left(),
          time_of_the_lap_before(),
          lease_and_sleepers(),
          message_for_sleepers(),
          sleep_until_over(),
          dead_in_a_look(),
          stopped_holder(),
          late_lease(),
          nack_and_look(),
          option_turned_on()};
}

}  // namespace beltway::explore
