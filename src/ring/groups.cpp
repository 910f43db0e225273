// See groups.hpp.
#include "ring/groups.hpp"

#include "os/kernel.hpp"
#include "ring/floors.hpp"
#include "ring/parking.hpp"
#include "ring/readers/named_reader.hpp"
#include "ring/wake.hpp"

namespace beltway::ring {

namespace {

/// Fills every lease word with DONE of the lap before `floor`: older than each position that the group will lease. A lease time
/// of the group before must not end a lease of this one.
void fill_leases(const QueueMemory& memory, unsigned index, Position floor) noexcept {
  for (std::uint32_t i = 0; i < memory.geometry.slots; ++i) {
    const Position before = wrap(floor - memory.geometry.slots + i);
    memory.lease_time(index, before).store_relaxed(0);
    memory.lease(index, before).store_relaxed(Lease{before, k_no_owner, 0, LeasePhase::done}.word());
  }
}

void join_latest(const QueueMemory& memory, GroupBlock& group, GroupStateWord active) noexcept {
  group.state.store_release(active.word());
  // A producer that did not see the group ACTIVE moved `tail` before its scan, so this load sees that `tail`. (The last READY
  // of a single producer was visible before its scan.) The positions that it may still claim without seeing the group lie
  // within one lap after this `tail`.
  // plant: no_fence_after_active
  full_fence();
  // plant: no_second_check_of_tail
  raise_floor(group, load_tail(memory));
}

void join_oldest(const QueueMemory& memory, GroupBlock& group, GroupStateWord active) noexcept {
  group.state.store_release(active.word());
  if (void_limits(memory, group)) return;
  // A single producer has no generation, but it reads the notice at each claim. After the barrier it has at most one open claim
  // for which it read the notice before, and that one is not in `tail`.
  // plant: join_oldest_without_notice
  post_notice(memory, 0);
  full_fence();
  // plant: join_oldest_without_barrier
  os::heavy_barrier();
  // plant: join_oldest_at_the_open_claim
  raise_floor(group, wrap(load_tail(memory) - memory.geometry.slots + 1));
}

}  // namespace

void raise_floor(GroupBlock& group, Position to) noexcept {
  for (unsigned attempt = 0; attempt < k_attempts; ++attempt) {
    const std::uint64_t seen = group.floor.load_acquire();
    const auto [incarnation, position] = Floor::of(seen);
    if (distance(position, to) >= 0 || group.floor.compare_and_swap(seen, Floor{incarnation, to}.word())) return;
  }
}

bool void_limits(const QueueMemory& memory, GroupBlock& group) noexcept {
  if (memory.geometry.single_producer()) return false;
  // A limit counts only for the generation under which it was read. The producer that reads the new one scans our floor.
  for (unsigned attempt = 0; attempt < k_attempts; ++attempt) {
    const std::uint64_t word = memory.tail().load_acquire();
    const Tail tail = Tail::of(word);
    raise_floor(group, wrap(tail_position(memory, tail) - memory.geometry.slots));
    const Tail raised{tail.position, static_cast<std::uint16_t>(tail.generation + 1), tail.owner};
    // plant: join_oldest_once
    if (memory.tail().compare_and_swap(word, raised.word())) return true;
  }
  return false;
}

Position join(const QueueMemory& memory, unsigned index, GroupKind kind, Start start) noexcept {
  GroupBlock& group = memory.group(index);
  const GroupStateWord before = GroupStateWord::of(group.state.load_acquire());
  const std::uint32_t incarnation = before.incarnation + 1;
  group.state.store_release(GroupStateWord{incarnation, kind, GroupPhase::joining}.word());
  Position floor = load_tail(memory);
  if (start == Start::oldest) floor = wrap(floor - memory.geometry.slots);
  // The slot of the oldest message may be written again: a lossy reader would lose it at once.
  if (start == Start::oldest && kind == GroupKind::lossy && memory.geometry.single_producer()) floor = wrap(floor + 1);
  // plant: leases_are_not_filled
  if (kind == GroupKind::named) fill_leases(memory, index, floor);
  const Next next = Next::of(group.next.load_relaxed());
  group.next.store_relaxed(Next{floor, next.version + 1}.word());
  const std::uint32_t earlier = Floor::of(group.floor.load_relaxed()).incarnation;
  for (Word* const due : {&group.earliest_due, &group.lease_check}) {
    const EarliestDue old = EarliestDue::of(due->load_relaxed());
    due->store_relaxed(EarliestDue{0, static_cast<std::uint16_t>(old.version + 1)}.word());
  }
  group.dropped.store_relaxed(0);
  // plant: floor_of_nobody
  group.floor.store_relaxed(Floor{earlier + 1, floor}.word());
  const GroupStateWord active{incarnation, kind, GroupPhase::active};
  if (kind == GroupKind::lossy) {
    group.state.store_release(active.word());  // blocks no producer: none need know of it
  } else if (start == Start::oldest) {
    join_oldest(memory, group, active);
  } else {
    join_latest(memory, group, active);
  }
  return wrap(group.floor.load_acquire());
}

bool leave(const QueueMemory& memory, unsigned index) noexcept {
  GroupBlock& group = memory.group(index);
  GroupStateWord word = GroupStateWord::of(group.state.load_acquire());
  word.phase = GroupPhase::leaving;
  group.state.store_release(word.word());
  // A lease after this sees LEAVING and is given back; try_drain() sees a lease before this.
  // plant: leave_without_barrier
  full_fence();
  // plant: leave_without_barrier/2
  os::heavy_barrier();
  wake_all_of_group(memory, index);
  return try_drain(memory, index);
}

bool try_drain(const QueueMemory& memory, unsigned index) noexcept {
  GroupBlock& group = memory.group(index);
  const std::uint64_t seen = group.state.load_acquire();
  GroupStateWord word = GroupStateWord::of(seen);
  if (word.phase != GroupPhase::leaving) return word.phase == GroupPhase::drained;
  for (std::uint32_t i = 0; i < memory.geometry.slots; ++i) {
    const LeasePhase phase = Lease::of(memory.lease(index, i).load_acquire()).phase;
    // plant: drained_while_leased
    if (phase == LeasePhase::leased) return false;
    // plant: drained_while_parked
    if (phase == LeasePhase::parked) return false;
  }
  word.phase = GroupPhase::drained;
  if (group.state.compare_and_swap(seen, word.word())) wake_all_sleepers(memory);
  return true;
}

void free_group(const QueueMemory& memory, unsigned index) noexcept {
  GroupBlock& group = memory.group(index);
  GroupStateWord word = GroupStateWord::of(group.state.load_acquire());
  word.phase = GroupPhase::free;
  group.state.store_release(word.word());
}

Purged purge(const QueueMemory& memory, unsigned index, std::optional<Position> until) noexcept {
  Purged purged;
  const auto hold = [&](unsigned owner, Position position) {
    if (owner >= purged.held.size()) return;
    Purged::Held& held = purged.held[owner];
    if (held.messages++ == 0 || distance(position, held.oldest) < 0) held.oldest = position;
  };
  Position position = wrap(memory.group(index).floor.load_acquire());
  for (std::uint32_t i = 0; i < memory.geometry.slots; ++i, position = wrap(position + 1)) {
    if (until && distance(position, *until) >= 0) break;
    const SlotState slot = SlotState::of(memory.slot(position).state.load_acquire());
    if (distance(slot.position, position) < 0) break;
    if (slot.position != position) continue;
    if (slot.phase == SlotPhase::claimed) hold(slot.owner, position);
    if (slot.phase != SlotPhase::ready) continue;
    Word& word = memory.lease(index, position);
    const std::uint64_t seen = word.load_acquire();
    const Lease lease = Lease::of(seen);
    const std::int64_t lap = distance<Lease::bits>(lease.position, position);
    if (lap == 0 && lease.phase == LeasePhase::leased) hold(lease.owner, position);
    const bool waits = lease.phase == LeasePhase::retry || lease.phase == LeasePhase::delayed;
    // plant: purge_takes_what_is_leased
    if (lap > 0 || (lap == 0 && !waits)) continue;
    const Lease done{position, k_no_owner, lap < 0 ? std::uint8_t{0} : lease.tries, LeasePhase::done};
    if (word.compare_and_swap(seen, done.word())) ++purged.messages;
  }
  for (std::uint32_t i = 0; i < memory.geometry.slots; ++i) {
    Word& word = memory.lease(index, i);
    const std::uint64_t seen = word.load_acquire();
    const Lease lease = Lease::of(seen);
    const Position floor = wrap(memory.group(index).floor.load_acquire());
    const Position parked = widen<Lease::bits>(lease.position, floor);
    if (until && distance(parked, *until) >= 0) continue;
    if (lease.phase == LeasePhase::parked) hold(lease.owner, parked);
    if (lease.phase == LeasePhase::parked_delayed && end_parked(memory, index, word, seen)) ++purged.messages;
  }
  help_floor(memory, index);
  wake_all_sleepers(memory);
  return purged;
}

void post_notice(const QueueMemory& memory, std::uint32_t flags) noexcept {
  Word& word = memory.shared_status().notice;
  const auto next = [flags](std::uint64_t seen) {
    const Notice notice = Notice::of(seen);
    return Notice{notice.epoch + 1, notice.flags | flags}.word();
  };
  for (unsigned attempt = 0; attempt < k_attempts; ++attempt) {
    const std::uint64_t seen = word.load_acquire();
    // plant: a_doubt_is_written_over
    if (word.compare_and_swap(seen, next(seen))) return;
  }
  // A peer that writes the word without end must not keep the daemon from posting.
  word.store_release(next(word.load_acquire()));
}

void post_doubt(const QueueMemory& memory) noexcept {
  post_notice(memory, k_notice_doubted);
  wake_all_sleepers(memory);
}

void forget_limits(const QueueMemory& memory) noexcept {
  for (unsigned attempt = 0; !memory.geometry.single_producer() && attempt < k_attempts; ++attempt) {
    const std::uint64_t word = memory.tail().load_acquire();
    const Tail tail = Tail::of(word);
    const Tail raised{tail.position, static_cast<std::uint16_t>(tail.generation + 1), tail.owner};
    if (memory.tail().compare_and_swap(word, raised.word())) break;
  }
  post_notice(memory, 0);
  full_fence();
  os::heavy_barrier();
}

void wake_all_sleepers(const QueueMemory& memory) noexcept {
  full_fence();
  os::heavy_barrier();
  const auto ring = [&](unsigned owner) {
    // A SIGNALLED endpoint is rung again: the waker may have died before it rang another endpoint.
    if (!wake(memory, owner) && Wait::of(memory.endpoint(owner).wait.load_acquire()).phase == WaitPhase::signalled) {
      rouse(memory, owner);
    }
  };
  for (unsigned i = 0; i < memory.geometry.max_producers; ++i) ring(i);
  for (unsigned i = 0; i < memory.geometry.max_consumers; ++i) ring(k_first_consumer + i);
}

}  // namespace beltway::ring
