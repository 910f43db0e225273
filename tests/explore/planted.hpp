// Bugs that are planted into a copy of the ring's sources (see plant.cmake and plants.cmake), one of them on at a time.
//
// Thread safety: chosen between explorations, in one thread.
#pragma once

#include <cstddef>

namespace beltway::explore {

/// The bug that is on; null: none. Compared as an address: names are those of k_plants in plants.cmake's header.
extern const char* planted_bug;

/// True if bug `name` is on; what planted sources ask.
bool planted(const char* name) noexcept;

}  // namespace beltway::explore
