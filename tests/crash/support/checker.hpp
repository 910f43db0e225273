// What must be true of a world after deaths and their repair, and what must be true once everybody alive has come to rest.
//
// Thread safety: none. Every check uses up the world that it is given: give it a copy.
#pragma once

#include <initializer_list>
#include <span>

#include "world.hpp"

namespace beltway::crash {

/// What the daemon does for an endpoint that is proved dead.
void bury(World& world, unsigned owner);

/// Nobody sleeps while there is something for it, unless it was woken (or for a named group: another's of the group).
void check_nobody_sleeps_in_vain(const World& world);

struct Dead {
  unsigned owners[3] = {k_nobody, k_nobody, k_nobody};
  [[nodiscard]] bool contains(unsigned owner) const noexcept {
    return owners[0] == owner || owners[1] == owner || owners[2] == owner;
  }
};

enum class Depth : std::uint8_t {
  drained,  ///< everything is delivered, and floors, leases and claims are as in a queue at rest
  usable,   ///< and three laps more go through, by new producers at the places of the dead
};

/// Drains the queue by new consumers and compares what came with the journal. The dead must be buried.
void check_rest(World& world, const Dead& dead, Depth depth);

/// bury() each, then all of the above.
void check_dead(World& world, const Dead& dead, Depth depth);

/// Worlds checked.
[[nodiscard]] std::uint64_t& images() noexcept;

}  // namespace beltway::crash
