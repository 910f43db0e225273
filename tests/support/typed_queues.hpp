// Two types of messages for tests of typed queues.
#pragma once

#include <cstdint>
#include <string_view>

namespace beltway::test {

struct Price {
  static constexpr std::string_view beltway_name = "test.Price";
  std::uint64_t cents = 0;
};
struct Weight {
  static constexpr std::string_view beltway_name = "test.Weight";
  std::uint64_t grams = 0;
};

}  // namespace beltway::test
