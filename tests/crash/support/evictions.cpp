// A consumer that is thrown out where it stands and goes on later, and the daemon that dies while it throws it out. See
// scenarios.hpp.
#include <memory>

#include "scenarios.hpp"
#include "seen.hpp"
#include "stepper.hpp"

namespace beltway::crash {

namespace {

bool to_be_tried(const Operation& operation, const Beginning& beginning) {
  return can_be_evicted(operation) && applies(operation, beginning.shape, false) && beginning.shape.producers > 1;
}

/// Runs `operation` from its beginning, and calls `at_step(at, crew)` after each step.
template <class AtStep>
void run_stepped(const Operation& operation, World& live, const Beginning& beginning, AtStep at_step) {
  const unsigned owner = owner_of(operation, false);
  live.clear();
  Crew crew(live);
  crew.set_actor(owner);
  begin(live, crew, beginning, {&owner, 1});
  if (operation.prepare != nullptr) operation.prepare(crew, owner);
  step([&] { operation.run(crew, owner); },
       [&](std::uint64_t at) {
         at_step(at, crew);
         return Then::step;
       });
}

/// Others publish and take what the thrown-out one had.
void others_go_on(Crew& crew) {
  const Shape& shape = crew.world().shape();
  for (unsigned number = 0; number < 4; ++number) {
    crew.publish(k_producer_b, first_id(k_producer_b) + number, number % 2 == 0 ? k_lane_size : k_inline_size);
    if (shape.with_private && crew.actor() != k_private) crew.read();
    if (shape.with_named) crew.lease(k_named_b, number != 1);
  }
}

}  // namespace

Counts evict(const Operation& operation, const std::vector<Beginning>& beginnings) {
  Counts counts;
  context() = {.scenario = "thrown out", .first = operation.name};
  const unsigned owner = owner_of(operation, false);
  for (Beginning beginning : beginnings) {
    if (!to_be_tried(operation, beginning)) continue;
    beginning.shape.evictable = true;
    World live(beginning.shape);
    World image(beginning.shape);
    const Use use(live);
    Seen seen;
    run_stepped(operation, live, beginning, [&](std::uint64_t at, Crew& /*crew*/) {
      if (!seen.is_new(live.hash())) return;
      context().at = at;
      image.copy_from(live);
      evict(image, owner);
      check_rest(image, {}, Depth::usable);
      ++counts.images;
    });
    ++counts.runs;
  }
  return counts;
}

Counts evict_twice(const Operation& operation, const std::vector<Beginning>& beginnings, std::uint64_t stride) {
  Counts counts;
  context() = {.scenario = "thrown out, and stopped again", .first = operation.name};
  const unsigned owner = owner_of(operation, false);
  for (Beginning beginning : beginnings) {
    if (!to_be_tried(operation, beginning)) continue;
    beginning.shape.evictable = true;
    World live(beginning.shape);
    World image(beginning.shape);
    const Use use(live);
    Seen seen;
    bool reached = true;
    for (std::uint64_t stop_at = counts.runs % stride; reached; stop_at += stride) {
      reached = false;
      context().at = stop_at;
      run_stepped(operation, live, beginning, [&](std::uint64_t at, Crew& crew) {
        if (at < stop_at) return;
        if (at == stop_at) {
          reached = true;
          evict(live, owner);
          others_go_on(crew);
        }
        if (!seen.is_new(live.hash())) return;
        context().then_at = at;
        image.copy_from(live);
        check_dead(image, {{owner, k_nobody, k_nobody}}, Depth::drained);
        image.copy_from(live);
        evict(image, owner);
        check_rest(image, {}, Depth::drained);
        ++counts.pairs;
      });
      counts.images += reached ? 1 : 0;
    }
    ++counts.runs;
  }
  return counts;
}

Counts evict_by_half(const Operation& operation, const std::vector<Beginning>& beginnings, std::uint64_t stride) {
  Counts counts;
  context() = {.scenario = "thrown out by halves", .first = operation.name};
  const unsigned owner = owner_of(operation, false);
  for (Beginning beginning : beginnings) {
    if (!to_be_tried(operation, beginning)) continue;
    beginning.shape.evictable = true;
    World live(beginning.shape);
    World half(beginning.shape);
    const Use use(live);
    bool reached = true;
    for (std::uint64_t stop_at = counts.runs % stride; reached; stop_at += stride) {
      reached = false;
      // Each time the daemon gets one change further.
      bool finished = false;
      for (unsigned changes = 1; !finished; ++changes) {
        finished = true;
        context() = {.scenario = "thrown out by halves", .first = operation.name, .at = stop_at, .then_at = changes};
        run_stepped(operation, live, beginning, [&](std::uint64_t at, Crew& crew) {
          if (at != stop_at) return;
          reached = true;
          unsigned changed = 0;
          Seen seen;
          seen.is_new(live.hash());
          step([&] { evict(live, owner); },
               [&](std::uint64_t /*at*/) {
                 if (!seen.is_new(live.hash()) || ++changed != changes) return Then::step;
                 half.copy_from(live);
                 finished = false;
                 return Then::run_on;
               });
          // Nobody else has moved, so this is as if the daemon had died there.
          if (!finished) live.copy_from(half);
          others_go_on(crew);
          ++counts.pairs;
        });
        evict(live, owner);
        check_rest(live, {}, Depth::usable);
        if (!reached) break;
      }
      counts.images += reached ? 1 : 0;
    }
    ++counts.runs;
  }
  return counts;
}

}  // namespace beltway::crash
