// Words that a program has written over, none of which holds a message: what healing must set right without losing any.
// Thread safety: none.
#pragma once

#include "world.hpp"

namespace beltway::crash {

void write_tail_ahead(World& world);
void write_tail_far_away(World& world);
/// A slot that no group needs any more, and that is not the last.
void write_free_slot(World& world);
void write_floor_beyond(World& world);
void write_floor_far_behind(World& world);
void write_next_beyond(World& world);
void write_lease_of_nobody(World& world);
void write_lease_of_a_later_lap(World& world);
void write_sleepers_of_nobody(World& world);

/// What the daemon does about it.
void heal(World& world);

}  // namespace beltway::crash
