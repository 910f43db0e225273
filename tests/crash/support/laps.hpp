// The last part of a check: the queue goes on as if nothing had happened.
#pragma once

#include "checker.hpp"

namespace beltway::crash {

/// Publishes three laps, inline and by lanes, from new producers at the places of the dead and at a free one; each message
/// must reach the private reader and the named group at once, whole; what a newcomer at the oldest message and a lossy
/// reader find must be whole, too.
void check_laps(World& world, const Dead& dead);

}  // namespace beltway::crash
