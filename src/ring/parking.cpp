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

/// Calls `visit(group)` for each named group that holds producers back, until it returns true.
template <class Visit>
bool any_blocking_group(const QueueMemory& memory, const Visit& visit) noexcept {
  for (unsigned index = 0; index < memory.geometry.max_groups; ++index) {
    if (blocks_producers(memory.group(index)) && visit(index)) return true;
  }
  return false;
}

/// Where the mark of a slot is.
struct Mark {
  Word* word;
  std::uint32_t bit;
};

[[nodiscard]] Mark mark_of(const QueueMemory& memory, Position position) noexcept {
  const std::uint64_t slot = position & memory.mask();
  return {&memory.parked_slots(slot / ParkedSlots::k_slots), std::uint32_t{1} << slot % ParkedSlots::k_slots};
}

[[nodiscard]] std::uint32_t next_version(std::uint32_t version) noexcept { return version == ~0U ? 1 : version + 1; }

/// False if peers kept changing the word.
[[nodiscard]] bool set_marks(const QueueMemory& memory, Word& word, std::uint32_t slots) noexcept {
  Word& first = memory.parked_slots(0);
  if (!was_any_marked(&first)) {
    const std::uint32_t marks = ParkedSlots::of(first.load_acquire()).slots;
    // It fails if another process has just done so, or a peer writes here.
    if (!first.compare_and_swap(ParkedSlots{0, marks}.word(), ParkedSlots{1, marks}.word()) && !was_any_marked(&first))
      return false;
  }
  for (unsigned attempt = 0; attempt < k_attempts; ++attempt) {
    const std::uint64_t seen = word.load_acquire();
    ParkedSlots marks = ParkedSlots::of(seen);
    marks.slots |= slots;
    // A producer that has found one of the slots not parked, before we parked it, must not clear its mark.
    // plant: mark_keeps_its_version
    marks.version = next_version(marks.version);
    if (word.compare_and_swap(seen, marks.word())) return true;
  }
  return false;
}

