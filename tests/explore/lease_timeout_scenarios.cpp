// Leases that end by time: the look for leases that are over meets their holders, other consumers, sleepers and a death.
#include "memory.hpp"
#include "ring/floors.hpp"
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
constexpr std::uint64_t k_look_ns = 2'000'000;  // longer than until the next look, shorter than a lease lasts

WorldOptions options() { return {.slots = 4, .producers = 1, .consumers = 4, .groups = 1}; }

/// A group whose leases last some milliseconds, three consumers of it, and `messages` in the ring.
void prepare(World& w, unsigned messages) {
  w.memory.group(0).times.store_relaxed(GroupTimes{10, 0}.word());
  w.memory.group(0).redelivery.store_relaxed(Redelivery{1, 8, 0, false}.word());
  w.add_producer(0);
  for (unsigned c = 0; c < 3; ++c) w.add_consumer(c, 0);
  for (unsigned i = 0; i < messages; ++i) w.publish(0, 20 + i);
}

/// Consumer 0 holds the first of `messages`, and a look has given its lease a time; the others are acknowledged.
void prepare_held(World& w, unsigned messages) {
  prepare(w, messages);
  w.receive(0, k_hold);
  for (unsigned i = 1; i < messages; ++i) w.receive(1);
  pass_time(k_look_ns);
  w.receive(1);
}
void prepare_late_holder(World& w, unsigned messages) {
  prepare_held(w, messages);
  pass_time(k_over_ns);
}

std::vector<HeldLease> held_leases(const World& w) {
  std::vector<HeldLease> all;
  for (unsigned i = 0; i < w.memory.geometry.slots; ++i) {
    if (const std::optional<HeldLease> held = held_lease(w.memory, 0, i)) all.push_back(*held);
  }
  return all;
}

/// While messages are held, consumers look within the interval, and when the first lease ends. If consumers sleep, one of them
/// watches.
void check_look(const World& w, std::initializer_list<unsigned> sleepers = {}) {
  const std::vector<HeldLease> held = held_leases(w);
  if (held.empty()) return;
  std::uint64_t latest = now_us() + look_interval_us(lease_timeout_us(w.memory, 0));
  for (const HeldLease& each : held) latest = std::min(latest, each.due_us.value_or(latest));
  const std::uint64_t look = EarliestDue::of(w.memory.group(0).lease_check.load_acquire()).due_us;
  if (look == 0 || look > latest) fail("a message is held, and nobody looks in time");
  bool asleep = false;
  bool watched = false;
  for (const unsigned consumer : sleepers) {
    if (!is_asleep(consumer)) continue;
    asleep = true;
    const std::uint64_t watches = w.memory.endpoint(k_first_consumer + consumer).watches_due.load_acquire();
    watched = watched || (watches != 0 && watches <= latest);
  }
  if (asleep && !watched) fail("a message is held, and no sleeper knows when to look");
}

void receive_what_is_over(World& w, unsigned consumer) {
  for (unsigned i = 0; i < 3; ++i) {
    pass_time(k_over_ns);
    w.receive(consumer);
  }
}

/// When all leases and delays are over, consumer 3 gets what is left.
void check_all(World& w) {
  w.add_consumer(3, 0);
  receive_what_is_over(w, 3);
  pass_time(k_over_ns);
  w.check_named(0, 3);
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
        const auto& late = w.got[0].entries[0];
        const bool goes_on = w.got[2].count != 0 && w.got[2].entries[0].position == late.position;
        const Lease lease = Lease::of(w.memory.lease(0, late.position).load_acquire());
        if (goes_on && lease.tries == 0) fail("a lease that is over counted no try");
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
        add_actor(
            [&w] {
              w.receive(2, k_hold);
              pass_time(k_look_ns);
              w.receive(1, k_hold);  // gives the new lease a time
            },
            {.name = "look"});
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
        prepare(w, 0);
        w.receive(2);  // it finds none, and searches again after a timeout only
        w.publish(0, 20);
        w.receive(0);
        pass_time(k_look_ns);
        w.publish(0, 30);
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
        prepare(w, 0);
        for (const unsigned holder : {0, 1}) {
          w.publish(0, 20 + holder);
          w.receive(holder, k_hold);
          pass_time(k_look_ns);
          w.receive(2);  // gives the lease its time
        }
        // The first lease is over, and the second one ends before the interval between two looks is over.
        const Word& last = w.memory.lease_time(0, w.got[1].entries[0].position);
        pass_time((LeaseEnd::of(last.load_acquire()).due_us - now_us() - 500) * 1000);
        add_actor([&w] { w.receive(2, k_hold); }, {.name = "look"});
        add_actor([&w] { w.end_held(0, k_ack); }, {.name = "late holder"});
      },
      [](World& w) {
        check_look(w);
        w.end_held(1, k_ack);
        check_all(w);
      });
}

