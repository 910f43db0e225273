// Two actors: the second starts where the first was frozen. See scenarios.hpp.

#include "scenarios.hpp"
#include "seen.hpp"
#include "stepper.hpp"

namespace beltway::crash {

namespace {

bool can_pair(const Operation& first, const Operation& second, const Shape& shape) {
  return owner_of(first, false) != owner_of(second, true) && applies(first, shape, false) &&
         applies(second, shape, true);
}

/// Freezes `first` at each instruction that left a new image, and calls `then(frozen)` with a copy of the world there.
template <class Act>
std::uint64_t freeze_each(const Operation& first, const Operation& second, const Beginning& beginning, Act then) {
  World live(beginning.shape);
  World frozen(beginning.shape);
  const Use use(live);
  Crew crew(live);
  const unsigned owners[] = {owner_of(first, false), owner_of(second, true)};
  begin(live, crew, beginning, owners);
  if (first.prepare != nullptr) first.prepare(crew, owners[0]);
  Seen seen;
  std::uint64_t images = 0;
  step([&] { first.run(crew, owners[0]); },
       [&](std::uint64_t at) {
         if (!seen.is_new(live.hash())) return Then::step;
         context().at = at;
         frozen.copy_from(live);
         ++images;
         then(frozen);
         return Then::step;
       });
  return images;
}

}  // namespace

Counts kill_both(const Operation& first, const Operation& second, const std::vector<Beginning>& beginnings) {
  Counts counts;
  context() = {.scenario = "both killed", .first = first.name, .second = second.name};
  const Dead dead{{owner_of(first, false), owner_of(second, true), k_nobody}};
  for (const Beginning& beginning : beginnings) {
    if (!can_pair(first, second, beginning.shape)) continue;
    World image(beginning.shape);
    Seen seen;  // of all pairs: two that end alike need be checked once
    counts.images += freeze_each(first, second, beginning, [&](World& frozen) {
      const Use use(frozen);
      Crew crew(frozen);
      if (second.prepare != nullptr) second.prepare(crew, dead.owners[1]);
      step([&] { second.run(crew, dead.owners[1]); },
           [&](std::uint64_t at) {
             if (!seen.is_new(frozen.hash())) return Then::step;
             context().then_at = at;
             image.copy_from(frozen);
             check_dead(image, dead, Depth::drained);
             ++counts.pairs;
             return Then::step;
           });
    });
    ++counts.runs;
  }
  return counts;
}

Counts repair_inside(const Operation& first, const Operation& second, const std::vector<Beginning>& beginnings) {
  Counts counts;
  context() = {.scenario = "repaired inside", .first = first.name, .second = second.name};
  const unsigned owner = owner_of(second, true);
  const Dead dead{{owner_of(first, false), k_nobody, k_nobody}};
  for (const Beginning& beginning : beginnings) {
    if (!can_pair(first, second, beginning.shape)) continue;
    World work(beginning.shape);
    const std::uint64_t stride = full_coverage() ? 1 : 3;
    counts.images += freeze_each(first, second, beginning, [&](World& frozen) {
      bool over = false;
      for (std::uint64_t repair_at = counts.pairs % stride; !over; repair_at += stride) {
        work.copy_from(frozen);
        const Use use(work);
        Crew crew(work);
        if (second.prepare != nullptr) second.prepare(crew, owner);
        context().then_at = repair_at;
        over = true;
        step([&] { second.run(crew, owner); },
             [&](std::uint64_t at) {
               if (at < repair_at) return Then::step;
               over = false;
               bury(work, dead.owners[0]);
               return Then::run_on;
             });
        if (over) bury(work, dead.owners[0]);
        check_rest(work, dead, Depth::usable);
        ++counts.pairs;
      }
    });
    ++counts.runs;
  }
  return counts;
}

Counts interrupt(const Operation& operation, const Interruption& interruption, const std::vector<Beginning>& beginnings,
                 std::uint64_t stride) {
  Counts counts;
  context() = {.scenario = interruption.name, .first = operation.name};
  const unsigned owner = owner_of(operation, false);
  for (Beginning beginning : beginnings) {
    if (!applies(operation, beginning.shape, false) || !interruption.applies(operation, beginning)) continue;
    beginning.shape.evictable = beginning.shape.evictable || interruption.evictable;
    World live(beginning.shape);
    const Use use(live);
    bool over = false;
    for (std::uint64_t stop_at = counts.runs % stride; !over; stop_at += stride) {
      live.clear();
      Crew crew(live);
      crew.set_actor(owner);
      begin(live, crew, beginning, {&owner, 1});
      if (operation.prepare != nullptr) operation.prepare(crew, owner);
      context().at = stop_at;
      over = true;
      step([&] { operation.run(crew, owner); },
           [&](std::uint64_t at) {
             if (at < stop_at) return Then::step;
             over = false;
             interruption.meanwhile(crew);
             return Then::run_on;
           });
      if (!over && interruption.afterwards != nullptr) interruption.afterwards(crew);
      check_rest(live, {}, Depth::usable);
      counts.pairs += over ? 0 : 1;
    }
    ++counts.runs;
  }
  return counts;
}

}  // namespace beltway::crash
