// Runs a few actors over shared memory under every schedule within bounds, and shows the schedule under which a check fails.
//
// The actors run the ring's own source, compiled against test_atomics.hpp. At every access to shared memory that others
// could notice, the explorer chooses who goes on. A schedule is the list of these choices; all lists are tried, depth
// first, each from the start again. What a choice can be:
//
//   - the actor goes on, or, up to `preemptions` times, another one does; who blocks, ends or is killed hands over for free;
//   - stores lie in the actor's store buffer, in order, until somebody looks at their word. Then they become visible, or,
//     up to `delays` times, the one who looks misses them. Read-modify-writes and full fences empty the buffer, a heavy
//     barrier everybody's. That is what x86 does. `weak`: a store may also overtake earlier ones to other words unless a
//     release (store or fence) stands between, as on Arm. Loads that are made early are not modelled;
//   - a mortal actor is killed (its buffered stores become visible: they had left the instruction stream);
//   - a sleeper with a deadline reaches it.
//
// A relaxed store by itself is no point of choice: nobody can tell when it was made, only when it becomes visible. Before a
// release there is one, since a heavy barrier tells what was made from what was not. Without `delays` each store is one.
//
// Thread safety: one explorer a process, all in one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace beltway::explore {

inline constexpr unsigned k_max_actors = 4;

struct Bounds {
  unsigned preemptions = 2;
  unsigned delays = 1;
  unsigned kills = 0;
  unsigned timeouts = 0;
  bool weak = false;
  std::uint64_t executions = 120'000;  ///< no more than these, exhaustive or not
  std::uint64_t random = 10'000;       ///< so many more, at random, with k_random_preemptions and k_random_delays
};
inline constexpr unsigned k_random_preemptions = 8;
inline constexpr unsigned k_random_delays = 3;

struct Scenario {
  std::string name;
  Bounds bounds;
  std::function<void()> setup;  ///< makes the memory and calls add_actor(); accesses are immediate
  std::function<void()> check;  ///< after all have ended, died or fallen asleep; calls fail(); accesses are immediate
};

struct Outcome {
  std::uint64_t executions = 0;
  std::optional<unsigned> exhaustive = {};  ///< every schedule with so many preemptions was tried
  std::string failure = {};                 ///< empty: none failed
  std::string schedule = {};                ///< the one that failed, in words
};

/// $BELTWAY_EXPLORE_PREEMPTIONS and $BELTWAY_EXPLORE_DELAYS are added to the bounds, $BELTWAY_EXPLORE_EXECUTIONS multiplies
/// both numbers of executions.
[[nodiscard]] Outcome explore(const Scenario& scenario);

// -- for a scenario's setup ---------------------------------------------------------------------------------------

struct ActorOptions {
  const char* name = "";
  bool mortal = false;
  std::function<bool()> gate = {};  ///< the actor starts when this is true; must not touch shared memory
};
/// Returns the actor's number, from 0 on.
unsigned add_actor(std::function<void()> job, ActorOptions options = {});

/// Turns a word of shared memory and its value into text, for the schedule.
using Describe = void (*)(const void* word, std::uint64_t value, char* text, std::size_t size);
void set_describe(Describe describe);

// -- for actors and checks ----------------------------------------------------------------------------------------

/// This execution has shown an error. In an actor, the execution ends here.
void fail(const char* what);
/// Writes a line into the schedule.
void note(const char* format, unsigned long long value = 0);
[[nodiscard]] bool is_dead(unsigned actor);
[[nodiscard]] bool is_done(unsigned actor);
[[nodiscard]] bool is_asleep(unsigned actor);

}  // namespace beltway::explore
