// Bugs that are planted into a copy of the ring's sources (see plant.cmake and plants.cmake), one of them on at a time.
//
// Thread safety: chosen between explorations, in one thread.
#pragma once

#include <cstddef>
#include <cstring>

namespace beltway::explore {

/// The bug that is on, one of k_plants; null: none.
extern const char* planted_bug;

/// True if bug `name` is on; what planted sources ask, at so many places that a call of strcmp at each would take a quarter of
/// the time. The beginnings are compared at once, in one register.
template <std::size_t size>
bool planted(const char (&name)[size]) noexcept {
  constexpr std::size_t k_beginning = 8;
  static_assert(size >= k_beginning, "a planted bug has a name of seven letters or more");
  const char* const on = planted_bug;
  return on != nullptr && std::memcmp(on, name, k_beginning) == 0 && std::strcmp(on, name) == 0;
}

}  // namespace beltway::explore
