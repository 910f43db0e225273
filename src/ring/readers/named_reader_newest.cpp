// Groups that keep only their newest messages. See named_reader.hpp and ring/drop_oldest.hpp.
#include "ring/drop_oldest.hpp"
#include "ring/parking.hpp"
#include "ring/readers/named_reader.hpp"

namespace beltway::ring {

void NamedReader::drop_old() noexcept {
  if (!is_active()) return;
  const std::uint64_t seen = shared_.next.load_acquire();
  const Next next = Next::of(seen);
  const Position floor = this->floor();
  Position position = widen<Next::bits>(next.position, floor);
  if (distance(position, floor) < 0) position = floor;
  const Position old = wrap(end_of_messages(memory_, position) - keeps_);
  std::optional<Position> oldest;
  for (std::uint32_t walked = 0; walked < memory_.geometry.slots && distance(position, old) < 0; ++walked) {
    const Drop drop = drop_at(memory_, group_, position);
    if (drop == Drop::unfinished) break;
    if (drop == Drop::dropped) {
      dropped_.fetch_add(1, std::memory_order_relaxed);
      if (!oldest) oldest = position;
    }
    position = wrap(position + 1);
  }
  if (!oldest) return;
  shared_.next.compare_and_swap(seen, Next{position, next.version}.word());
  after_ack(*oldest);
}

bool NamedReader::drop_if_old(std::uint64_t seen) noexcept {
  const Lease lease = Lease::of(seen);
  const Position position = widen<Lease::bits>(lease.position, floor());
  const Position old = wrap(end_of_messages(memory_, position) - keeps_);
  if (distance(position, old) >= 0) return false;
  const bool dropped = lease.phase == LeasePhase::parked_delayed
                           ? drop_parked(memory_, group_, lease_of(position), seen)
                           : drop_at(memory_, group_, position) == Drop::dropped;
  if (!dropped) return false;
  dropped_.fetch_add(1, std::memory_order_relaxed);
  after_ack(position);
  return true;
}

std::uint64_t NamedReader::lost_since_last() noexcept {
  const std::uint64_t dropped = shared_.dropped.load_relaxed();
  // A peer may have set the word back.
  const std::uint64_t lost = dropped > told_dropped_ ? dropped - told_dropped_ : 0;
  told_dropped_ = dropped;
  return lost;
}

}  // namespace beltway::ring