/// The slot of a new lease still has a time of the same consumer, of the lap before or of the same lap number long ago.
void prepare_old_time(World& w, unsigned laps_before) {
  prepare(w, 1);
  const Position position = wrap(load_tail(w.memory) - 1);
  const auto lap = static_cast<std::uint16_t>(lease_lap(w.memory, position) - laps_before);
  const LeaseEnd old{1, lap, k_first_consumer | LeaseEnd::k_ends, 0};
  w.memory.lease_time(0, position).store_relaxed(old.word());
  w.memory.group(0).lease_check.store_relaxed(EarliestDue{k_at_once_us, 0}.word());
  pass_time(k_over_ns);
}

Scenario time_of_an_old_lap(const char* name, unsigned laps_before) {
  return scenario(
      name, options(), {.preemptions = 2, .delays = 1, .executions = 60'000},
      [laps_before](World& w) {
        prepare_old_time(w, laps_before);
        add_actor([&w] { w.receive(0, k_hold); }, {.name = "lease"});
        add_actor([&w] { w.receive(2, k_hold); }, {.name = "look"});
      },
      [](World& w) {
        if (w.got[0].count + w.got[2].count > 1) fail("a lease was ended before its time");
        check_all(w);
      });
}

/// The leasing consumer is killed anywhere, also between the clearing of an old time, its lease and the time of that.
Scenario dead_in_a_lease() {
  return scenario(
      "a consumer is killed in a lease over an old time", options(),
      {.preemptions = 2, .delays = 0, .kills = 1, .executions = 60'000},
      [](World& w) {
        prepare_old_time(w, 0);
        const unsigned victim = add_actor([&w] { w.receive(0, k_hold); }, {.name = "victim", .mortal = true});
        add_actor([&w] { w.receive(2, k_hold); }, {.name = "look"});
        add_actor([&w] { w.bury(k_first_consumer); }, {.name = "repair", .gate = [victim] { return is_dead(victim); }});
      },
      [](World& w) {
        check_look(w);
        receive_what_is_over(w, 1);
        if (w.got[1].count + w.got[2].count == 0) fail("a message is lost, or its consumer keeps it");
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

/// Consumer 2 looks until each lease must be over, whatever its holder has stored.
void look_again_and_again(World& w) {
  for (unsigned i = 0; i < 6; ++i) {
    pass_time(k_over_ns);
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
              const bool held = !held_leases(w).empty();
              look_again_and_again(w);
              if (held && w.got[2].count == 0) fail("a consumer that has stopped keeps its message for ever");
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

/// Consumer 0 holds a message from before the option.
void prepare_option_turned_on(World& w) {
  w.add_producer(0);
  for (unsigned c = 0; c < 3; ++c) w.add_consumer(c, 0);
  w.publish(0, 20);
  w.receive(0, k_hold);
  w.memory.group(0).times.store_relaxed(GroupTimes{10, 0}.word());
  post_notice(w.memory, 0);
}

/// The holder ends its lease by a store, since it leased before the option was there. Its other thread has seen the option.
Scenario option_turned_on() {
  return scenario(
      "leases get a timeout while a message is held", options(),
      {.preemptions = 2, .delays = 0, .executions = 60'000, .random = 0},  // no store takes as long as a timeout
      [](World& w) {
        prepare_option_turned_on(w);
        add_actor([&w] { w.end_held(0, k_ack); }, {.name = "holder"});
        add_actor([&w] { w.receive(0); }, {.name = "its other thread"});
        add_actor(
            [&w] {
              look_again_and_again(w);
              w.end_held(2, k_ack);
            },
            {.name = "look"});
      },
      [](World& w) { check_all(w); });
}

/// It holds a message that it may end by a store, and leases another one when it has seen the option.
Scenario lease_of_a_silent_consumer() {
  return scenario(
      "a consumer leases with a timeout while it holds a message without", options(),
      {.preemptions = 2, .delays = 0, .executions = 20'000, .random = 0},
      [](World& w) {
        prepare_option_turned_on(w);
        w.receive(0, k_hold);  // it finds none, and reads the option
        w.publish(0, 21);
        w.receive(0);  // the first lease in a tick of the clock gets its time in any case
        w.publish(0, 22);
        add_actor([&w] { w.receive(0, k_hold); }, {.name = "holder"});
        add_actor([&w] { w.receive(1); }, {.name = "another consumer"});
      },
      [](World& w) {
        receive_what_is_over(w, 2);
        if (w.got[1].count + w.got[2].count == 0) fail("a lease does not end, although its consumer knows the option");
      });
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

Scenario sleep_until_over() {
  return scenario(
      "a sleeper wakes when a lease is over", options(),
      {.preemptions = 1, .delays = 0, .timeouts = 1, .executions = 20'000},
      [](World& w) {
        prepare_held(w, 1);
        // As a look stores it that comes shortly before the end.
        w.memory.group(0).lease_check.store_relaxed(EarliestDue{*held_leases(w)[0].due_us, 9}.word());
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
          time_of_an_old_lap("a lease meets a look, the time of the lap before is over", 1),
          time_of_an_old_lap("a lease meets a look, an old time has its lap number", 0),
          dead_in_a_lease(),
          lease_and_sleepers(),
          message_for_sleepers(),
          sleep_until_over(),
          dead_in_a_look(),
          stopped_holder(),
          nack_and_look(),
          option_turned_on(),
          lease_of_a_silent_consumer()};
}

}  // namespace beltway::explore
