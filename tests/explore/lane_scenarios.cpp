// Messages in lanes: readers of all kinds against a producer that frees and reuses its lane, and a new producer on a dead one's
// lane.
#include "ring/readers/named_reader.hpp"
#include "scenarios.hpp"
#include "world.hpp"

namespace beltway::explore {

using namespace beltway::ring;

namespace {

/// Room for two large messages.
constexpr std::uint64_t k_lane_bytes = 2 * k_cache_line_bytes;

void publish_large(World& w, unsigned producer, unsigned first, unsigned count) {
  for (unsigned i = 0; i < count; ++i) w.publish(producer, first + i, true);
}

/// A single producer, whose messages in the lane take the general way.
Scenario lossy_single(bool weak) {
  return scenario(
      std::string("a lossy reader and the lane of a single producer") + (weak ? ", weak memory" : ""),
      {.slots = 2, .producers = 1, .consumers = 1, .lane_bytes = k_lane_bytes},
      {.preemptions = 3, .delays = 2, .weak = weak},
      [](World& w) {
        w.add_producer(0);
        w.add_private(0, Start::latest, GroupKind::lossy);
        w.publish(0, 9);
        add_actor([&w] { w.publish(0, 1), w.publish(0, 2, true), w.publish(0, 3, true); }, {.name = "A"});
        add_actor([&w] { w.receive(0) && w.receive(0); }, {.name = "reader"});
      },
      [](World& w) {
        while (w.receive(0)) {
        }
      });
}

Scenario lossy(std::uint32_t slots, bool weak) {
  return scenario(
      std::string("a lossy reader, a lane and another producer") + (weak ? ", weak memory" : ""),
      {.slots = slots, .producers = 2, .consumers = 1, .lane_bytes = k_lane_bytes},
      {.preemptions = 2, .delays = 1, .weak = weak},
      [](World& w) {
        for (unsigned p = 0; p < 2; ++p) w.add_producer(p);
        w.add_private(0, Start::latest, GroupKind::lossy);
        add_actor([&w] { publish_large(w, 0, 1, 4); }, {.name = "A"});
        add_actor([&w] { w.publish(1, 10); }, {.name = "B"});
        add_actor([&w] { w.receive(0) && w.receive(0) && w.receive(0); }, {.name = "reader"});
      },
      [](World& w) {
        while (w.receive(0)) {
        }
      });
}

/// Small messages, of which a lossy reader may copy one while it is overwritten, with a mark on its slot or without.
Scenario lossy_small(std::uint32_t producers, bool weak) {
  return scenario(
      std::string("a lossy reader is overtaken by ") + (producers == 1 ? "a single producer" : "one of two producers") +
          (weak ? ", weak memory" : ""),
      {.slots = 2, .producers = producers, .consumers = 1}, {.preemptions = 3, .delays = 2, .weak = weak},
      [](World& w) {
        w.add_producer(0);
        w.add_private(0, Start::latest, GroupKind::lossy);
        w.publish(0, 9);
        add_actor([&w] { w.publish(0, 1), w.publish(0, 2), w.publish(0, 3); }, {.name = "A"});
        add_actor([&w] { w.receive(0) && w.receive(0); }, {.name = "reader"});
      },
      [](World& w) {
        while (w.receive(0)) {
        }
      });
}

/// What it left unfinished, or the repair made VOID of it, is in the place of what the reader may be copying.
Scenario lossy_and_death(bool weak) {
  return scenario(
      std::string("a single producer is killed while a lossy reader copies") + (weak ? ", weak memory" : ""),
      {.slots = 2, .producers = 1, .consumers = 1}, {.preemptions = 2, .delays = 1, .kills = 1, .weak = weak},
      [](World& w) {
        w.add_producer(0);
        w.add_private(0, Start::latest, GroupKind::lossy);
        w.publish(0, 9);
        const unsigned victim = add_actor([&w] { w.publish(0, 1), w.publish(0, 2); }, {.name = "A", .mortal = true});
        add_actor([&w] { w.receive(0) && w.receive(0); }, {.name = "reader"});
        add_actor([&w] { w.bury(0); }, {.name = "repair", .gate = [victim] { return is_dead(victim); }});
      },
      [](World& w) {
        if (is_dead(0)) w.add_producer(0);
        w.publish(0, 3);
        while (w.receive(0)) {
        }
      });
}

Scenario join_and_reclaim() {
  return scenario(
      "join at oldest while the lane is freed, read in place",
      {.slots = 4, .producers = 1, .consumers = 1, .lane_bytes = k_lane_bytes}, {.preemptions = 2, .delays = 1},
      [](World& w) {
        w.add_producer(0);
        publish_large(w, 0, 20, 2);
        add_actor([&w] { publish_large(w, 0, 1, 3); }, {.name = "A"});
        add_actor([&w] { w.add_private(0, Start::oldest), w.receive(0) && w.receive(0); }, {.name = "joiner"});
      },
      [](World& w) {
        while (w.receive(0)) {
        }
      });
}

/// The same for a named group, whose consumer holds what it has leased.
Scenario join_named_and_reclaim() {
  return scenario(
      "a named group joins at oldest while the lane is freed, read in place",
      {.slots = 4, .producers = 1, .consumers = 1, .groups = 1, .lane_bytes = k_lane_bytes},
      {.preemptions = 2, .delays = 1},
      [](World& w) {
        leave(w.memory, 0);
        free_group(w.memory, 0);
        w.add_producer(0);
        publish_large(w, 0, 20, 2);
        add_actor([&w] { publish_large(w, 0, 1, 3); }, {.name = "A"});
        add_actor(
            [&w] {
              join(w.memory, 0, GroupKind::named, Start::oldest);
              w.add_consumer(0, 0);
              w.receive(0, World::Then::hold) && w.receive(0, World::Then::hold);
              w.read_held_again(0);
            },
            {.name = "joiner"});
      },
      [](World& w) {
        w.end_held(0, World::Then::ack);
        w.check_joined_group(0, 0, false);
      });
}

/// What was GONE before it was leased is ended late, when the next lap's message of the same lease word is somebody's.
Scenario late_end_of_what_is_gone() {
  return scenario(
      "a named group joins at oldest while the lane is freed, the next lap is read",
      {.slots = 2, .producers = 1, .consumers = 3, .groups = 1, .lane_bytes = k_lane_bytes},
      {.preemptions = 3, .delays = 1, .executions = 1'000'000},
      [](World& w) {
        leave(w.memory, 0);
        free_group(w.memory, 0);
        w.add_producer(0);
        publish_large(w, 0, 20, 2);
        static bool joined;
        joined = false;
        add_actor([&w] { publish_large(w, 0, 1, 2); }, {.name = "lane's owner"});
        add_actor(
            [&w] {
              join(w.memory, 0, GroupKind::named, Start::oldest);
              joined = true;
              const GroupStateWord group = GroupStateWord::of(w.memory.group(0).state.load_acquire());
              NamedReader reader(w.memory, 0, group.incarnation, k_first_consumer, false);
              SlotView view;
              std::uint64_t corrupt = 0;
              if (reader.try_lease_next(view, corrupt)) reader.ack(view.position, view.tries);
            },
            {.name = "joiner"});
        const auto read_next_lap = [&w] {
          w.add_consumer(1, 0);
          w.receive(1) && w.receive(1);
        };
        add_actor(read_next_lap, {.name = "B", .gate = [&w] { return joined && w.published[2]; }});
      },
      [](World& w) {
        w.add_consumer(2, 0);
        w.check_joined_group(0, 2, false);
      });
}

/// The slot of a claim that is not marked yet turns from READY to GONE under the helper's hands.
Scenario help_and_gone() {
  return scenario(
      "help against a GONE mark, the claimer is killed", {.slots = 2, .consumers = 1, .lane_bytes = k_lane_bytes},
      {.preemptions = 2, .delays = 0, .kills = 1, .executions = 300'000},
      [](World& w) {
        for (unsigned p = 0; p < 3; ++p) w.add_producer(p);
        w.add_private(0);
        publish_large(w, 0, 20, 2);
        w.receive(0) && w.receive(0);
        const unsigned victim = add_actor([&w] { w.publish(1, 1); }, {.name = "claimer", .mortal = true});
        add_actor([&w] { publish_large(w, 0, 2, 1); }, {.name = "lane's owner"});
        add_actor([&w] { w.publish(2, 3); }, {.name = "helper"});
        add_actor([&w] { w.bury(1); }, {.name = "repair", .gate = [victim] { return is_dead(victim); }});
      },
      [](World& w) {
        w.check_private(0);
        w.check_usable(2, 0);
      });
}

/// Consumer 1, whom the lane's owner does not wait for: lossy, or of a group that joins at the oldest message.
void add_other_reader(World& w, GroupKind other) {
  add_actor(
      [=, &w] {
        if (other == GroupKind::private_reliable) w.add_private(1, Start::oldest);
        w.receive(1) && w.receive(1);
      },
      {.name = other == GroupKind::lossy ? "lossy" : "joiner"});
}
std::string name_of_other(GroupKind other) {
  return other == GroupKind::lossy ? ", a lossy reader reads" : ", a group joins at oldest";
}

/// A reliable reader lets a message go between the marks and the second look at the floors: that message bears no mark.
Scenario passed_meanwhile(GroupKind other) {
  return scenario(
      "a reader goes on while the lane is freed" + name_of_other(other),
      {.slots = 4, .producers = 1, .consumers = 2, .lane_bytes = k_lane_bytes}, {.preemptions = 3, .delays = 1},
      [=](World& w) {
        w.add_producer(0);
        w.add_private(0);
        if (other == GroupKind::lossy) w.add_private(1, Start::latest, GroupKind::lossy);
        publish_large(w, 0, 20, 2);
        w.receive(0);
        if (other == GroupKind::lossy) w.receive(1);
        add_actor([&w] { publish_large(w, 0, 1, 2); }, {.name = "A"});
        add_actor([&w] { w.receive(0); }, {.name = "reader"});
        add_other_reader(w, other);
      },
      [](World& w) {
        while (w.receive(1)) {
        }
        w.check_private(0);
      });
}

enum class Heir : std::uint8_t { before_reader, behind_reader };

/// Producer 0 dies and leaves messages in its lane; a new producer takes its index and its lane.
Scenario takeover(Heir heir, GroupKind other) {
  return scenario(
      std::string("a dead producer's lane is taken over, ") +
          (heir == Heir::before_reader ? "a reader still needs it" : "its reader has passed it") + name_of_other(other),
      {.slots = 4, .producers = 2, .consumers = 2, .lane_bytes = k_lane_bytes}, {.preemptions = 2, .delays = 1},
      [=](World& w) {
        w.add_producer(0);
        w.add_private(0);
        if (other == GroupKind::lossy) w.add_private(1, Start::latest, GroupKind::lossy);
        publish_large(w, 0, 20, 2);
        w.bury(0);
        if (heir == Heir::behind_reader) w.receive(0), w.receive(0);
        add_actor([&w] { w.add_producer(0), publish_large(w, 0, 1, 2); }, {.name = "heir"});
        add_actor([&w] { w.receive(0) && w.receive(0); }, {.name = "reader"});
        add_other_reader(w, other);
      },
      [](World& w) {
        while (w.receive(1)) {
        }
        w.check_private(0);
        w.check_usable(1, 0);
      });
}

/// Producer 0 dies, and the daemon gives back what no message needs of its lane. `floor`: messages that its reliable reader has
/// passed.
Scenario give_back(unsigned floor, GroupKind other, bool weak) {
  return scenario(
      "a dead producer's lane is given back" + name_of_other(other) +
          (floor == 2 ? "" : ", a reader still needs a message") + (weak ? ", weak memory" : ""),
      {.slots = 4, .producers = 2, .consumers = 2, .lane_bytes = k_lane_bytes},
      {.preemptions = 3, .delays = 1, .weak = weak, .executions = 250'000},
      [=](World& w) {
        w.add_producer(0);
        w.add_private(0);
        if (other == GroupKind::lossy) w.add_private(1, Start::latest, GroupKind::lossy);
        publish_large(w, 0, 20, 2);
        for (unsigned i = 0; i < floor; ++i) w.receive(0);
        add_actor([&w] { w.bury(0), w.give_back_lane(0); }, {.name = "daemon"});
        if (floor != 2) add_actor([&w] { w.receive(0); }, {.name = "reader"});
        add_other_reader(w, other);
      },
      [](World& w) {
        while (w.receive(1)) {
        }
        w.check_private(0);
        w.add_producer(0);
        w.check_usable(1, 0);
      });
}

/// The dead producer was just freeing its lane: what it had marked GONE may be read by a group that joined before.
Scenario dead_reclaimer() {
  return scenario(
      "a producer is killed while it frees its lane, an heir goes on, a group joins at oldest",
      {.slots = 4, .producers = 1, .consumers = 1, .lane_bytes = k_lane_bytes},
      {.preemptions = 2, .delays = 0, .kills = 1},
      [](World& w) {
        w.add_producer(0);
        publish_large(w, 0, 20, 2);
        const unsigned victim = add_actor([&w] { publish_large(w, 0, 1, 1); }, {.name = "victim", .mortal = true});
        add_actor([&w] { w.add_private(0, Start::oldest), w.receive(0) && w.receive(0); }, {.name = "joiner"});
        add_actor([&w] { w.bury(0), w.add_producer(0), publish_large(w, 0, 5, 2); },
                  {.name = "heir", .gate = [victim] { return is_dead(victim); }});
      },
      [](World& w) {
        while (w.receive(0)) {
        }
      });
}

}  // namespace

std::vector<Scenario> lane_scenarios() {
  return {lossy(2, false),
          lossy(2, true),
          lossy_single(false),
          lossy_single(true),
          lossy_and_death(false),
          lossy_and_death(true),
          lossy_small(1, false),
          lossy_small(1, true),
          lossy_small(2, false),
          lossy_small(2, true),
          join_and_reclaim(),
          join_named_and_reclaim(),
          passed_meanwhile(GroupKind::lossy),
          passed_meanwhile(GroupKind::private_reliable),
          late_end_of_what_is_gone(),
          help_and_gone(),
          takeover(Heir::before_reader, GroupKind::lossy),
          takeover(Heir::behind_reader, GroupKind::lossy),
          takeover(Heir::before_reader, GroupKind::private_reliable),
          takeover(Heir::behind_reader, GroupKind::private_reliable),
          give_back(2, GroupKind::lossy, false),
          give_back(2, GroupKind::lossy, true),
          give_back(2, GroupKind::private_reliable, false),
          give_back(0, GroupKind::lossy, false),
          give_back(0, GroupKind::private_reliable, false),
          dead_reclaimer()};
}

}  // namespace beltway::explore
