// Healing: words of a queue's shared memory that are in disorder become words that the protocol knows. A program causes
// disorder if it uses one endpoint from two threads at once, or writes over the memory. The table in src/ring/PROTOCOL.md
// ("Hostile values") says for each word what is wrong and which process sets it right.
//
// Heal never touches a READY message in its order, nor a slot that a living producer may be writing. Every step is a compare-and-
// swap from the wrong word and is safe to repeat: after a death in the middle, the next daemon begins again.
//
// Thread safety: the daemon's one thread, while producers and consumers go on.
#pragma once

#include <array>
#include <cstdint>

#include "beltway/limits.hpp"
#include "ring/queue_memory.hpp"

namespace beltway::recovery {

/// The endpoints that are attached to a queue, by the daemon's record and not by shared memory. No other endpoint owns a word.
class Living {
 public:
  /// `group`: of a consumer; private ones lie behind the named ones.
  void add(unsigned owner, unsigned group = 0) noexcept;
  void remove(unsigned owner) noexcept;
  [[nodiscard]] bool has(unsigned owner) const noexcept;
  [[nodiscard]] bool has(unsigned owner, unsigned group) const noexcept;
  [[nodiscard]] std::uint64_t producers() const noexcept { return producers_; }
  [[nodiscard]] std::uint64_t consumers() const noexcept { return consumers_; }

 private:
  std::uint64_t producers_ = 0;  // bit p
  std::uint64_t consumers_ = 0;  // bit c
  std::array<unsigned, k_max_consumers> groups_{};
};

struct HealCounts {
  std::uint64_t claims = 0;    ///< claims of producers that are gone: VOID now
  std::uint64_t holes = 0;     ///< other slots that were not in order: VOID now
  std::uint64_t released = 0;  ///< leases of consumers that are gone, and lease words that made no sense
  std::uint64_t words = 0;     ///< tail, floors, `next` and sleepers that were set right

  /// True if heal found a word that no death at any instruction can leave.
  [[nodiscard]] bool disorder() const noexcept { return holes + words != 0; }
};

/// Sets the queue's slots, `tail`, floors, `next`, lease words and sleepers right. Wakes no sleeper: call wake_all_sleepers().
HealCounts heal(const ring::QueueMemory& memory, const Living& living) noexcept;

}  // namespace beltway::recovery
