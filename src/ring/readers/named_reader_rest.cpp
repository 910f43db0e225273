// What a named group still has for its consumers. See named_reader.hpp.
#include "ring/floors.hpp"
#include "ring/parking.hpp"
#include "ring/readers/named_reader.hpp"

namespace beltway::ring {

bool NamedReader::may_have_more() const noexcept {
  const Position position = start(Next::of(shared_.next.load_acquire()));
  const SlotState slot = SlotState::of(memory_.slot(position).state.load_acquire());
  return slot.position == position && slot.phase == SlotPhase::ready;
}

bool NamedReader::all_ours_or_done() const noexcept {
  Position position = floor();
  for (std::uint32_t walked = 0; walked < memory_.geometry.slots; ++walked, position = wrap(position + 1)) {
    const SlotState slot = SlotState::of(memory_.slot(position).state.load_acquire());
    if (distance(slot.position, position) < 0) break;  // the end of the ring
    if (slot.phase == SlotPhase::voided || slot.phase == SlotPhase::reclaimed) continue;
    const Lease lease = Lease::of(lease_of(position).load_acquire());
    if (distance<Lease::bits>(lease.position, position) != 0) return false;
    if (lease.phase == LeasePhase::done) continue;
    const bool is_held = lease.phase == LeasePhase::leased || lease.phase == LeasePhase::parked;
    if (!is_held || lease.owner != owner_) return false;
  }
  // Parked messages that a floor has passed meanwhile, or before. Their slots are marked before the floor passes them.
  // plant: end_of_stream_before_parked_messages
  const bool any_parked = is_any_marked(memory_);
  for (std::uint32_t i = 0; any_parked && i < memory_.geometry.slots; ++i) {
    const Lease lease = Lease::of(leases_[i].load_acquire());
    if (lease.phase == LeasePhase::parked_delayed || (lease.phase == LeasePhase::parked && lease.owner != owner_))
      return false;
  }
  return true;
}

}  // namespace beltway::ring
