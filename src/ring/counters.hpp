// Where each counter lies in an endpoint's block of shared memory: in the order of the public structs. A counter is
// written by its owner alone, with plain stores, and read by any process.
#pragma once

#include <cstddef>
#include <cstdint>

#include "beltway/info.hpp"
#include "ring/floors.hpp"
#include "ring/queue_memory.hpp"

namespace beltway {

inline constexpr std::size_t k_producer_counters = sizeof(ProducerCounters) / sizeof(std::uint64_t);
inline constexpr std::size_t k_consumer_counters = sizeof(ConsumerCounters) / sizeof(std::uint64_t);
inline constexpr std::size_t k_queue_totals = sizeof(QueueTotals) / sizeof(std::uint64_t);
static_assert(k_producer_counters <= k_counters && k_consumer_counters <= k_counters);
static_assert(sizeof(QueueTotals) <= sizeof(SharedStatus::totals));

/// Those of a consumer's counters that are written one by one, by name.
struct ConsumerCounterWords {
  explicit ConsumerCounterWords(Word* words) noexcept
      : messages(words[offsetof(ConsumerCounters, messages) / sizeof(std::uint64_t)]),
        bytes(words[offsetof(ConsumerCounters, bytes) / sizeof(std::uint64_t)]),
        acks(words[offsetof(ConsumerCounters, acks) / sizeof(std::uint64_t)]) {
    // add_pair() adds to both at once.
    static_assert(offsetof(ConsumerCounters, bytes) == offsetof(ConsumerCounters, messages) + sizeof(std::uint64_t));
  }
  Word& messages;
  Word& bytes;
  Word& acks;
};

/// Copies a struct of counters to its words, or back.
template <class Counters>
void store_counters(Word* words, const Counters& counters) noexcept {
  static_assert(sizeof(Counters) % sizeof(std::uint64_t) == 0);
  const auto* values = reinterpret_cast<const std::uint64_t*>(&counters);
  for (std::size_t i = 0; i < sizeof(Counters) / sizeof(std::uint64_t); ++i) words[i].store_relaxed(values[i]);
}
template <class Counters>
[[nodiscard]] Counters load_counters(const Word* words) noexcept {
  Counters counters;
  auto* values = reinterpret_cast<std::uint64_t*>(&counters);
  for (std::size_t i = 0; i < sizeof(Counters) / sizeof(std::uint64_t); ++i) values[i] = words[i].load_relaxed();
  return counters;
}

/// Since when the queue has neither a named group nor a consumer. For figures only.
struct UnreadSince {
  static constexpr std::uint64_t k_no_reader = 1ULL << 63;
  bool has_no_reader;
  Position position;

  [[nodiscard]] static constexpr UnreadSince of(std::uint64_t word) noexcept {
    return {(word & k_no_reader) != 0, wrap(word)};
  }
  [[nodiscard]] constexpr std::uint64_t word() const noexcept { return (has_no_reader ? k_no_reader : 0) | position; }
};

/// QueueTotals::unread now: what the daemon has summed, and the time that is not over.
[[nodiscard]] inline std::uint64_t count_unread(const QueueMemory& map) noexcept {
  const SharedStatus& status = map.shared_status();
  const std::uint64_t summed = status.totals[offsetof(QueueTotals, unread) / sizeof(std::uint64_t)].load_relaxed();
  const UnreadSince since = UnreadSince::of(status.unread_since.load_relaxed());
  if (!since.has_no_reader) return summed;
  const std::int64_t positions = distance(load_tail(map), since.position);
  return summed + (positions > 0 ? static_cast<std::uint64_t>(positions) : 0);
}

/// The newest: of what a producer has published its Endpoint may have an older copy.
[[nodiscard]] inline ProducerCounters load_producer_counters(const QueueMemory& map, unsigned producer) noexcept {
  auto counters = load_counters<ProducerCounters>(map.endpoint(producer).counters);
  const Word* const published = map.published(producer);
  counters.messages = published[0].load_relaxed();
  counters.bytes = published[1].load_relaxed();
  return counters;
}

}  // namespace beltway
