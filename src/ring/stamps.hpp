// Stamps: when a message was published; and how old messages were at their delivery.
//
// Each slot has a word for the stamp of its message, outside of the slot. The producer that has claimed a position stores the
// stamp before READY, with the lap of the position. A stamp counts only for a position of its lap. So no word is cleared for
// a message without a stamp, for a VOID position, or after a death.
//
// Thread safety: the functions may run anywhere. An AgeHistogram is written by its consumer alone.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "beltway/options.hpp"
#include "os/kernel.hpp"
#include "ring/queue_memory.hpp"
#include "ring/slot_view.hpp"

namespace beltway::ring {

/// The mode of the queue. Any value that makes no sense counts as coarse: a peer may write it.
[[nodiscard]] inline Stamps stamps_of(Stamping stamping) noexcept {
  if (stamping.mode == static_cast<std::uint8_t>(Stamps::off)) return Stamps::off;
  return stamping.mode == static_cast<std::uint8_t>(Stamps::fine) ? Stamps::fine : Stamps::coarse;
}
[[nodiscard]] inline Stamping load_stamping(const QueueMemory& memory) noexcept {
  return Stamping::of(memory.shared_status().stamping.load_relaxed());
}

/// The clock of stamps, in us.
[[nodiscard]] inline std::uint64_t stamp_clock_us(Stamps mode) noexcept {
  return (mode == Stamps::fine ? os::now_ns() : os::coarse_now_ns()) / 1000;
}

/// The low 16 bits of the lap that a position belongs to.
[[nodiscard]] inline std::uint16_t lap_of(const QueueMemory& memory, Position position) noexcept {
  return static_cast<std::uint16_t>(wrap(position) >> std::countr_zero(memory.geometry.slots));
}

/// The owner of a claim stores the stamp of its message, before READY. Pairs, with READY, with the acquire load of the slot's
/// state in every reader.
inline void store_stamp(const QueueMemory& memory, Position position, std::uint64_t time_us) noexcept {
  memory.stamp(position).store_relaxed(Stamp{time_us, lap_of(memory, position)}.word());
}

/// When the message at `position` was published, in us of CLOCK_MONOTONIC; 0: it has no stamp. Requires that the message was
/// seen, and still holds its slot. Otherwise check the slot afterwards, as for the message's bytes.
[[nodiscard]] inline std::uint64_t load_stamp(const QueueMemory& memory, Position position) noexcept {
  const Stamp stamp = Stamp::of(memory.stamp(position).load_relaxed());
  // plant: stamp_of_an_older_lap
  if (stamp.lap != lap_of(memory, position)) return 0;
  return stamp.time_us;
}

/// A stamp in the future counts as now: a peer may write any.
[[nodiscard]] constexpr std::uint64_t age_us(std::uint64_t stamp_us, std::uint64_t now_us) noexcept {
  return stamp_us < now_us ? now_us - stamp_us : 0;
}

/// The time of the day that goes with a stamp, in us since 1970. A peer may write the difference of the clocks: the result is
/// in the range of nanoseconds in 64 bits.
[[nodiscard]] inline std::int64_t published_us(const QueueMemory& memory, std::uint64_t stamp_us) noexcept {
  constexpr std::uint64_t k_range = std::uint64_t{1} << 53;
  const std::uint64_t sum = stamp_us + memory.shared_status().clock_offset_us.load_relaxed();
  return static_cast<std::int64_t>(sum % k_range);
}

/// Messages that were published without a stamp get none by a stamp of an equal lap, long ago. The daemon calls it before
/// producers begin to stamp.
inline void clear_stamps(const QueueMemory& memory) noexcept {
  for (std::uint32_t i = 0; i < memory.geometry.slots; ++i) memory.stamp(i).store_relaxed(0);
}

[[nodiscard]] constexpr std::size_t age_bucket(std::uint64_t age_us) noexcept {
  const auto bucket = static_cast<std::size_t>(std::bit_width(age_us));
  return bucket < k_age_buckets ? bucket : k_age_buckets - 1;
}
/// Its consumer alone.
inline void count_age(AgeHistogram& histogram, std::uint64_t age_us) noexcept {
  Word& bucket = histogram.buckets[age_bucket(age_us)];
  bucket.store_relaxed(bucket.load_relaxed() + 1);
}
/// The daemon, before a consumer attaches.
inline void clear_ages(AgeHistogram& histogram) noexcept {
  for (Word& bucket : histogram.buckets) bucket.store_relaxed(0);
}

}  // namespace beltway::ring
