// Messages with stamps, and messages that expire: a reader sees the stamp of the message that it sees, and no other.
#include <array>
#include <string_view>

#include "ring/stamps.hpp"
#include "scenarios.hpp"
#include "world.hpp"

namespace beltway::explore {

using namespace beltway::ring;

namespace {

/// As the daemon does.
void set_stamps(World& w, Stamps stamps) {
  w.memory.shared_status().stamping.store_release(Stamping{0, static_cast<std::uint8_t>(stamps)}.word());
  post_notice(w.memory, 0);
}

/// Takes a message, if there is one. Its age is known, or not.
bool take(World& w, unsigned consumer, bool has_age) {
  const Result<Message> message = w.consumers[consumer]->try_receive();
  if (!message) return false;
  if (message->age().has_value() != has_age) fail("a message shows a stamp that is not its own, or misses its own");
  return true;
}

/// Messages of the laps before and behind have no stamps.
void check_laps(World& w, std::initializer_list<unsigned> consumers, std::uint32_t slots) {
  for (const unsigned consumer : consumers) {
    while (take(w, consumer, true)) {
    }
  }
  set_stamps(w, Stamps::off);
  for (std::uint32_t i = 0; i < slots; ++i) {
    if (!w.publish(0, 20 + i)) fail("there is no room");
    for (const unsigned consumer : consumers) {
      if (!take(w, consumer, false)) fail("a message is missing");
    }
  }
}

Scenario stamped(std::uint32_t producers, GroupKind kind, bool weak) {
  return scenario(
      std::string("messages with stamps of ") + (producers == 1 ? "a single producer" : "two producers") +
          (kind == GroupKind::lossy ? ", a lossy reader" : ", a private reader") + (weak ? ", weak memory" : ""),
      {.slots = 2, .producers = producers, .consumers = 1}, {.preemptions = 2, .delays = 1, .weak = weak},
      [producers, kind](World& w) {
        pass_time(1'000'000);
        set_stamps(w, Stamps::fine);
        for (unsigned p = 0; p < producers; ++p) w.add_producer(p);
        w.add_private(0, Start::latest, kind);
        add_actor([&w] { w.publish(0, 1), w.publish(0, 2); }, {.name = "A"});
        if (producers != 1) add_actor([&w] { w.publish(1, 3); }, {.name = "B"});
        add_actor([&w] { take(w, 0, true), take(w, 0, true); }, {.name = "reader"});
      },
      [](World& w) { check_laps(w, {0}, 2); });
}

/// Dead before READY: the stamp belongs to no message.
Scenario death() {
  return scenario(
      "a producer is killed publishing with a stamp, another lives", {.slots = 2, .consumers = 1},
      {.preemptions = 2, .delays = 1, .kills = 1},
      [](World& w) {
        pass_time(1'000'000);
        set_stamps(w, Stamps::fine);
        for (unsigned p = 0; p < 2; ++p) w.add_producer(p);
        w.add_private(0);
        const unsigned victim = add_actor([&w] { w.publish(1, 1); }, {.name = "A", .mortal = true});
        add_actor([&w] { w.publish(0, 3), take(w, 0, true); }, {.name = "B"});
        add_actor([&w] { w.bury(1); }, {.name = "repair", .gate = [victim] { return is_dead(victim); }});
      },
      [](World& w) { check_laps(w, {0}, 2); });
}

/// One message with a long time of its own, and one whose time is over.
Scenario own_ttl() {
  return scenario(
      "messages with a time of their own",
      {.slots = 4, .producers = 1, .consumers = 2, .groups = 1, .lane_bytes = 1024}, {.preemptions = 1, .delays = 1},
      [](World& w) {
        pass_time(1'000'000);
        w.add_producer(0);
        w.add_consumer(0, 0);
        w.add_private(1);
        add_actor(
            [&w] {
              for (const std::chrono::microseconds ttl :
                   {std::chrono::microseconds(-1), std::chrono::microseconds(1'000'000)}) {
                const std::string_view text = ttl.count() < 0 ? "old" : "new";
                if (w.producers[0]->try_publish(Bytes(text), Properties{.ttl = ttl}) != Status::ok)
                  fail("there is no room");
              }
            },
            {.name = "A"});
        for (unsigned c = 0; c < 2; ++c)
          add_actor([&w, c] { static_cast<void>(w.consumers[c]->counters()); }, {.name = "reader"});
      },
      [](World& w) {
        for (unsigned c = 0; c < 2; ++c) {
          Result<Message> message = w.consumers[c]->try_receive();
          if (!message) return fail("a message expired early");
          if (message->text() != "new") return fail("an expired message was delivered");
          message->ack();
          if (w.consumers[c]->try_receive()) fail("an expired message was delivered");
          if (w.consumers[c]->counters().expired != 1) fail("an expired message was not counted");
        }
      });
}

/// A named group has a ttl, and the private groups of the queue have none.
Scenario ttl_of_a_group() {
  return scenario(
      "a ttl of one group", {.slots = 4, .producers = 1, .consumers = 2, .groups = 1}, {.preemptions = 1, .delays = 1},
      [](World& w) {
        pass_time(1'000'000);
        w.memory.group(0).times.store_relaxed(GroupTimes{0, 10}.word());
        set_stamps(w, Stamps::fine);
        w.add_producer(0);
        w.add_consumer(0, 0);
        w.add_private(1);
        add_actor([&w] { w.publish(0, 1), w.publish(0, 2); }, {.name = "A"});
        add_actor([&w] { take(w, 1, true); }, {.name = "reader"});
      },
      [](World& w) {
        pass_time(20'000'000);
        if (take(w, 0, true)) fail("an old message was delivered to the group");
        if (w.consumers[0]->counters().expired != 2) fail("an expired message was not counted");
        while (take(w, 1, true)) {
        }
        if (w.consumers[1]->counters().messages != 2) fail("a message expired for a group without a ttl");
      });
}

}  // namespace

std::vector<Scenario> stamp_scenarios() {
  return {stamped(1, GroupKind::private_reliable, false),
          stamped(1, GroupKind::private_reliable, true),
          stamped(1, GroupKind::lossy, false),
          stamped(1, GroupKind::lossy, true),
          stamped(2, GroupKind::private_reliable, false),
          stamped(2, GroupKind::lossy, true),
          death(),
          own_ttl(),
          ttl_of_a_group()};
}

}  // namespace beltway::explore
