// Where each counter lies in an endpoint's block of shared memory: in the order of the public structs. A counter is
// written by its owner alone, with plain stores, and read by any process.
#pragma once

#include <cstddef>
#include <cstdint>

#include "beltway/info.hpp"
#include "ring/floors.hpp"
#include "ring/queue_memory.hpp"

namespace beltway::ring {

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
        corrupt(words[offsetof(ConsumerCounters, corrupt) / sizeof(std::uint64_t)]),
        acks(words[offsetof(ConsumerCounters, acks) / sizeof(std::uint64_t)]),
        discarded(words[offsetof(ConsumerCounters, discarded) / sizeof(std::uint64_t)]),
        dead_lettered(words[offsetof(ConsumerCounters, dead_lettered) / sizeof(std::uint64_t)]) {
    // add_pair() adds to both at once.
    static_assert(offsetof(ConsumerCounters, bytes) == offsetof(ConsumerCounters, messages) + sizeof(std::uint64_t));
  }
  Word& messages;
  Word& bytes;
  Word& corrupt;
  Word& acks;
  Word& discarded;
  Word& dead_lettered;
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

[[nodiscard]] inline Word& unread_total(const QueueMemory& memory) noexcept {
  return memory.shared_status().totals[offsetof(QueueTotals, unread) / sizeof(std::uint64_t)];
}

/// QueueTotals::unread now: the sum of the daemon, and the positions since the queue has no reader. If the daemon stores both
/// words between our loads, the function loads them again. After a few times it takes what it has, since a peer may write the
/// words. A count that falls between the two stores of end_unread() is short, once.
[[nodiscard]] inline std::uint64_t count_unread(const QueueMemory& memory) noexcept {
  constexpr unsigned k_tries = 8;
  const Word& since_word = memory.shared_status().unread_since;
  for (unsigned tries = 1;; ++tries) {
    const std::uint64_t seen = since_word.load_acquire();
    // Pairs with end_unread(): a reader of the new sum also sees the new `unread_since` below.
    const std::uint64_t summed = unread_total(memory).load_acquire();
    const Position tail = load_tail(memory);
    if (since_word.load_relaxed() != seen && tries < k_tries) continue;
    const UnreadSince since = UnreadSince::of(seen);
    const std::int64_t positions = since.has_no_reader ? distance(tail, since.position) : 0;
    return summed + (positions > 0 ? static_cast<std::uint64_t>(positions) : 0);
  }
}

/// The daemon: the queue has readers from `tail` on. Adds the positions between `unread_since` and `first_read` to the sum. A
/// daemon that dies between the two stores loses these positions, and never counts them twice.
inline void end_unread(const QueueMemory& memory, Position tail, Position first_read) noexcept {
  Word& since = memory.shared_status().unread_since;
  const std::int64_t positions = distance(first_read, UnreadSince::of(since.load_relaxed()).position);
  const std::uint64_t sum =
      unread_total(memory).load_relaxed() + static_cast<std::uint64_t>(positions > 0 ? positions : 0);
  since.store_release(UnreadSince{false, tail}.word());
  unread_total(memory).store_release(sum);
}

/// What a producer has published, as of now. A single producer stores its numbers now and then: the messages behind them are
/// counted in their slots. Messages with properties that lay in a lane and are over count with their properties there.
/// `tail`: by load_tail(). In counters.cpp.
[[nodiscard]] Published load_published(const QueueMemory& memory, unsigned producer, Position tail) noexcept;
/// Single producer, of the daemon once the producer is gone: the next one begins at 0.
void reset_published(const QueueMemory& memory) noexcept;

/// The newest: of what a producer has published its Endpoint may have an older copy.
[[nodiscard]] inline ProducerCounters load_producer_counters(const QueueMemory& memory, unsigned producer) noexcept {
  auto counters = load_counters<ProducerCounters>(memory.endpoint(producer).counters);
  const Published published = load_published(memory, producer, load_tail(memory));
  counters.messages = published.messages;
  counters.bytes = published.bytes;
  return counters;
}

}  // namespace beltway::ring
