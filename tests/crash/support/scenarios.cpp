// Beginnings, and one actor that is killed. See scenarios.hpp.
#include "scenarios.hpp"

#include <cstdio>
#include <cstdlib>

#include "seen.hpp"
#include "stepper.hpp"

namespace beltway::crash {

using namespace beltway::ring;

bool full_coverage() noexcept {
  const char* const full = std::getenv("BELTWAY_CRASH_FULL");
  return full != nullptr && *full != '\0' && *full != '0';
}

namespace {

/// The watchdog is for tests that take a second; $BELTWAY_TEST_TIMEOUT_S still says otherwise.
const bool watchdog_waits = [] {
  if (full_coverage()) ::setenv("BELTWAY_TEST_TIMEOUT_S", "86400", 0);
  return full_coverage();
}();

/// Spreads choices evenly, whatever every so-many-th beginning would have had in common.
constexpr std::uint64_t mix(std::uint64_t number) noexcept {
  number = (number + 1) * 0x9e3779b97f4a7c15ULL;
  number = (number ^ number >> 32) * 0xd6e8feb86659fd93ULL;
  return number ^ number >> 32;
}

std::vector<Beginning> beginnings_of(std::uint32_t producers, unsigned thin) {
  // A position at which each packed field wraps: tail and next (44 bits), lease (46), slot and floor (54).
  constexpr Position k_firsts[] = {0, (1ULL << 44) - 3, (1ULL << 46) - 2, (1ULL << 54) - 3};
  std::vector<Beginning> all;
  std::uint64_t number = producers;
  for (const std::uint32_t slots : {2U, 4U}) {
    for (unsigned groups = 0; groups < 4; ++groups) {
      for (unsigned laps = 0; laps < slots + 2; ++laps) {
        for (unsigned prefill = 0; prefill <= slots; ++prefill) {
          for (unsigned start = 0; start < 4; ++start) {
            const std::uint64_t choice = mix(++number);
            // Always tried: a full ring whose only group could give room at once, if somebody looked.
            const bool late_and_full = groups == 1 && prefill == 4 && laps == 0 && start == 1;
            if (!full_coverage() && choice % thin != 0 && !late_and_full) continue;
            const std::uint64_t bits = mix(choice);
            Beginning one;
            one.shape = {.slots = slots,
                         .producers = producers,
                         .lane_bytes = slots == 2 ? 256U : 384U,
                         .first = k_firsts[start],
                         .with_private = groups % 2 == 0,
                         .with_named = groups < 2,
                         .symmetric = bits % 5 == 0,
                         .evictable = bits % 3 == 0};
            one.shape.stamps = !one.shape.evictable && (bits & 0x30000) == 0;
            one.laps = laps;
            one.prefill = prefill;
            one.lane_prefill = !late_and_full && (bits & 0x100) != 0;
            one.properties = (bits & 0xc000) == 0xc000;
            one.laps_by_a = (bits & 0x600) != 0;
            one.late_floor = late_and_full || (bits & 0x800) != 0;
            one.sleepers = (bits & 0x3000) != 0;
            all.push_back(one);
          }
        }
      }
    }
  }
  return all;
}

}  // namespace

std::vector<Beginning> beginnings(unsigned thin) { return beginnings_of(4, thin); }
std::vector<Beginning> single_producer_beginnings(unsigned thin) { return beginnings_of(1, thin); }

void report(const char* name, const Counts& counts) {
  std::printf("%-44s %8llu runs %10llu images %10llu pairs\n", name, static_cast<unsigned long long>(counts.runs),
              static_cast<unsigned long long>(counts.images), static_cast<unsigned long long>(counts.pairs));
  std::fflush(stdout);
}

Counts kill(const Operation& operation, const std::vector<Beginning>& beginnings, Depth depth) {
  Counts counts;
  context() = {.scenario = "killed", .first = operation.name};
  const unsigned owner = owner_of(operation, false);
  for (const Beginning& beginning : beginnings) {
    if (!applies(operation, beginning.shape, false)) continue;
    World live(beginning.shape);
    World image(beginning.shape);
    const Use use(live);
    Crew crew(live);
    begin(live, crew, beginning, {&owner, 1});
    if (operation.prepare != nullptr) operation.prepare(crew, owner);
    Seen seen;
    const Dead dead{{owner, operation.holder, k_nobody}};
    step([&] { operation.run(crew, owner); },
         [&](std::uint64_t at) {
           if (!seen.is_new(live.hash())) return Then::step;
           context().at = at;
           image.copy_from(live);
           check_dead(image, dead, depth);
           ++counts.images;
           return Then::step;
         });
    // It lived to the end: nobody died, so nothing is repaired and nobody is kicked.
    context().at = ~0ULL;
    image.copy_from(live);
    if (operation.holder != k_nobody) {
      check_dead(image, {{operation.holder, k_nobody, k_nobody}}, depth);
    } else {
      check_rest(image, {}, depth);
    }
    ++counts.runs;
  }
  return counts;
}

Counts kill_repair(const Operation& operation, const std::vector<Beginning>& beginnings) {
  Counts counts;
  context() = {.scenario = "killed, and its repair", .first = operation.name};
  const unsigned owner = owner_of(operation, false);
  for (const Beginning& beginning : beginnings) {
    if (!applies(operation, beginning.shape, false)) continue;
    World live(beginning.shape);
    World dying(beginning.shape);
    World image(beginning.shape);
    const Use use(live);
    Crew crew(live);
    begin(live, crew, beginning, {&owner, 1});
    if (operation.prepare != nullptr) operation.prepare(crew, owner);
    Seen seen;
    Seen seen_repairs;
    const Dead dead{{owner, operation.holder, k_nobody}};
    step([&] { operation.run(crew, owner); },
         [&](std::uint64_t at) {
           if (!seen.is_new(live.hash())) return Then::step;
           context().at = at;
           dying.copy_from(live);
           const Use use_dying(dying);
           step([&] { bury(dying, owner); },
                [&](std::uint64_t then_at) {
                  if (!seen_repairs.is_new(dying.hash())) return Then::step;
                  context().then_at = then_at;
                  image.copy_from(dying);
                  check_dead(image, dead, Depth::drained);
                  ++counts.pairs;
                  return Then::step;
                });
           ++counts.images;
           return Then::step;
         });
    ++counts.runs;
  }
  return counts;
}

}  // namespace beltway::crash
