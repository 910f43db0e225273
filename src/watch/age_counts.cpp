// See age_counts.hpp.
#include "watch/age_counts.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace beltway::watch {

namespace {

/// A peer may write any count: so much of it is believed that a sum of all consumers cannot overflow.
constexpr std::uint64_t k_most = ~std::uint64_t{0} >> 16;

}  // namespace

void AgeSums::add(const ring::QueueMemory& memory) {
  const unsigned consumers = memory.geometry.max_consumers;
  before_.resize(consumers, Buckets(ring::k_age_buckets));
  counts_.resize(ring::k_age_buckets);
  for (unsigned index = 0; index < consumers; ++index) {
    const ring::AgeHistogram& histogram = memory.age_histogram(index);
    for (std::size_t i = 0; i < ring::k_age_buckets; ++i) {
      const std::uint64_t count = histogram.buckets[i].load_relaxed() & k_most;
      std::uint64_t& before = before_[index][i];
      counts_[i] += count >= before ? count - before : count;
      before = count;
    }
  }
}

std::vector<AgeCounts> age_counts_of(const ring::QueueMemory& memory, const wire::Description& description) {
  std::vector<AgeCounts> all;
  for (const EndpointInfo& endpoint : description.info.endpoints) {
    if (endpoint.producer || endpoint.leaving || endpoint.index >= memory.geometry.max_consumers) continue;
    const bool is_private = endpoint.group.empty();
    auto place =
        std::ranges::find_if(all, [&](const AgeCounts& each) { return !is_private && each.group == endpoint.group; });
    if (place == all.end()) {
      all.push_back({.group = endpoint.group,
                     .consumer = endpoint.index,
                     .counts = std::vector<std::uint64_t>(ring::k_age_buckets)});
      place = all.end() - 1;
    }
    const ring::AgeHistogram& histogram = memory.age_histogram(endpoint.index);
    for (std::size_t i = 0; i < ring::k_age_buckets; ++i) {
      place->counts[i] += histogram.buckets[i].load_relaxed() & k_most;
    }
  }
  std::erase_if(all, [](const AgeCounts& each) {
    return std::ranges::all_of(each.counts, [](std::uint64_t count) { return count == 0; });
  });
  return all;
}

}  // namespace beltway::watch
