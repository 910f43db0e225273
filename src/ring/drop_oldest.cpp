// See drop_oldest.hpp.
#include "ring/drop_oldest.hpp"

#include <algorithm>
#include <bit>

#include "ring/floors.hpp"
#include "ring/parking.hpp"
#include "ring/redelivery.hpp"
#include "ring/wake.hpp"

namespace beltway::ring {

namespace {

[[nodiscard]] GroupStateWord state_of(const GroupBlock& group) noexcept {
  return GroupStateWord::of(group.state.load_acquire());
}

/// Not of a LEAVING group: that drops all it has when its last lease ends.
[[nodiscard]] bool is_dropping(const GroupBlock& group) noexcept {
  if (kept_by(group) == 0) return false;
  const GroupStateWord state = state_of(group);
  return state.blocks_producers() && state.phase != GroupPhase::leaving;
}

/// True if `lease`, the word of a READY `position`, says that no consumer holds the message and none has ended it.
[[nodiscard]] bool may_be_dropped(Lease lease, Position position) noexcept {
  const std::int64_t ahead = distance<Lease::bits>(lease.position, position);
  if (ahead > 0 || is_parked(lease.phase)) return false;
  // plant: drop_takes_what_is_leased
  return ahead < 0 || lease.phase == LeasePhase::retry || lease.phase == LeasePhase::delayed;
}

[[nodiscard]] bool is_held(Lease lease, Position position) noexcept {
  return distance<Lease::bits>(lease.position, position) == 0 &&
         (lease.phase == LeasePhase::leased || is_parked(lease.phase));
}

/// True if the message is delayed until it can be moved to the dead letter queue: it is not lost.
[[nodiscard]] bool is_dead_letter(const QueueMemory& memory, unsigned group, Lease lease, Position position) noexcept {
  if (!is_delayed(lease)) return false;
  const std::uint64_t time_word = memory.lease_time(group, position).load_relaxed();
  // Its reason is about to be stored again: see keep_due_time().
  if (const LeaseEnd end = LeaseEnd::of(time_word); end.is_of(lease.owner)) return end.due_us != 0;
  const LeaseTime time = LeaseTime::of(time_word);
  return time.owner == lease.owner && time.tries == lease.tries && time.reason != FailReason::none;
}

void count_dropped(GroupBlock& group) noexcept {
  // plant: drop_is_not_counted
  group.dropped.fetch_add(1);
}

/// The lowest floor of the groups that hold producers back and drop nothing: before it, room is gained by a drop.
[[nodiscard]] Position lowest_other_floor(const QueueMemory& memory, Position tail) noexcept {
  Position lowest = tail;
  for (unsigned index = 0; index < memory.geometry.groups(); ++index) {
    const GroupBlock& group = memory.group(index);
    if (!state_of(group).blocks_producers()) continue;
    if (index < memory.geometry.max_groups && is_dropping(group)) continue;
    const Position floor = wrap(group.floor.load_acquire());
    if (distance(floor, lowest) < 0) lowest = floor;
  }
  return lowest;
}

/// Drops what is old, and what lies before `past`, but of this nothing from `other` on: there another group holds the room.
/// True if the floor moved, whichever process moved it.
bool drop_at_floor(const QueueMemory& memory, unsigned index, Position past, Position other) noexcept {
  const GroupBlock& group = memory.group(index);
  const Position floor = wrap(group.floor.load_acquire());
  const std::int64_t old = distance(wrap(end_of_messages(memory, floor) - kept_by(group)), floor);
  // plant: drop_gains_no_room
  const std::int64_t limit = distance(other, floor);
  std::int64_t room = distance(past, floor);
  if (std::max(old, std::min(room, limit)) <= 0) return false;
  const std::int64_t slots = memory.geometry.slots;
  for (std::int64_t i = 0; i < slots && i < std::max(old, std::min(room, limit)); ++i) {
    const Drop drop = drop_at(memory, index, wrap(floor + static_cast<Position>(i)));
    if (drop == Drop::held && memory.geometry.max_parked != 0)
      ++room;  // producers go around its slot: no room comes of it
  }
  // plant: drop_leaves_the_floor
  help_floor(memory, index);
  // Held messages stand in the way of the room behind them: without patience, since the group never holds producers back.
  if (memory.geometry.max_parked != 0) park_at_floor(memory, index, false);
  return distance(wrap(group.floor.load_acquire()), floor) > 0;
}

}  // namespace

bool has_dropping_group(const QueueMemory& memory) noexcept {
  for (unsigned index = 0; index < memory.geometry.max_groups; ++index) {
    if (is_dropping(memory.group(index))) return true;
  }
  return false;
}

Position end_of_messages(const QueueMemory& memory, Position from) noexcept {
  Position end = load_tail(memory);
  for (std::uint32_t i = 0; i < memory.geometry.slots && distance(end, from) > 0; ++i) {
    const Position newest = wrap(end - 1);
    // A claim that is not finished is no message yet: what it follows may be the newest for long.
    // plant: claim_counts_as_message
    if (SlotState::is_ready(memory.slot(newest).state.load_acquire(), newest)) return end;
    end = newest;
  }
  return distance(end, from) > 0 ? end : from;
}

Drop drop_at(const QueueMemory& memory, unsigned group, Position position) noexcept {
  const std::uint64_t slot_word = memory.slot(position).state.load_acquire();
  if (!SlotState::is_ready(slot_word, position)) {
    const SlotState slot = SlotState::of(slot_word);
    const std::int64_t ahead = distance(slot.position, position);
    return ahead < 0 || (ahead == 0 && slot.phase == SlotPhase::claimed) ? Drop::unfinished : Drop::passed;
  }
  Word& word = memory.lease(group, position);
  const std::uint64_t seen = word.load_acquire();
  const Lease lease = Lease::of(seen);
  if (!may_be_dropped(lease, position)) return is_held(lease, position) ? Drop::held : Drop::passed;
  if (is_dead_letter(memory, group, lease, position)) return Drop::held;
  // It fails if a consumer has just leased the message, or another endpoint has dropped it.
  const Lease done{position, k_no_owner, lease.tries, LeasePhase::done};
  if (!word.compare_and_swap(seen, done.word())) return Drop::passed;
  count_dropped(memory.group(group));
  return Drop::dropped;
}

bool drop_parked(const QueueMemory& memory, unsigned group, Word& word, std::uint64_t seen) noexcept {
  const Lease lease = Lease::of(seen);
  if (is_dead_letter(memory, group, lease, lease.position)) return false;
  if (!end_parked(memory, group, word, seen)) return false;
  count_dropped(memory.group(group));
  wake_for_parked_end(memory);
  return true;
}

bool drop_for_room(const QueueMemory& memory, Position past) noexcept {
  if (!has_dropping_group(memory)) return false;
  const Position other = lowest_other_floor(memory, load_tail(memory));
  for (unsigned index = 0; index < memory.geometry.max_groups; ++index) {
    if (!is_dropping(memory.group(index)) || !drop_at_floor(memory, index, past, other)) continue;
    // The swap of the floor is the fence: another producer that goes to sleep sees it, or we see the sleeper.
    if (memory.shared_status().producer_sleepers.load_relaxed() != 0) {
      wake_for_room(memory, wrap(memory.group(index).floor.load_acquire()));
    }
  }
  return true;
}

bool drop_for_sleepers(const QueueMemory& memory, unsigned group) noexcept {
  if (!is_dropping(memory.group(group))) return false;
  const Position other = lowest_other_floor(memory, load_tail(memory));
  Position past = wrap(memory.group(group).floor.load_acquire());
  std::uint64_t sleepers = memory.shared_status().producer_sleepers.load_relaxed();
  if (memory.geometry.max_producers < k_max_producers) sleepers &= (1ULL << memory.geometry.max_producers) - 1;
  for (; sleepers != 0; sleepers &= sleepers - 1) {
    const Endpoint& sleeper = memory.endpoint(static_cast<unsigned>(std::countr_zero(sleepers)));
    const Position wanted = wrap(sleeper.wake_past.load_acquire() + 1);
    if (distance(wanted, past) > 0) past = wanted;
  }
  return drop_at_floor(memory, group, past, other);
}

}  // namespace beltway::ring
