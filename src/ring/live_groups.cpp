// See live_groups.hpp.
//
// A reset sets a floor back while producers may use limits that they have computed from the later floor. So the messages become
// available last, when no producer can overwrite them:
//   1. Each acknowledged message becomes LEASED by the daemon (owner 255). No consumer leases it, and no floor passes it.
//   2. The floor goes back, with a new incarnation, so that no helper can move it on by what it saw before.
//   3. The cached limits become invalid, as in a join at the oldest message.
//   4. The daemon's leases become RETRY, or DONE before the floor. Then `next` goes back with a new version.
#include "ring/live_groups.hpp"

#include <algorithm>

#include "beltway/limits.hpp"
#include "os/kernel.hpp"
#include "ring/floors.hpp"
#include "ring/groups.hpp"
#include "ring/readers/named_reader.hpp"
#include "ring/wake.hpp"

namespace beltway::ring {

namespace {

/// Changes the phase if it is `from`. The daemon alone changes these phases.
void change_phase(GroupBlock& group, GroupPhase from, GroupPhase to) noexcept {
  GroupStateWord word = GroupStateWord::of(group.state.load_acquire());
  if (word.phase != from) return;
  word.phase = to;
  group.state.store_release(word.word());
}

[[nodiscard]] bool is_of(const Lease& lease, Position position) noexcept {
  return distance<Lease::bits>(lease.position, position) == 0;
}
[[nodiscard]] bool is_held_by_the_daemon(const Lease& lease) noexcept {
  return lease.phase == LeasePhase::leased && lease.owner == k_no_owner;
}

/// Leases each acknowledged message from `from` on, for the daemon.
void hold_acknowledged(const QueueMemory& memory, unsigned index, Position from) noexcept {
  const std::int64_t count = std::min<std::int64_t>(distance(load_tail(memory), from), memory.geometry.slots);
  for (std::int64_t i = 0; i < count; ++i) {
    const Position position = wrap(from + static_cast<Position>(i));
    const SlotState slot = SlotState::of(memory.slot(position).state.load_acquire());
    if (slot.position != position || slot.phase != SlotPhase::ready) continue;
    Word& word = memory.lease(index, position);
    const std::uint64_t seen = word.load_acquire();
    Lease lease = Lease::of(seen);
    if (!is_of(lease, position) || lease.phase != LeasePhase::done) continue;
    lease.owner = k_no_owner;
    lease.phase = LeasePhase::leased;
    if (!word.compare_and_swap(seen, lease.word())) continue;
    // The tries may begin anew: the time of the lease before must not end the next one.
    memory.lease_time(index, position).store_relaxed(0);
  }
}

/// Sets the floor back to `to` if it is later.
void set_floor_back(GroupBlock& group, Position to) noexcept {
  const auto back = [to](std::uint64_t seen) {
    const auto [incarnation, position] = Floor::of(seen);
    // plant: reset_leaves_the_incarnation
    return Floor{incarnation + 1, distance(position, to) < 0 ? position : to}.word();
  };
  for (unsigned attempt = 0; attempt < k_attempts; ++attempt) {
    const std::uint64_t seen = group.floor.load_acquire();
    if (group.floor.compare_and_swap(seen, back(seen))) return;
  }
  // Only a peer that writes the word without end comes here.
  group.floor.store_release(back(group.floor.load_acquire()));
}

/// True if the group had done with `position` before the reset began.
[[nodiscard]] bool was_finished(const QueueMemory& memory, unsigned index, Position position) noexcept {
  const Lease lease = Lease::of(memory.lease(index, position).load_acquire());
  if (is_of(lease, position)) {
    if (lease.phase == LeasePhase::done || is_held_by_the_daemon(lease)) return true;
    if (lease.phase == LeasePhase::leased) return false;
  }
  return !SlotState::is_ready(memory.slot(position).state.load_acquire(), position);
}

/// From now on producers heed the floor. Raises it over positions that a producer may have claimed again.
void hold_producers(const QueueMemory& memory, unsigned index) noexcept {
  GroupBlock& group = memory.group(index);
  // plant: reset_keeps_limits
  if (void_limits(memory, group)) return;
  // plant: reset_without_notice
  post_notice(memory, 0);
  full_fence();
  // plant: reset_without_barrier
  os::heavy_barrier();
  // A producer may have one claim open that it made under an old limit and that `tail` does not show yet. Then it claims the
  // slot of the oldest position, and the group had done with this position.
  const Position oldest = wrap(load_tail(memory) - memory.geometry.slots);
  // plant: reset_to_the_open_claim
  raise_floor(group, was_finished(memory, index, oldest) ? wrap(oldest + 1) : oldest);
}

/// The tries of a message that is delivered again. They go on if it was ever given back: then a consumer may still believe that
/// it holds the message, and no later lease word may equal that of its lease. Otherwise they begin anew.
[[nodiscard]] std::uint8_t tries_after_reset(std::uint8_t tries) noexcept {
  return static_cast<std::uint8_t>(tries == 0 || tries == k_max_tries ? tries : tries + 1);
}

/// Ends the daemon's leases. Returns how many messages became available.
std::uint64_t release_held(const QueueMemory& memory, unsigned index) noexcept {
  std::uint64_t released = 0;
  const Position floor = wrap(memory.group(index).floor.load_acquire());
  for (std::uint32_t i = 0; i < memory.geometry.slots; ++i) {
    Word& word = memory.lease(index, i);
    const std::uint64_t seen = word.load_acquire();
    Lease lease = Lease::of(seen);
    if (!is_held_by_the_daemon(lease)) continue;
    // Before the floor a producer may overwrite the message: no consumer may lease it any more.
    const bool passed = distance<Lease::bits>(lease.position, floor) < 0;
    lease.phase = passed ? LeasePhase::done : LeasePhase::retry;
    if (!passed) lease.tries = tries_after_reset(lease.tries);
    if (word.compare_and_swap(seen, lease.word()) && !passed) ++released;
  }
  return released;
}

std::uint64_t count_held(const QueueMemory& memory, unsigned index) noexcept {
  std::uint64_t held = 0;
  for (std::uint32_t i = 0; i < memory.geometry.slots; ++i) {
    const LeasePhase phase = Lease::of(memory.lease(index, i).load_acquire()).phase;
    held += phase == LeasePhase::leased || phase == LeasePhase::parked ? 1 : 0;
  }
  return held;
}

}  // namespace

void pause(const QueueMemory& memory, unsigned index) noexcept {
  change_phase(memory.group(index), GroupPhase::active, GroupPhase::paused);
  // A lease after this sees PAUSED and is given back.
  full_fence();
}

void resume(const QueueMemory& memory, unsigned index) noexcept {
  change_phase(memory.group(index), GroupPhase::paused, GroupPhase::active);
  // A producer that saw PAUSED has woken no consumer. Its message may become visible late. But a consumer that we wake and that
  // finds no message runs a heavy barrier before it sleeps again, and polls once more.
  full_fence();
  // plant: resume_wakes_no_consumer
  wake_all_of_group(memory, index);
}

Reset skip(const QueueMemory& memory, unsigned index, Position to) noexcept {
  Reset done;
  done.acknowledged = purge(memory, index, to).messages;
  done.held = count_held(memory, index);
  return done;
}

Reset reset(const QueueMemory& memory, unsigned index, Position to) noexcept {
  GroupBlock& group = memory.group(index);
  const Position oldest = wrap(load_tail(memory) - memory.geometry.slots);
  if (distance(to, oldest) < 0) to = oldest;
  Reset done = skip(memory, index, to);
  hold_acknowledged(memory, index, to);
  set_floor_back(group, to);
  hold_producers(memory, index);
  done.restored = release_held(memory, index);
  // plant: reset_leaves_next
  set_next_back(memory, index, wrap(group.floor.load_acquire()));
  wake_all_sleepers(memory);
  return done;
}

}  // namespace beltway::ring
