// Dead letter queues that keep messages while nothing consumes them.
// Thread safety: a function of its argument.
#pragma once

#include "watch/model.hpp"

namespace beltway::watch {

/// Adds a note to each such queue of the fleet, instead of what it said there before.
void tell_waiting_dead_letters(Fleet& fleet);

}  // namespace beltway::watch