/// Clears marks of the word, which said `seen` before the caller found these slots not parked.
void clear_marks(Word& word, std::uint64_t seen, std::uint32_t slots) noexcept {
  ParkedSlots marks = ParkedSlots::of(seen);
  marks.slots &= ~slots;
  // plant: mark_is_cleared_without_the_version
  word.compare_and_swap(seen, marks.word());
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
  // None waits before `next`: who gives a message back sets it back.
  const Position next = widen<Next::bits>(Next::of(memory.group(group).next.load_acquire()).position, from);
  for (auto i = static_cast<std::uint32_t>(std::clamp<std::int64_t>(distance(next, from), 0, near)); i < near; ++i) {
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

/// How many of `slots` from `slot` on, all of one ParkedSlots word, come before the first that is parked. Clears the marks of
/// those that are parked no more.
[[nodiscard]] std::uint64_t unparked_slots_of_word(const QueueMemory& memory, std::uint64_t slot,
                                                   std::uint64_t slots) noexcept {
  Word& word = *mark_of(memory, slot).word;
  const std::uint64_t seen = word.load_acquire();  // before the lease words: see ParkedSlots
  const unsigned first = slot % ParkedSlots::k_slots;
  std::uint32_t stale = 0;
  for (std::uint32_t marks = ParkedSlots::of(seen).slots >> first; marks != 0; marks &= marks - 1) {
    const auto i = static_cast<unsigned>(std::countr_zero(marks));
    if (i >= slots) break;  // also if a peer marked more slots than there are
    if (is_slot_parked(memory, slot + i)) {
      slots = i;
      break;
    }
    stale |= std::uint32_t{1} << (first + i);
  }
  if (stale != 0) clear_marks(word, seen, stale);
  return slots;
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

bool mark_parked(const QueueMemory& memory, unsigned group, Position first, std::uint32_t positions) noexcept {
  for (std::uint32_t i = 0; i < positions;) {
    Word* const word = mark_of(memory, first + i).word;
    std::uint32_t slots = 0;
    for (; i < positions && mark_of(memory, first + i).word == word; ++i) {
      const Position p = wrap(first + i);
      if (says_parked(Lease::of(memory.lease(group, p).load_acquire()), p)) slots |= mark_of(memory, p).bit;
    }
    if (slots != 0 && !set_marks(memory, *word, slots)) return false;
  }
  return true;
}

bool is_any_marked(const QueueMemory& memory) noexcept {
  const Word* const words = &memory.parked_slots(0);
  const auto has_marks = [](const Word& word) { return ParkedSlots::of(word.load_acquire()).slots != 0; };
  return was_any_marked(words) && std::any_of(words, words + memory.geometry.parked_slots_words(), has_marks);
}

bool may_park_more(const QueueMemory& memory, std::uint32_t slots) noexcept {
  std::uint64_t marked = slots;
  for (std::uint32_t i = 0; i < memory.geometry.parked_slots_words(); ++i) {
    const std::uint32_t marks = ParkedSlots::of(memory.parked_slots(i).load_acquire()).slots;
    if (marks != 0) marked += static_cast<std::uint64_t>(std::popcount(marks));
  }
  // A mark may outlive its lease.
  return marked <= memory.geometry.max_parked || count_parked(memory) + slots <= memory.geometry.max_parked;
}

bool restore_marks(const QueueMemory& memory, unsigned group) noexcept {
  const Word* const words = &memory.parked_slots(0);
  const Position floor = wrap(memory.group(group).floor.load_acquire());
  bool restored = false;
  for (std::uint32_t i = 0; i < memory.geometry.slots; ++i) {
    const Lease lease = Lease::of(memory.lease(group, i).load_acquire());
    if (!is_parked(lease.phase) || distance<Lease::bits>(lease.position, floor) >= 0) continue;
    if (was_any_marked(words) && is_marked(words, i)) continue;
    const Mark mark = mark_of(memory, i);
    restored = set_marks(memory, *mark.word, mark.bit) || restored;
  }
  return restored;
}

bool park_at_floor(const QueueMemory& memory, unsigned index, bool patient) noexcept {
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
      if (!may_park_more(memory, run.new_slots)) break;
      park_run(memory, index, floor, run.positions);
    }
    if (!help_floor(memory, index)) break;
    floor = wrap(group.floor.load_acquire());
  }
  return floor != start;
}

bool park_at_floors(const QueueMemory& memory, bool patient) noexcept {
  bool moved = false;
  for (unsigned index = 0; memory.geometry.max_parked != 0 && index < memory.geometry.max_groups; ++index) {
    if (blocks_producers(memory.group(index))) moved = park_at_floor(memory, index, patient) || moved;
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
  return park_at_floor(memory, group, patient);
}

bool is_slot_parked(const QueueMemory& memory, Position position) noexcept {
  return any_blocking_group(memory, [&](unsigned group) { return says_slot_is_parked(memory.lease(group, position)); });
}

bool is_position_parked(const QueueMemory& memory, Position position) noexcept {
  return any_blocking_group(memory, [&](unsigned group) {
    return says_parked(Lease::of(memory.lease(group, position).load_acquire()), position);
  });
}

std::optional<Position> parked_position(const QueueMemory& memory, std::uint64_t index) noexcept {
  std::optional<Position> position;
  any_blocking_group(memory, [&](unsigned group) {
    const Lease lease = Lease::of(memory.lease(group, index).load_acquire());
    if (is_parked(lease.phase)) position = position_of(memory, group, lease);
    return position.has_value();
  });
  return position;
}

Position first_parked(const QueueMemory& memory, Position from, Position limit) noexcept {
  const auto count =
      static_cast<std::uint64_t>(std::clamp<std::int64_t>(distance(limit, from), 0, memory.geometry.slots));
  std::uint64_t i = 0;
  while (i < count) {
    const std::uint64_t slot = (from + i) & memory.mask();
    const std::uint64_t of_word = std::min(ParkedSlots::k_slots, memory.geometry.slots) - slot % ParkedSlots::k_slots;
    const std::uint64_t slots = std::min(of_word, count - i);
    const std::uint64_t before = unparked_slots_of_word(memory, slot, slots);
    i += before;
    if (before != slots) break;
  }
  return wrap(from + i);
}

std::uint32_t count_parked(const QueueMemory& memory) noexcept {
  const Word* const words = &memory.parked_slots(0);
  std::uint32_t count = 0;
  for (std::uint32_t i = 0; i < memory.geometry.slots; ++i) {
    if (is_marked(words, i) && is_slot_parked(memory, i)) ++count;
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
