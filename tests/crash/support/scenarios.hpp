// The scenarios: which operations are frozen where, what is done then, and how much of it. Each counts what it did.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "checker.hpp"
#include "operations.hpp"

namespace beltway::crash {

struct Counts {
  std::uint64_t runs = 0;    ///< times that something was stepped from its beginning
  std::uint64_t images = 0;  ///< different images that were repaired, drained and checked
  std::uint64_t pairs = 0;   ///< different places of a second actor among them
};

/// True if everything is to be tried, for hours: $BELTWAY_CRASH_FULL, see ../full.sh.
[[nodiscard]] bool full_coverage() noexcept;

/// Beginnings of all kinds: rings of 2 and 4, empty to full, from a few positions below each wrap, with all combinations of
/// groups. `thin`: every so many of them only (all with full_coverage()).
[[nodiscard]] std::vector<Beginning> beginnings(unsigned thin);
/// The same for a single-producer ring.
[[nodiscard]] std::vector<Beginning> single_producer_beginnings(unsigned thin);

/// `operation` is killed at every instruction.
Counts kill(const Operation& operation, const std::vector<Beginning>& beginnings, Depth depth);
/// Likewise, and then the repair at each of its own, which starts again.
Counts kill_repair(const Operation& operation, const std::vector<Beginning>& beginnings);

/// `first` is killed at every instruction, `second` then runs and is killed at each of its own.
Counts kill_both(const Operation& first, const Operation& second, const std::vector<Beginning>& beginnings);
/// `first` is killed; it is repaired while `second` stands at each of its instructions, and then goes on.
Counts repair_inside(const Operation& first, const Operation& second, const std::vector<Beginning>& beginnings);

/// `operation` is stopped at every instruction; `meanwhile` happens; then it goes on to its end, and `afterwards` runs.
struct Interruption {
  const char* name;
  bool (*applies)(const Operation& operation, const Beginning& beginning);
  void (*meanwhile)(Crew& crew);
  void (*afterwards)(Crew& crew);  ///< may be null
  bool evictable = false;          ///< in a world whose consumers may be thrown out
};
/// At every so many steps, in each beginning from another one on.
Counts interrupt(const Operation& operation, const Interruption& interruption, const std::vector<Beginning>& beginnings,
                 std::uint64_t stride);

/// `operation`'s consumer is stopped at every instruction, for good, and thrown out.
Counts evict(const Operation& operation, const std::vector<Beginning>& beginnings);
/// It is stopped, as by interrupt(), and thrown out, and others go on; then it goes on, too, and is stopped again at each later
/// instruction, where it is killed, or thrown out once more.
Counts evict_twice(const Operation& operation, const std::vector<Beginning>& beginnings, std::uint64_t stride);
/// It is stopped, as by interrupt(), and the daemon is killed at each of its own instructions while it throws it out; it goes
/// on, and the next daemon does it again.
Counts evict_by_half(const Operation& operation, const std::vector<Beginning>& beginnings, std::uint64_t stride);

/// Prints what a scenario did, for the test's log.
void report(const char* name, const Counts& counts);

}  // namespace beltway::crash
