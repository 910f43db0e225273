// Merging and quantiles.
#include "tool/bench/histogram.hpp"

#include <algorithm>
#include <cmath>

namespace beltway::tool {

void Histogram::merge(const Histogram& other) noexcept {
  for (std::size_t i = 0; i < k_buckets; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
  min_ = std::min(min_, other.min_);
}

std::uint64_t Histogram::value_at(double quantile) const noexcept {
  if (count_ == 0) return 0;
  const double exact = std::ceil(std::clamp(quantile, 0.0, 1.0) * static_cast<double>(count_));
  const auto rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(exact), 1, count_);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < k_buckets; ++i) {
    seen += buckets_[i];
    if (seen >= rank) return std::min(top_of(i), max_);
  }
  return max_;
}

}  // namespace beltway::tool
