// See floors.hpp.
#include "ring/floors.hpp"

namespace beltway::ring {

Position lowest_floor(const QueueMemory& memory, Position tail) noexcept {
  Position lowest = tail;
  for (unsigned index = 0; index < memory.geometry.groups(); ++index) {
    const GroupBlock& group = memory.group(index);
    // Pairs with the release of ACTIVE in join(): a group that is seen has its floor.
    if (!GroupStateWord::of(group.state.load_acquire()).blocks_producers()) continue;
    // Pairs with the release of the floor by its group: what it has read is read before we overwrite it.
    const Position floor = wrap(group.floor.load_acquire());
    // plant: no_clamp_of_the_limit
    if (distance(floor, lowest) < 0) lowest = floor;
  }
  return lowest;
}

namespace {

[[nodiscard]] bool says(std::uint64_t word, Position p, LeasePhase phase) noexcept {
  const Lease lease = Lease::of(word);
  // plant: floor_passes_old_acks
  return distance<Lease::bits>(lease.position, p) == 0 && lease.phase == phase;
}

/// Requires that the floor stands at `p`, and that `p` is not DONE. True if no consumer will ever need `p`: its slot is VOID or
/// RECLAIMED, and no consumer leases it.
[[nodiscard, gnu::noinline]] bool is_no_message(const QueueMemory& memory, const Word& lease, Position p) noexcept {
  // plant: floor_passes_a_leased_reclaimed
  if (says(lease.load_acquire(), p, LeasePhase::leased)) return false;
  const SlotState slot = SlotState::of(memory.slot(p).state.load_acquire());
  if (slot.position != p || (slot.phase != SlotPhase::voided && slot.phase != SlotPhase::reclaimed)) return false;
  // In a group that joined at the oldest message, a consumer may have leased the message while the lane's owner marked its slot
  // RECLAIMED. The consumer reads it in place, and our floor must keep the bytes until the lease ends. Once the slot says
  // RECLAIMED, no other consumer leases it (see NamedReader::view_leased). So we see an existing lease now.
  // plant: floor_passes_a_leased_reclaimed/2
  return !says(lease.load_acquire(), p, LeasePhase::leased);
}

/// How many positions from `floor` on are finished, without a gap.
[[nodiscard]] std::uint32_t count_finished_positions(const QueueMemory& memory, unsigned group,
                                                     Position floor) noexcept {
  const Word* const leases = &memory.lease(group, 0);
  const Position mask = memory.mask();
  std::uint32_t passed = 0;
  for (; passed < memory.geometry.slots; ++passed) {
    const Position p = wrap(floor + passed);
    const Word& lease = leases[p & mask];
    // Pairs with the release of NamedReader::ack().
    if (!says(lease.load_acquire(), p, LeasePhase::done) && !is_no_message(memory, lease, p)) break;
  }
  return passed;
}

}  // namespace

bool help_floor(const QueueMemory& memory, unsigned index) noexcept {
  GroupBlock& group = memory.group(index);
  bool moved = false;
  for (unsigned attempt = 0; attempt < k_attempts; ++attempt) {
    const std::uint64_t word = group.floor.load_acquire();
    const auto [incarnation, floor] = Floor::of(word);
    // A finished position stays finished until the floor has passed it, so one swap may pass many positions.
    const std::uint32_t passed = count_finished_positions(memory, index, floor);
    if (passed == 0) return moved;
    moved = group.floor.compare_and_swap(word, Floor{incarnation, wrap(floor + passed)}.word()) || moved;
  }
  return moved;
}

bool help_floors(const QueueMemory& memory) noexcept {
  bool moved = false;
  for (unsigned index = 0; index < memory.geometry.max_groups; ++index) {
    if (!GroupStateWord::of(memory.group(index).state.load_acquire()).blocks_producers()) continue;
    moved = help_floor(memory, index) || moved;
  }
  return moved;
}

}  // namespace beltway::ring
