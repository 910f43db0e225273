// The end of things: groups that are removed or purged while consumers lease from them and producers wait for them, and the
// end of the stream.
#include "scenarios.hpp"
#include "world.hpp"

namespace beltway::explore {

using namespace beltway::ring;

namespace {

constexpr auto k_ack = World::Then::ack;
constexpr auto k_nack = World::Then::nack;

/// With no lease left, a removed group holds nobody back, without another word from the daemon.
void check_removed(World& w) {
  if (GroupStateWord::of(w.memory.group(0).state.load_acquire()).phase != GroupPhase::drained) {
    fail("a removed group without leases still holds producers back");
  }
  w.check_sleeper(2, 0);
  free_group(w.memory, 0);
  join(w.memory, 0, GroupKind::named, Start::latest);
  w.joined();
  w.add_consumer(1, 0);
  for (unsigned i = 0; i < 2 * w.memory.geometry.slots; ++i) {
    if (!w.publish(1, 30 + i)) fail("the queue is not usable any more: publish finds no room");
    w.check_joined_group(0, 1);
  }
}

/// `held`: leased before, so that the end of that lease drains the group.
Scenario removal(std::uint32_t slots, World::Then then, bool held) {
  return scenario(
      std::string("a group is removed while a message is ") + (held ? "held, then " : "") +
          (then == k_ack ? "acknowledged" : "given back") + ", a producer waits, ring of " + std::to_string(slots),
      {.slots = slots, .producers = 2, .consumers = 2, .groups = 1},
      {.preemptions = 2, .delays = 1, .executions = 150'000},
      [=](World& w) {
        for (unsigned p = 0; p < 2; ++p) w.add_producer(p);
        w.add_consumer(0, 0);
        for (unsigned i = 0; i < slots; ++i) w.publish(0, 20 + i);
        if (held) w.receive(0, World::Then::hold);
        const auto consume = [=, &w] {
          if (held) {
            w.end_held(0, then);
          } else {
            w.receive(0, then);
          }
        };
        add_actor(consume, {.name = "consumer"});
        add_actor([&w] { leave(w.memory, 0); }, {.name = "daemon"});
        add_actor([&w] { w.publish_waiting(0, 1); }, {.name = "producer"});
      },
      check_removed);
}

/// The last leases end side by side, when the daemon has done all that it does: one of their ends must see the other.
Scenario last_leases(World::Then then) {
  return scenario(
      std::string("a removed group's last two leases end, one is ") + (then == k_ack ? "acknowledged" : "given back"),
      {.slots = 2, .producers = 2, .consumers = 3, .groups = 1}, {.preemptions = 2, .delays = 2, .executions = 150'000},
      [=](World& w) {
        for (unsigned p = 0; p < 2; ++p) w.add_producer(p);
        for (const unsigned c : {0U, 2U}) w.add_consumer(c, 0);
        for (unsigned i = 0; i < 2; ++i) w.publish(0, 20 + i);
        for (const unsigned c : {0U, 2U}) w.receive(c, World::Then::hold);
        leave(w.memory, 0);
        add_actor([&w] { w.end_held(0, k_ack); }, {.name = "A"});
        add_actor([=, &w] { w.end_held(2, then); }, {.name = "B"});
        add_actor([&w] { w.publish_waiting(0, 1); }, {.name = "producer"});
      },
      check_removed);
}

Scenario sleeper_is_told() {
  return scenario(
      "a group is removed under a sleeping consumer", {.slots = 2, .producers = 1, .consumers = 1, .groups = 1},
      {.preemptions = 3, .delays = 1, .executions = 150'000},
      [](World& w) {
        w.add_producer(0);
        w.add_consumer(0, 0);
        add_actor([&w] { w.receive_waiting(0); }, {.name = "consumer"});
        add_actor([&w] { leave(w.memory, 0); }, {.name = "daemon"});
      },
      [](World& w) { w.check_sleeper(0, k_first_consumer); });
}

Scenario purging() {
  static std::uint64_t purged;
  return scenario(
      "a purge against a lease, a nack and a producer", {.slots = 2, .producers = 1, .consumers = 2, .groups = 1},
      {.preemptions = 2, .delays = 1, .executions = 150'000},
      [](World& w) {
        purged = 0;
        w.add_producer(0);
        w.add_consumer(0, 0);
        for (unsigned i = 0; i < 2; ++i) w.publish(0, 20 + i);
        add_actor([&w] { w.receive(0, k_nack), w.receive(0, k_ack); }, {.name = "consumer"});
        add_actor([&w] { purged = purge(w.memory, 0).messages; }, {.name = "daemon"});
        add_actor([&w] { w.publish_waiting(0, 1); }, {.name = "producer"});
      },
      [](World& w) {
        w.check_sleeper(2, 0);
        w.check_named(0, 1, static_cast<unsigned>(purged));
        unsigned ended = static_cast<unsigned>(purged);
        unsigned published = 0;
        for (unsigned id = 0; id < w.acked.size(); ++id) {
          ended += w.acked[id];
          published += w.published[id] ? 1U : 0U;
        }
        if (ended != published) fail("a message was purged and acknowledged, or neither");
      });
}

/// Neither overwrites the other's flag.
Scenario doubt() {
  return scenario(
      "a client's doubt meets a notice of the daemon", {.slots = 2, .producers = 1, .consumers = 1},
      {.preemptions = 2, .delays = 1, .executions = 20'000},
      [](World& w) {
        w.add_producer(0);
        w.add_private(0);
        add_actor([&w] { post_doubt(w.memory); }, {.name = "client"});
        add_actor([&w] { post_notice(w.memory, k_notice_symmetric); }, {.name = "daemon"});
      },
      [](World& w) {
        const Notice notice = Notice::of(w.memory.shared_status().notice.load_acquire());
        if ((notice.flags & k_notice_doubted) == 0) fail("a client's doubt was lost");
        if ((notice.flags & k_notice_symmetric) == 0) fail("a notice of the daemon was lost");
      });
}

/// The last producer publishes and leaves; whoever waits gets the message, then the end.
Scenario last_producer(bool named) {
  return scenario(
      std::string("the last producer leaves ") + (named ? "two consumers of a group" : "a private consumer"),
      {.slots = 2, .producers = 1, .consumers = 2, .groups = 1}, {.preemptions = 2, .delays = 1, .executions = 150'000},
      [=](World& w) {
        w.add_producer(0);
        if (!named) leave(w.memory, 0), free_group(w.memory, 0);
        const auto consume = [&w](unsigned consumer) {
          return [&w, consumer] {
            while (w.receive_waiting(consumer) == Status::ok) {
            }
          };
        };
        if (named) {
          for (unsigned c = 0; c < 2; ++c) w.add_consumer(c, 0);
        } else {
          w.add_private(0);
        }
        add_actor(consume(0), {.name = "A"});
        add_actor([&w] { w.publish(0, 1), w.bury(0); }, {.name = "producer"});
        if (named) add_actor(consume(1), {.name = "B"});
      },
      [=](World& w) {
        if (is_asleep(0) || is_asleep(2)) fail("a consumer sleeps though no producer is left");
        if (named) {
          w.check_named(0, 0);
        } else {
          w.check_private(0);
        }
      });
}

/// No producer is left: the last ack is the end for the others, a nack is a message for them.
Scenario last_message(World::Then then) {
  return scenario(
      std::string("the last message of a stream is ") + (then == k_ack ? "acknowledged" : "given back") +
          " beside a sleeper",
      {.slots = 2, .producers = 1, .consumers = 2, .groups = 1}, {.preemptions = 3, .delays = 1, .executions = 150'000},
      [=](World& w) {
        w.add_producer(0);
        for (unsigned c = 0; c < 2; ++c) w.add_consumer(c, 0);
        w.publish(0, 1);
        w.receive(0, World::Then::hold);
        w.bury(0);
        add_actor([=, &w] { w.end_held(0, then); }, {.name = "A"});
        add_actor(
            [&w] {
              while (w.receive_waiting(1) == Status::ok) {
              }
            },
            {.name = "B"});
      },
      [](World& w) {
        if (is_asleep(1)) fail("a consumer sleeps though no producer is left");
        w.check_named(0, 0);
      });
}

}  // namespace

std::vector<Scenario> removal_scenarios() {
  return {removal(2, k_ack, false),
          removal(2, k_nack, false),
          removal(2, k_ack, true),
          removal(2, k_nack, true),
          last_leases(k_ack),
          last_leases(k_nack),
          sleeper_is_told(),
          purging(),
          doubt(),
          last_producer(false),
          last_producer(true),
          last_message(k_ack),
          last_message(k_nack)};
}

}  // namespace beltway::explore
