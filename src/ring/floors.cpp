// See floors.hpp.
#include "ring/floors.hpp"

#include "ring/parking.hpp"

namespace beltway::ring {

Position search_tail(const QueueMemory& memory) noexcept {
  // Pairs with the release of READY and VOID: who sees them sees all slots before.
  const auto shown_by = [&](std::uint64_t index) {
    return SlotState::of(memory.slot(index).state.load_acquire()).position;
  };
  const Position first = shown_by(0);
  std::uint64_t behind = 1;  // slots that were seen to be of the lap of slot 0, or of a later one
  for (std::uint64_t end = memory.geometry.slots; behind < end;) {
    const std::uint64_t middle = behind + (end - behind) / 2;
    // plant: search_stops_too_early
    if (distance(shown_by(middle), wrap(first + middle)) >= 0) {
      behind = middle + 1;
    } else {
      end = middle;
    }
  }
  return wrap(first + behind);
}

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
  // plant: floor_passes_old_acks
  return Lease::says(word, p, phase);
}

[[nodiscard]] bool says_parked(std::uint64_t word, Position p) noexcept {
  const Lease lease = Lease::of(word);
  return is_parked(lease.phase) && distance<Lease::bits>(lease.position, p) == 0;
}

/// Leased, delayed or parked: the group may need the bytes of `p`.
[[nodiscard]] bool says_held(std::uint64_t word, Position p) noexcept {
  return says(word, p, LeasePhase::leased) || says(word, p, LeasePhase::delayed) || says_parked(word, p);
}

/// Requires that the floor stands at `p`, and that `p` is not DONE. True if no consumer will ever need `p`: its slot is VOID or
/// RECLAIMED, and no consumer leases it.
[[nodiscard, gnu::noinline]] bool is_no_message(const QueueMemory& memory, const Word& lease, Position p) noexcept {
  // plant: floor_passes_a_leased_reclaimed
  if (says_held(lease.load_acquire(), p)) return false;
  const SlotState slot = SlotState::of(memory.slot(p).state.load_acquire());
  if (slot.position != p || (slot.phase != SlotPhase::voided && slot.phase != SlotPhase::reclaimed)) return false;
  // In a group that joined at the oldest message, a consumer may have leased the message while the lane's owner marked its slot
  // RECLAIMED. The consumer reads it in place, and our floor must keep the bytes until the lease ends. Once the slot says
  // RECLAIMED, no other consumer leases it (see NamedReader::view_leased). So we see an existing lease now.
  // plant: floor_passes_a_leased_reclaimed/2
  return !says_held(lease.load_acquire(), p);
}

/// Positions that the floor may pass.
struct Passed {
  std::uint32_t positions = 0;
  std::uint32_t first_parked = 0;   // of them
  std::uint32_t behind_parked = 0;  // behind the last one that is parked; 0: none is
};

/// How many positions from `floor` on are finished or parked, without a gap.
[[nodiscard]] Passed count_finished_positions(const QueueMemory& memory, unsigned group, Position floor) noexcept {
  const Word* const leases = &memory.lease(group, 0);
  const Position mask = memory.mask();
  Passed passed;
  for (; passed.positions < memory.geometry.slots; ++passed.positions) {
    const Position p = wrap(floor + passed.positions);
    const Word& lease = leases[p & mask];
    // Pairs with the release of NamedReader::ack().
    const std::uint64_t seen = lease.load_acquire();
    if (says(seen, p, LeasePhase::done)) continue;
    if (says_parked(seen, p)) {
      if (passed.behind_parked == 0) passed.first_parked = passed.positions;
      passed.behind_parked = passed.positions + 1;
    } else if (!is_no_message(memory, lease, p)) {
      break;
    }
  }
  return passed;
}

}  // namespace

bool is_finished(const QueueMemory& memory, unsigned group, Position p) noexcept {
  const Word& lease = memory.lease(group, p);
  const std::uint64_t seen = lease.load_acquire();
  return says(seen, p, LeasePhase::done) || (!says_parked(seen, p) && is_no_message(memory, lease, p));
}

bool help_floor(const QueueMemory& memory, unsigned index) noexcept {
  GroupBlock& group = memory.group(index);
  bool moved = false;
  for (unsigned attempt = 0; attempt < k_attempts; ++attempt) {
    const std::uint64_t word = group.floor.load_acquire();
    const auto [incarnation, floor] = Floor::of(word);
    // A finished position stays finished until the floor has passed it, so one swap may pass many positions.
    const Passed passed = count_finished_positions(memory, index, floor);
    if (passed.positions == 0) return moved;
    // plant: floor_passes_before_the_mark
    if (!mark_parked(memory, index, wrap(floor + passed.first_parked), passed.behind_parked - passed.first_parked))
      return moved;
    moved = group.floor.compare_and_swap(word, Floor{incarnation, wrap(floor + passed.positions)}.word()) || moved;
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
