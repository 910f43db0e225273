// Shared words in words, for the schedules that the explorer shows.
#pragma once

#include "ring/queue_memory.hpp"

namespace beltway::explore {

using namespace beltway::ring;

/// From now on the explorer names words by their place in this queue.
void show_words_of(const QueueMemory& memory);

}  // namespace beltway::explore
