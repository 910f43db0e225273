// A lossy consumer that asks for the newest message, while producers publish: options.hpp says what it gets.
#include <array>
#include <optional>
#include <vector>

#include "memory.hpp"
#include "scenarios.hpp"
#include "world.hpp"

namespace beltway::explore {

using namespace beltway::ring;

namespace {

constexpr unsigned k_calls = 3;

/// What was published when a call began, and what the call gave.
struct Call {
  std::array<bool, 64> before{};
  std::optional<Log::Entry> got;
};

/// A store of a publish that has returned may not be seen yet: without late stores it is. Random executions have some.
constexpr Bounds bounds(unsigned kills) {
  return {.preemptions = 3, .delays = 0, .kills = kills, .executions = 60'000, .random = 0};
}

void add_newest(World& w, unsigned index) {
  const unsigned group = w.memory.geometry.max_groups + index;
  join(w.memory, group, GroupKind::lossy, Start::latest);
  w.add_consumer(index, group, {.conflate = true});
}

void call(World& w, std::vector<Call>& calls) {
  Call one;
  one.before = w.published;
  const unsigned count = w.got[0].count;
  if (w.receive(0)) one.got = w.got[0].entries[count];
  calls.push_back(one);
}

/// `position_of`: of a message that was published for sure.
template <class PositionOf>
void check_calls(const std::vector<Call>& calls, const PositionOf& position_of) {
  std::optional<Position> last;
  for (const Call& one : calls) {
    if (one.got) {
      if (last && distance(one.got->position, *last) <= 0) fail("the newest message is no newer than the one before");
      last = one.got->position;
    }
    for (unsigned id = 0; id < one.before.size(); ++id) {
      if (!one.before[id]) continue;
      if (!last || distance(position_of(id), *last) > 0) fail("a newer message was there when the call began");
    }
  }
}

/// The reader is overtaken. Messages follow each other from the first position on.
Scenario overtaken(bool dies) {
  static std::vector<Call> calls;
  return scenario(
      dies ? "a single producer is killed while a consumer asks for the newest message"
           : "a consumer asks for the newest message of a single producer",
      {.slots = 2, .producers = 1, .consumers = 2}, bounds(dies ? 1 : 0),
      [dies](World& w) {
        calls.clear();
        w.add_producer(0);
        add_newest(w, 0);
        const unsigned producer = add_actor(
            [&w] {
              for (unsigned i = 0; i < 4; ++i) w.publish(0, 20 + i);
            },
            {.name = "producer", .mortal = dies});
        add_actor(
            [&w] {
              for (unsigned i = 0; i < k_calls; ++i) call(w, calls);
            },
            {.name = "newest"});
        if (dies) add_actor([&w] { w.bury(0); }, {.name = "repair", .gate = [producer] { return is_dead(producer); }});
      },
      [](World& w) {
        call(w, calls);
        check_calls(calls, [](unsigned id) { return wrap(WorldOptions{}.first + id - 20); });
        if (is_done(0)) w.check_usable(0, 0);
      });
}

/// Claims of two producers are finished in any order. A private consumer says where each message lies.
Scenario two_producers() {
  static std::vector<Call> calls;
  return scenario(
      "a consumer asks for the newest message of two producers", {.slots = 8, .producers = 2, .consumers = 2},
      bounds(0),
      [](World& w) {
        calls.clear();
        for (unsigned p = 0; p < 2; ++p) w.add_producer(p);
        w.add_private(1);
        add_newest(w, 0);
        for (unsigned p = 0; p < 2; ++p) {
          add_actor(
              [&w, p] {
                for (unsigned i = 0; i < 2; ++i) w.publish(p, 20 + 10 * p + i);
              },
              {.name = p == 0 ? "A" : "B"});
        }
        add_actor(
            [&w] {
              for (unsigned i = 0; i < k_calls; ++i) call(w, calls);
            },
            {.name = "newest"});
      },
      [](World& w) {
        call(w, calls);
        w.check_private(1);
        check_calls(calls, [&w](unsigned id) {
          const Log& all = w.got[1];
          for (unsigned i = 0; i < all.count; ++i) {
            if (all.entries[i].id == id) return all.entries[i].position;
          }
          fail("a message has no position");
          return Position{0};
        });
      });
}

}  // namespace

std::vector<Scenario> newest_scenarios() { return {overtaken(false), overtaken(true), two_producers()}; }

}  // namespace beltway::explore
