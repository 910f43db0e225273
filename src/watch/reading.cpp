// See reading.hpp.
#include "watch/reading.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "client/inspect_ages.hpp"
#include "client/inspect_floors.hpp"
#include "ring/counters.hpp"
#include "ring/floors.hpp"
#include "ring/stamps.hpp"

namespace beltway::watch {

namespace {

/// Finished positions behind a floor that one reading looks at. A floor lags behind by few positions, and the next reading goes
/// on where this one stopped.
constexpr std::uint64_t k_max_steps = 256;
/// Slots at a floor that are looked at for a message with a stamp.
constexpr std::uint64_t k_max_ages = 8;

/// All counters of all endpoints are read in one of so many readings: they fill three times as many cache lines as the sums.
constexpr std::uint64_t k_readings_per_all = 10;

constexpr std::size_t k_word_bytes = sizeof(std::uint64_t);
constexpr std::size_t k_messages = offsetof(ConsumerCounters, messages) / k_word_bytes;
constexpr std::size_t k_bytes = offsetof(ConsumerCounters, bytes) / k_word_bytes;
constexpr std::size_t k_lost = offsetof(ConsumerCounters, lost) / k_word_bytes;
constexpr std::size_t k_redelivered = offsetof(ConsumerCounters, redelivered) / k_word_bytes;
constexpr std::size_t k_dead_lettered = offsetof(ConsumerCounters, dead_lettered) / k_word_bytes;

void add(Sums& to, const Sums& sums) noexcept {
  to.messages_in += sums.messages_in;
  to.bytes_in += sums.bytes_in;
  to.messages_out += sums.messages_out;
  to.bytes_out += sums.bytes_out;
  to.redelivered += sums.redelivered;
  to.dead_lettered += sums.dead_lettered;
  to.lost += sums.lost;
}

void copy_sums(const Sums& from, Counts& to) noexcept {
  to.messages_in = from.messages_in;
  to.bytes_in = from.bytes_in;
  to.messages_out = from.messages_out;
  to.bytes_out = from.bytes_out;
  to.redelivered = from.redelivered;
  to.dead_lettered = from.dead_lettered;
  to.lost = from.lost;
}

}  // namespace

Reader::Reader(const ring::QueueMemory& memory)
    : memory_(memory), consumers_(memory.geometry.max_consumers), producers_(memory.geometry.max_producers) {}

void Reader::describe(const wire::Description& description) {
  const std::vector<unsigned> before = std::exchange(places_, description.group_indexes);
  if (before != places_) needed_.assign(places_.size(), 0);
  leaving_.clear();
  for (const auto& group : description.leaving) leaving_.push_back(group.index);
  reading_.groups.resize(places_.size());
  for (Consumer& consumer : consumers_) consumer.group = -1;
  reading_.private_consumers.clear();
  attached_producers_.clear();
  attached_consumers_.clear();
  for (const EndpointInfo& endpoint : description.info.endpoints) {
    if (endpoint.producer && endpoint.index < producers_.size()) attached_producers_.push_back(endpoint.index);
    if (endpoint.producer || endpoint.index >= consumers_.size()) continue;
    attached_consumers_.push_back(endpoint.index);
    if (endpoint.group.empty()) {
      if (!endpoint.lossy && !endpoint.evicted) reading_.private_consumers.push_back({.index = endpoint.index});
      continue;
    }
    if (endpoint.leaving) continue;
    if (const auto index = wire::find_group(description, endpoint.group))
      consumers_[endpoint.index].group = static_cast<int>(*index);
  }
}

const Reading& Reader::read() {
  const ring::Position tail = ring::load_tail(memory_);
  reading_.position = tail;
  const std::uint32_t notice = ring::Notice::of(memory_.shared_status().notice.load_acquire()).flags;
  reading_.removed = (notice & ring::k_notice_removed) != 0;
  reading_.producers_sleep = memory_.shared_status().producer_sleepers.load_relaxed() != 0;
  const auto gone = ring::load_counters<QueueTotals>(memory_.shared_status().totals);
  reading_.sums = {gone.messages_in, gone.bytes_in,      gone.messages_out, gone.bytes_out,
                   gone.redelivered, gone.dead_lettered, gone.lost};
  read_producers(reading_.sums);
  read_consumers(reading_.sums);
  if (readings_++ % k_readings_per_all == 0) read_all_counters(gone);
  copy_sums(reading_.sums, reading_.counts);
  reading_.used = 0;
  for (std::size_t i = 0; i < places_.size(); ++i) read_group(i, places_[i], tail);
  for (Reading::PrivateConsumer& consumer : reading_.private_consumers) read_private(consumer, tail);
  for (const unsigned place : leaving_) {
    if (!ring::GroupStateWord::of(memory_.group(place).state.load_acquire()).blocks_producers()) continue;
    reading_.used = std::max(reading_.used, client::depth_of(memory_, client::floor_of(memory_, place), tail));
  }
  return reading_;
}

void Reader::read_all_counters(const QueueTotals& gone) {
  Counts& counts = reading_.counts;
  counts = {.refused = gone.refused,
            .discarded = gone.discarded,
            .expired = gone.expired,
            .timed_out = gone.timed_out,
            .unread = gone.unread,
            .wakes = gone.wakes,
            .sleeps = gone.sleeps,
            .repairs = gone.repairs,
            .voided = gone.voided,
            .released = gone.released};
  for (const unsigned i : attached_producers_) {
    const ProducerCounters each = ring::load_producer_counters(memory_, i);
    counts.refused += each.refused;
    counts.wakes += each.wakes;
    counts.sleeps += each.sleeps;
  }
  for (const unsigned i : attached_consumers_) {
    const auto each = ring::load_counters<ConsumerCounters>(memory_.endpoint(ring::k_first_consumer + i).counters);
    counts.discarded += each.discarded;
    counts.expired += each.expired;
    counts.timed_out += each.timed_out;
    counts.wakes += each.wakes;
    counts.sleeps += each.sleeps;
  }
}

void Reader::read_producers(Sums& sums) {
  for (const unsigned i : attached_producers_) {
    Sums& seen = producers_[i];
    const ring::Published published = ring::load_published(memory_, i, reading_.position);
    seen.messages_in = published.messages;
    seen.bytes_in = published.bytes;
    add(sums, seen);
  }
}

void Reader::read_consumers(Sums& sums) {
  for (const unsigned i : attached_consumers_) {
    const ring::Word* const words = memory_.endpoint(ring::k_first_consumer + i).counters;
    Consumer& seen = consumers_[i];
    const std::uint64_t messages = words[k_messages].load_relaxed();
    if (messages != seen.sums.messages_out) {
      // A counter that went back belongs to another consumer, which began at 0.
      const std::uint64_t more = messages > seen.sums.messages_out ? messages - seen.sums.messages_out : messages;
      if (seen.group >= 0) reading_.groups[static_cast<std::size_t>(seen.group)].messages_out += more;
      seen.sums.messages_out = messages;
      seen.sums.bytes_out = words[k_bytes].load_relaxed();
      seen.sums.redelivered = words[k_redelivered].load_relaxed();
      seen.sums.dead_lettered = words[k_dead_lettered].load_relaxed();
    }
    seen.sums.lost = words[k_lost].load_relaxed();
    add(sums, seen.sums);
  }
}

void Reader::read_group(std::size_t index, unsigned place, ring::Position tail) {
  const ring::Position floor = client::floor_of(memory_, place);
  ring::Position& needed = needed_[index];
  // What was over stays over, unless the group was reset.
  const bool is_outside = ring::distance(needed, floor) < 0 || ring::distance(needed, tail) > 0;
  if (is_outside || !client::is_over(memory_, place, floor)) needed = floor;
  for (std::uint64_t left = k_max_steps; left != 0 && ring::distance(needed, tail) < 0; --left) {
    if (!client::is_over(memory_, place, needed)) break;
    needed = ring::wrap(needed + 1);
  }
  Reading::Group& group = reading_.groups[index];
  group.lag = client::depth_of(memory_, needed, tail);
  group.oldest_age = age_of_first(needed, tail);
  if (ring::GroupStateWord::of(memory_.group(place).state.load_acquire()).blocks_producers())
    reading_.used = std::max(reading_.used, group.lag);
}

void Reader::read_private(Reading::PrivateConsumer& consumer, ring::Position tail) {
  const ring::Position floor = client::floor_of(memory_, memory_.geometry.max_groups + consumer.index);
  consumer.lag = client::depth_of(memory_, floor, tail);
  consumer.oldest_age = age_of_first(floor, tail);
  reading_.used = std::max(reading_.used, consumer.lag);
}

std::optional<Nanoseconds> Reader::age_of_first(ring::Position from, ring::Position tail) const {
  if (ring::stamps_of(ring::load_stamping(memory_)) == Stamps::off) return std::nullopt;
  for (std::uint64_t left = k_max_ages; left != 0 && ring::distance(from, tail) < 0; --left) {
    if (ring::SlotState::is_ready(memory_.slot(from).state.load_acquire(), from)) {
      const auto age = client::age_at(memory_, from);
      return age ? std::optional<Nanoseconds>(*age) : std::nullopt;
    }
    from = ring::wrap(from + 1);
  }
  return std::nullopt;
}

}  // namespace beltway::watch
