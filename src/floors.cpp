// See floors.hpp.
#include "floors.hpp"

namespace beltway {

Position lowest_floor(const QueueMap& map, Position tail) noexcept {
  Position lowest = tail;
  for (unsigned index = 0; index < map.geometry.groups(); ++index) {
    const Group& group = map.group(index);
    // Pairs with the release of ACTIVE in join(): a group that is seen has its floor.
    if (!GroupWord::of(group.state.load_acquire()).holds()) continue;
    // Pairs with the release of the floor by its group: what it has read is read before we overwrite it.
    const Position floor = wrap(group.floor.load_acquire());
    if (distance(floor, lowest) < 0) lowest = floor;
  }
  return lowest;
}

namespace {

/// True if the group needs position `p`, which its floor has reached, no more.
bool is_over(const QueueMap& map, unsigned group, Position p) noexcept {
  const Word& word = map.lease(group, p);
  const auto says = [&](Lease lease, LeasePhase phase) {
    return distance<Lease::bits>(lease.position, p) == 0 && lease.phase == phase;
  };
  const Lease seen = Lease::of(word.load_acquire());
  if (says(seen, LeasePhase::done)) return true;
  if (says(seen, LeasePhase::leased)) return false;
  const SlotState slot = SlotState::of(map.slot(p).state.load_acquire());
  if (slot.position != p || (slot.phase != SlotPhase::voided && slot.phase != SlotPhase::gone)) return false;
  // A group that joined at the oldest message may have leased what its lane's owner was just marking GONE: it is being
  // read in place, and until its end our floor keeps the bytes. Once the slot says GONE nobody new leases it (see
  // NamedReader::step), so who has is seen now.
  return !says(Lease::of(word.load_acquire()), LeasePhase::leased);
}

}  // namespace

bool help_floor(const QueueMap& map, unsigned index) noexcept {
  Group& group = map.group(index);
  bool moved = false;
  for (unsigned attempt = 0; attempt < k_attempts; ++attempt) {
    const std::uint64_t word = group.floor.load_acquire();
    const auto [incarnation, floor] = Floor::of(word);
    // What is over at `floor` stays so until the floor has passed it, so one swap may pass many.
    std::uint32_t passed = 0;
    while (passed < map.geometry.slots && is_over(map, index, wrap(floor + passed))) ++passed;
    if (passed == 0) return moved;
    moved = group.floor.compare_and_swap(word, Floor{incarnation, wrap(floor + passed)}.word()) || moved;
  }
  return moved;
}

bool help_floors(const QueueMap& map) noexcept {
  bool moved = false;
  for (unsigned index = 0; index < map.geometry.max_groups; ++index) {
    if (!GroupWord::of(map.group(index).state.load_acquire()).holds()) continue;
    moved = help_floor(map, index) || moved;
  }
  return moved;
}

}  // namespace beltway
