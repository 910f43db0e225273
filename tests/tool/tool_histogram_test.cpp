// The bench's histogram.
#include "tool/bench/histogram.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

namespace beltway::tool {
namespace {

std::unique_ptr<Histogram> histogram() { return std::make_unique<Histogram>(); }

TEST(ToolHistogram, a_histogram_is_empty_at_first) {
  const auto empty = histogram();
  EXPECT_EQ(empty->count(), 0U);
  EXPECT_EQ(empty->min(), 0U);
  EXPECT_EQ(empty->max(), 0U);
  EXPECT_EQ(empty->value_at(0.5), 0U);
}

TEST(ToolHistogram, a_histogram_is_exact_below_256) {
  for (std::uint64_t value = 0; value < 256; ++value) {
    const auto one = histogram();
    one->record(value);
    one->record(1'000'000);  // so that the maximum does not help
    EXPECT_EQ(one->value_at(0.5), value);
  }
}

TEST(ToolHistogram, a_histogram_is_within_a_hundredth_everywhere) {
  for (unsigned bit = 0; bit < 64; ++bit) {
    for (const std::uint64_t offset : {0U, 1U, 3U}) {
      const std::uint64_t value = (std::uint64_t{1} << bit) - 1 + offset;
      const auto one = histogram();
      one->record(value);
      one->record(~std::uint64_t{0});
      const std::uint64_t found = one->value_at(0.5);
      EXPECT_GE(found, value);
      EXPECT_LE(static_cast<double>(found - value), static_cast<double>(value) / 100) << value;
    }
  }
}

TEST(ToolHistogram, a_histogram_keeps_the_exact_extremes) {
  const auto some = histogram();
  for (const std::uint64_t value : {123'457U, 1'000'001U, 77'777U}) some->record(value);
  EXPECT_EQ(some->min(), 77'777U);
  EXPECT_EQ(some->max(), 1'000'001U);
  EXPECT_EQ(some->value_at(1.0), 1'000'001U);
}

TEST(ToolHistogram, a_histogram_finds_quantiles) {
  const auto hundred = histogram();
  for (std::uint64_t value = 1; value <= 100; ++value) hundred->record(value);
  EXPECT_EQ(hundred->value_at(0), 1U);
  EXPECT_EQ(hundred->value_at(0.01), 1U);
  EXPECT_EQ(hundred->value_at(0.5), 50U);
  EXPECT_EQ(hundred->value_at(0.501), 51U);
  EXPECT_EQ(hundred->value_at(0.99), 99U);
  EXPECT_EQ(hundred->value_at(0.999), 100U);
  EXPECT_EQ(hundred->value_at(7), 100U);
}

TEST(ToolHistogram, a_histogram_merges_and_clears) {
  const auto one = histogram();
  const auto two = histogram();
  one->record(10);
  two->record(20);
  two->record(30);
  one->merge(*two);
  EXPECT_EQ(one->count(), 3U);
  EXPECT_EQ(one->min(), 10U);
  EXPECT_EQ(one->max(), 30U);
  EXPECT_EQ(one->value_at(0.5), 20U);
  one->merge(*histogram());
  EXPECT_EQ(one->min(), 10U);
  one->clear();
  EXPECT_EQ(one->count(), 0U);
  EXPECT_EQ(one->value_at(0.5), 0U);
}

}  // namespace
}  // namespace beltway::tool
