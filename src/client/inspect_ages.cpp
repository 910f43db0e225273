// See inspect_ages.hpp. The memory is input, as in inspect.cpp.
#include "client/inspect_ages.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "ring/floors.hpp"
#include "ring/stamps.hpp"

namespace beltway::client {

namespace {

/// The counts of an AgeHistogram, or of several.
using AgeCounts = std::array<std::uint64_t, ring::k_age_buckets>;

/// The age that `part` of 1000 messages were younger than: the upper end of a bucket.
std::chrono::microseconds age_of(const AgeCounts& counts, std::uint64_t all, std::uint64_t part) noexcept {
  const std::uint64_t wanted = all - all / 1000 * (1000 - part) - all % 1000 * (1000 - part) / 1000;
  std::uint64_t seen = 0;
  std::size_t bucket = 0;
  for (; bucket + 1 < counts.size(); ++bucket) {
    seen += counts[bucket];
    if (seen >= wanted) break;
  }
  return std::chrono::microseconds(std::int64_t{1} << bucket);
}

void add_ages(const ring::QueueMemory& memory, unsigned consumer, AgeCounts& counts) noexcept {
  // A peer may write any count: so much that a sum of all consumers cannot overflow.
  constexpr std::uint64_t k_most = ~std::uint64_t{0} >> 16;
  const ring::AgeHistogram& histogram = memory.age_histogram(consumer);
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += histogram.buckets[i].load_relaxed() & k_most;
}

void summarize(const AgeCounts& counts, MessageAges& ages) noexcept {
  ages.delivered = 0;
  for (const std::uint64_t count : counts) ages.delivered += count;
  if (ages.delivered == 0) return;
  ages.p50 = age_of(counts, ages.delivered, 500);
  ages.p99 = age_of(counts, ages.delivered, 990);
  ages.max = age_of(counts, ages.delivered, 1000);
}

/// Of the first message from `floor` to `tail`.
std::optional<std::chrono::microseconds> first_age(const ring::QueueMemory& memory, ring::Position floor,
                                                   ring::Position tail) noexcept {
  for (std::uint64_t left = memory.geometry.slots; left != 0 && ring::distance(floor, tail) < 0; --left) {
    if (ring::SlotState::is_ready(memory.slot(floor).state.load_acquire(), floor)) return age_at(memory, floor);
    floor = ring::wrap(floor + 1);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::chrono::microseconds> age_at(const ring::QueueMemory& memory, ring::Position position) noexcept {
  const std::uint64_t stamp_us = ring::load_stamp(memory, position);
  if (stamp_us == 0) return std::nullopt;
  return std::chrono::microseconds(ring::age_us(stamp_us, ring::stamp_clock_us(Stamps::fine)));
}

QueueSnapshot with_ages(const ring::QueueMemory& memory, QueueSnapshot snapshot) noexcept {
  for (ConsumerState& consumer : snapshot.consumers) {
    if (consumer.endpoint.group.empty()) consumer.ages.oldest = first_age(memory, consumer.floor, snapshot.position);
    AgeCounts counts{};
    add_ages(memory, consumer.endpoint.index, counts);
    summarize(counts, consumer.ages);
  }
  for (std::size_t i = 0; i < snapshot.groups.size(); ++i) {
    GroupState& group = snapshot.groups[i];
    group.ttl = snapshot.info.options.groups[i].options.ttl.value_or(snapshot.info.options.ttl);
    group.ages.oldest = first_age(memory, group.floor, snapshot.position);
    if (group.oldest_parked) group.ages.oldest = std::max(group.ages.oldest, age_at(memory, *group.oldest_parked));
    AgeCounts counts{};
    for (const ConsumerState& consumer : snapshot.consumers) {
      if (consumer.endpoint.group != group.name || consumer.endpoint.leaving) continue;
      add_ages(memory, consumer.endpoint.index, counts);
      group.expired += consumer.counters.expired;
    }
    summarize(counts, group.ages);
  }
  return snapshot;
}

}  // namespace beltway::client
