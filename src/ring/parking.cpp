// See parking.hpp.
#include "ring/parking.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>

#include "os/kernel.hpp"
#include "ring/drop_oldest.hpp"
#include "ring/floors.hpp"
#include "ring/lease_timeout.hpp"
#include "ring/redelivery.hpp"
#include "ring/tuning.hpp"
#include "ring/wake.hpp"

namespace beltway::ring {

namespace {

[[nodiscard]] bool blocks_producers(const GroupBlock& group) noexcept {
  return GroupStateWord::of(group.state.load_acquire()).blocks_producers();
}

/// `at`: the group's lease word for `position`.
[[nodiscard]] bool says_slot_is_parked(const Word& at) noexcept {
  // Pairs with the swap that ends the lease: the consumer has read the bytes before a producer overwrites them.
  return is_parked(Lease::of(at.load_acquire()).phase);
}

/// Calls `visit(group)` for each named group that holds producers back and may have parked messages, until it returns true.
template <class Visit>
bool any_parking_group(const QueueMemory& memory, const Visit& visit) noexcept {
  for (unsigned index = 0; index < memory.geometry.max_groups; ++index) {
    const GroupBlock& group = memory.group(index);
    if (!Parked::of(group.parked.load_acquire()).any || !blocks_producers(group)) continue;
    if (visit(index)) return true;
  }
  return false;
}

[[nodiscard]] bool says_parked(Lease lease, Position p) noexcept {
  return is_parked(lease.phase) && distance<Lease::bits>(lease.position, p) == 0;
}

/// Held messages at a floor, and whether positions behind them are finished.
struct Run {
  std::uint32_t positions = 0;
  std::uint32_t to_park = 0;
  std::uint32_t new_slots = 0;  // of those to park: slots that no other group has parked
  bool gains_room = false;
};

/// True if `lease`, loaded before, holds `p`, and its message may be parked.
[[nodiscard]] bool may_be_parked(const QueueMemory& memory, Lease lease, Position p) noexcept {
  if (distance<Lease::bits>(lease.position, p) != 0) return false;
  if (lease.phase != LeasePhase::leased && lease.phase != LeasePhase::delayed) return false;
  // The daemon's own lease, in a reset: the message becomes available in a moment, and then the floor must not be past it.
  // plant: lease_of_a_reset_is_parked
  if (lease.phase == LeasePhase::leased && lease.owner == k_no_owner) return false;
  // READY while it is held: no floor has passed it, and none passes it until it is parked. So its bytes are whole. A consumer
  // that leases a RECLAIMED position, which a floor may have passed, gives it up by itself.
  return SlotState::is_ready(memory.slot(p).state.load_acquire(), p);
}

[[nodiscard]] Run find_run(const QueueMemory& memory, unsigned group, Position floor) noexcept {
  Run run;
  for (; run.positions < memory.geometry.slots; ++run.positions) {
    const Position p = wrap(floor + run.positions);
    const Lease lease = Lease::of(memory.lease(group, p).load_acquire());
    if (may_be_parked(memory, lease, p)) {
      ++run.to_park;
      if (!is_slot_parked(memory, p)) ++run.new_slots;
    } else if (!says_parked(lease, p)) {
      run.gains_room = is_finished(memory, group, p);
      break;
    }
  }
  return run;
}

/// True if a message near the floor waits for a consumer: a position that is neither held nor parked nor finished.
[[nodiscard]] bool has_waiting_message(const QueueMemory& memory, unsigned group, Position from) noexcept {
  const std::uint32_t near = std::min(memory.geometry.slots, std::max(memory.geometry.slots / 4, k_park_window));
  for (std::uint32_t i = 0; i < near; ++i) {
    const Position p = wrap(from + i);
    const Lease lease = Lease::of(memory.lease(group, p).load_acquire());
    const bool of_this_lap = distance<Lease::bits>(lease.position, p) == 0;
    // Lease words first: eight lie on a line, and most positions are done.
    if (of_this_lap && lease.phase != LeasePhase::retry) continue;
    const SlotState slot = SlotState::of(memory.slot(p).state.load_acquire());
    if (distance(slot.position, p) < 0) return false;  // the end of the ring
    if (slot.phase == SlotPhase::claimed) continue;
    if (!is_finished(memory, group, p)) return true;
  }
  return false;
}

/// Parks `positions` from `floor` on. Stops at a word that is neither held nor finished any more.
void park_run(const QueueMemory& memory, unsigned group, Position floor, std::uint32_t positions) noexcept {
  for (std::uint32_t i = 0; i < positions; ++i) {
    const Position p = wrap(floor + i);
    Word& word = memory.lease(group, p);
    const std::uint64_t seen = word.load_acquire();
    Lease lease = Lease::of(seen);
    if (!may_be_parked(memory, lease, p)) continue;
    lease.phase = lease.phase == LeasePhase::leased ? LeasePhase::parked : LeasePhase::parked_delayed;
    // It fails if the lease has just ended: then the floor passes it, or stays before a RETRY.
    word.compare_and_swap(seen, lease.word());
  }
}

/// The latest position of the slot of `position` that the group has passed; `position` itself if it is not passed yet.
[[nodiscard]] Position latest_passed(const QueueMemory& memory, unsigned group, Position position) noexcept {
  const std::int64_t passed = distance(wrap(memory.group(group).floor.load_acquire()), position);
  if (passed <= 0) return position;
  return wrap(position + (static_cast<Position>(passed - 1) & ~memory.mask()));
}

/// The whole position of a lease word, which has its low bits alone.
[[nodiscard]] Position position_of(const QueueMemory& memory, unsigned group, Lease lease) noexcept {
  return widen<Lease::bits>(lease.position, wrap(memory.group(group).floor.load_acquire()));
}

/// PARKED to PARKED_DELAYED. `seen` is the lease word.
bool delay_parked(const QueueMemory& memory, unsigned group, Word& word, std::uint64_t seen,
                  std::uint64_t due_us) noexcept {
  Lease lease = Lease::of(seen);
  const LeaseTime time{due_us, lease.owner, one_try_more(lease.tries)};
  if (!store_due_time(memory, group, lease, lease.position, time)) return false;
  lease.phase = LeasePhase::parked_delayed;
  lease.tries = time.tries;
  if (!word.compare_and_swap(seen, lease.word())) return false;
  keep_due_time(memory, group, lease.position, time);
  // plant: nack_of_a_parked_lease_is_not_said
  bring_forward(memory, group, due_us);
  return true;
}

}  // namespace

bool say_parked(GroupBlock& group, std::uint32_t messages) noexcept {
  for (unsigned attempt = 0; attempt < k_attempts; ++attempt) {
    const std::uint64_t seen = group.parked.load_acquire();
    const std::uint64_t version = Parked::of(seen).version + messages;
    if (group.parked.compare_and_swap(seen, Parked{version, true}.word())) return true;
  }
  return false;
}

bool ParkedQuota::allows(const QueueMemory& memory, std::uint32_t slots) noexcept {
  std::uint64_t versions = 0;
  for (unsigned index = 0; index < memory.geometry.max_groups; ++index) {
    versions += Parked::of(memory.group(index).parked.load_acquire()).version;
  }
  const std::uint64_t most = memory.geometry.max_parked;
  const auto is_allowed = [&] {
    const std::uint64_t parked = versions + counted_minus_versions_;
    // A peer may have written any version. Then this is no small number, and we count.
    return parked <= most && parked + slots <= most;
  };
  if (is_allowed()) return true;
  counted_minus_versions_ = count_parked(memory) - versions;
  return is_allowed();
}

bool restore_parked(const QueueMemory& memory, unsigned index) noexcept {
  GroupBlock& group = memory.group(index);
  const Position floor = wrap(group.floor.load_acquire());
  for (std::uint32_t i = 0; i < memory.geometry.slots && !Parked::of(group.parked.load_acquire()).any; ++i) {
    const Lease lease = Lease::of(memory.lease(index, i).load_acquire());
    if (is_parked(lease.phase) && distance<Lease::bits>(lease.position, floor) < 0)
      return say_parked(group, memory.geometry.slots);
  }
  return false;
}

bool park_at_floor(const QueueMemory& memory, unsigned index, bool patient, ParkedQuota& quota) noexcept {
  const GroupBlock& group = memory.group(index);
  const Position start = wrap(group.floor.load_acquire());
  Position floor = start;
  bool no_message_waits = !patient;
  // A quarter of the ring is the room that a sleeping producer asks for at most.
  while (distance(floor, start) <= static_cast<std::int64_t>(memory.geometry.slots / 4)) {
    const Run run = find_run(memory, index, floor);
    if (!run.gains_room) break;
    if (run.to_park != 0) {
      if (!no_message_waits && has_waiting_message(memory, index, wrap(floor + run.positions))) break;
      no_message_waits = true;
      if (!quota.allows(memory, run.new_slots)) break;
      park_run(memory, index, floor, run.positions);
    }
    if (!help_floor(memory, index)) break;
    floor = wrap(group.floor.load_acquire());
  }
  return floor != start;
}

bool may_park(const QueueMemory& memory) noexcept {
  for (unsigned index = 0; memory.geometry.max_parked != 0 && index < memory.geometry.max_groups; ++index) {
    const GroupBlock& group = memory.group(index);
    if (!blocks_producers(group)) continue;
    const Run run = find_run(memory, index, wrap(group.floor.load_acquire()));
    if (run.gains_room && run.to_park != 0) return true;
  }
  return false;
}

bool park_at_floors(const QueueMemory& memory, bool patient, ParkedQuota& quota) noexcept {
  bool moved = false;
  for (unsigned index = 0; memory.geometry.max_parked != 0 && index < memory.geometry.max_groups; ++index) {
    if (blocks_producers(memory.group(index))) moved = park_at_floor(memory, index, patient, quota) || moved;
  }
  return moved;
}

bool park_for_sleepers(const QueueMemory& memory, unsigned group) noexcept {
  // plant: given_back_message_holds_the_ring
  if (kept_by(memory.group(group)) != 0) return drop_for_sleepers(memory, group);
  if (memory.geometry.max_parked == 0) return false;
  if (!find_run(memory, group, wrap(memory.group(group).floor.load_acquire())).gains_room) return false;
  std::uint64_t sleepers = memory.shared_status().producer_sleepers.load_relaxed();
  if (memory.geometry.max_producers < k_max_producers) sleepers &= (1ULL << memory.geometry.max_producers) - 1;
  const std::uint64_t now_ns = os::now_ns();
  bool patient = true;
  for (; sleepers != 0; sleepers &= sleepers - 1) {
    const std::uint64_t since =
        memory.endpoint(static_cast<unsigned>(std::countr_zero(sleepers))).asleep_since_ns.load_relaxed();
    if (since != 0 && now_ns > since && now_ns - since >= k_park_patience_ns) patient = false;
  }
  ParkedQuota quota;
  return park_at_floor(memory, group, patient, quota);
}

bool is_slot_parked(const QueueMemory& memory, Position position) noexcept {
  return any_parking_group(memory, [&](unsigned group) { return says_slot_is_parked(memory.lease(group, position)); });
}

bool is_position_parked(const QueueMemory& memory, Position position) noexcept {
  return any_parking_group(memory, [&](unsigned group) {
    const Lease lease = Lease::of(memory.lease(group, position).load_acquire());
    return is_parked(lease.phase) && distance<Lease::bits>(lease.position, position) == 0;
  });
}

std::optional<Position> parked_position(const QueueMemory& memory, std::uint64_t index) noexcept {
  std::optional<Position> position;
  any_parking_group(memory, [&](unsigned group) {
    const Lease lease = Lease::of(memory.lease(group, index).load_acquire());
    if (is_parked(lease.phase)) position = position_of(memory, group, lease);
    return position.has_value();
  });
  return position;
}

Position first_parked(const QueueMemory& memory, Position from, Position limit) noexcept {
  auto count = static_cast<std::uint64_t>(std::clamp<std::int64_t>(distance(limit, from), 0, memory.geometry.slots));
  any_parking_group(memory, [&](unsigned group) {
    std::uint64_t i = 0;
    while (i < count && !says_slot_is_parked(memory.lease(group, wrap(from + i)))) ++i;
    count = i;
    return false;
  });
  return wrap(from + count);
}

void clear_parked(const QueueMemory& memory) noexcept {
  any_parking_group(memory, [&](unsigned index) {
    Word& parked = memory.group(index).parked;
    const std::uint64_t seen = parked.load_acquire();
    for (std::uint32_t i = 0; i < memory.geometry.slots; ++i) {
      if (says_slot_is_parked(memory.lease(index, i))) return false;
    }
    // An endpoint that has parked a message meanwhile has raised the version.
    // plant: any_is_cleared_without_the_version
    parked.compare_and_swap(seen, Parked{Parked::of(seen).version + 1, false}.word());
    return false;
  });
}

std::uint32_t count_parked(const QueueMemory& memory) noexcept {
  std::array<const Word*, k_max_groups> leases{};  // of the groups that may have parked messages
  std::size_t groups = 0;
  any_parking_group(memory, [&](unsigned group) {
    leases[groups++] = &memory.lease(group, 0);
    return groups == leases.size();
  });
  const auto end = leases.begin() + static_cast<std::ptrdiff_t>(groups);
  std::uint32_t count = 0;
  for (std::uint32_t i = 0; groups != 0 && i < memory.geometry.slots; ++i) {
    count += std::any_of(leases.begin(), end, [i](const Word* words) { return says_slot_is_parked(words[i]); }) ? 1 : 0;
  }
  return count;
}

bool end_parked(const QueueMemory& memory, unsigned group, Word& word, std::uint64_t seen) noexcept {
  Lease lease = Lease::of(seen);
  // Not its own position: later laps compare theirs with it, in the bits of a lease word.
  lease.position = latest_passed(memory, group, position_of(memory, group, lease));
  lease.phase = LeasePhase::done;
  return word.compare_and_swap(seen, lease.word());
}

bool ack_parked(const QueueMemory& memory, unsigned group, Lease lease, Position position) noexcept {
  lease.phase = LeasePhase::parked;
  if (!end_parked(memory, group, memory.lease(group, position), lease.word())) return false;
  // plant: end_of_a_parked_lease_wakes_no_producer
  wake_for_parked_end(memory);
  return true;
}

bool nack_parked(const QueueMemory& memory, unsigned group, Lease lease, Position position,
                 std::uint64_t due_us) noexcept {
  lease.phase = LeasePhase::parked;
  return delay_parked(memory, group, memory.lease(group, position), lease.word(), due_us);
}

bool give_back_parked(const QueueMemory& memory, unsigned group, Word& word, std::uint64_t seen) noexcept {
  return delay_parked(memory, group, word, seen, 0);
}

unsigned wake_for_parked_end(const QueueMemory& memory) noexcept {
  // Pairs with the barrier of a producer that goes to sleep: it sees the end of the lease, or we see its bit.
  full_fence();
  if (memory.shared_status().producer_sleepers.load_relaxed() == 0) return 0;
  return wake_producers_at(memory, k_wake_at_parked_end, k_no_owner);
}

bool view_parked(const QueueMemory& memory, Position position, SlotView& view) noexcept {
  const Slot& slot = memory.slot(position);
  SlotState state = SlotState::of(slot.state.load_acquire());
  const std::int64_t ahead = distance(state.position, position);
  if (ahead < 0 || (static_cast<Position>(ahead) & memory.mask()) != 0) return false;
  const bool is_message = state.phase == SlotPhase::ready || state.phase == SlotPhase::reclaimed;
  // In a later lap the slot is VOID, or claimed to become VOID. Any other state overwrote the message.
  if (is_message != (ahead == 0)) return false;
  state.position = position;
  return view_slot(memory, slot, state, view);
}

}  // namespace beltway::ring
