// A log-linear histogram in the manner of HdrHistogram: exact below 256, within 0.8 % everywhere above, one array, no
// allocation; a record is a shift and an increment. Plain data: it may lie in memory that processes share, as long as
// one at a time uses it.
//
// Each power of two from 2^7 on has 128 buckets of equal width:
//   value 0..255        bucket = value
//   value 2^(7+e)...    bucket = 128 e + (value >> e), the shifted value being 128..255
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace beltway::tool {

class Histogram {
 public:
  void record(std::uint64_t value) noexcept {
    ++buckets_[bucket_of(value)];
    ++count_;
    if (value > max_) max_ = value;
    if (value < min_) min_ = value;
  }

  void merge(const Histogram& other) noexcept;
  void clear() noexcept { *this = Histogram(); }

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] std::uint64_t max() const noexcept { return max_; }
  [[nodiscard]] std::uint64_t min() const noexcept { return count_ == 0 ? 0 : min_; }

  /// The value that `quantile` (0 to 1) of the records do not exceed, as the top of its bucket; 0 if there are none.
  [[nodiscard]] std::uint64_t value_at(double quantile) const noexcept;

  /// Calls `visit(top of the bucket, records in it)` for each bucket that has some, from the smallest.
  template <class Visit>
  void for_each(const Visit& visit) const {
    for (std::size_t i = 0; i < k_buckets; ++i) {
      if (buckets_[i] != 0) visit(top_of(i), buckets_[i]);
    }
  }

 private:
  static constexpr unsigned k_bits = 7;
  static constexpr std::size_t k_per_power = std::size_t{1} << k_bits;
  static constexpr std::size_t k_buckets = (64 - k_bits + 1) * k_per_power;

  static constexpr std::size_t bucket_of(std::uint64_t value) noexcept {
    const auto width = static_cast<unsigned>(std::bit_width(value));
    const unsigned shift = width > k_bits + 1 ? width - (k_bits + 1) : 0;
    return shift * k_per_power + static_cast<std::size_t>(value >> shift);
  }
  static constexpr std::uint64_t top_of(std::size_t bucket) noexcept {
    const std::size_t shift = bucket < 2 * k_per_power ? 0 : bucket / k_per_power - 1;
    return ((static_cast<std::uint64_t>(bucket - shift * k_per_power) + 1) << shift) - 1;
  }

  std::array<std::uint64_t, k_buckets> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
  std::uint64_t min_ = ~std::uint64_t{0};
};

}  // namespace beltway::tool
