// Faults that the tests plant, to see that they find them. In the product this is always false, and costs nothing.
#pragma once

#include <string_view>

#ifdef BELTWAY_BRIDGE_PLANTS
#include <cstdlib>
#endif

namespace beltway::bridge {

#ifdef BELTWAY_BRIDGE_PLANTS
[[nodiscard]] inline bool is_planted(std::string_view fault) {
  const char* const planted = std::getenv("BELTWAY_BRIDGE_PLANT");
  return planted != nullptr && fault == planted;
}
#else
[[nodiscard]] constexpr bool is_planted(std::string_view /*fault*/) noexcept { return false; }
#endif

}  // namespace beltway::bridge
