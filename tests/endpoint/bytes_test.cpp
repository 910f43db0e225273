// Everything that a user may want to publish converts to Bytes, with the size that is meant.
#include "beltway/bytes.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace beltway {
namespace {

std::size_t size_of(Bytes bytes) { return bytes.size(); }

TEST(Bytes, bytes_are_made_from_strings_without_the_final_zero) {
  const std::string text = "abc";
  const char* pointer = "ab";
  EXPECT_EQ(size_of(text), 3U);
  EXPECT_EQ(size_of(std::string("hello ") + "world"), 11U);
  EXPECT_EQ(size_of(std::string_view(text)), 3U);
  EXPECT_EQ(size_of("hello"), 5U);
  EXPECT_EQ(size_of(pointer), 2U);
}

TEST(Bytes, bytes_are_made_from_ranges_of_plain_elements) {
  EXPECT_EQ(size_of(std::vector<std::int32_t>(3)), 12U);
  EXPECT_EQ(size_of(std::array<std::uint8_t, 4>{}), 4U);
  EXPECT_EQ(size_of(std::span<const std::byte>()), 0U);
}

TEST(Bytes, bytes_point_at_their_source_and_copy_nothing) {
  const std::vector<char> data{'x', 'y'};
  EXPECT_EQ(static_cast<const void*>(Bytes(data).data()), data.data());
}

TEST(Bytes, bytes_are_not_made_from_elements_with_pointers_or_padding) {
  static_assert(!std::is_convertible_v<std::vector<std::string>, Bytes>);
  static_assert(!std::is_convertible_v<std::vector<const char*>, Bytes>);
  static_assert(!std::is_convertible_v<std::vector<std::string_view>, Bytes>);
  static_assert(!std::is_convertible_v<std::span<const Bytes>, Bytes>);
  static_assert(!std::is_convertible_v<int, Bytes>);
}

}  // namespace
}  // namespace beltway
