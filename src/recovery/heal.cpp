// See heal.hpp.
#include "recovery/heal.hpp"

#include <algorithm>
#include <span>

#include "ring/floors.hpp"
#include "ring/groups.hpp"
#include "ring/lease_timeout.hpp"
#include "ring/parking.hpp"
#include "ring/readers/named_reader.hpp"
#include "ring/redelivery.hpp"

namespace beltway::recovery {

void Living::add(unsigned owner, unsigned group) noexcept {
  if (owner < ring::k_first_consumer) {
    producers_ |= 1ULL << owner;
  } else if (owner < ring::k_first_consumer + k_max_consumers) {
    consumers_ |= 1ULL << (owner - ring::k_first_consumer);
    groups_[owner - ring::k_first_consumer] = group;
  }
}
void Living::remove(unsigned owner) noexcept {
  (owner < ring::k_first_consumer ? producers_ : consumers_) &= ~(1ULL << owner % ring::k_first_consumer);
}
bool Living::has(unsigned owner) const noexcept {
  if (owner < ring::k_first_consumer) return (producers_ >> owner & 1U) != 0;
  return owner < ring::k_first_consumer + k_max_consumers && (consumers_ >> (owner - ring::k_first_consumer) & 1U) != 0;
}
bool Living::has(unsigned owner, unsigned group) const noexcept {
  return owner >= ring::k_first_consumer && has(owner) && groups_[owner - ring::k_first_consumer] == group;
}

namespace {

/// Slots sampled to find the position of the ring. A scribble over fewer than half of them has no effect.
constexpr std::size_t k_witnesses = 64;
/// Attempts to read `tail` and all slots at one moment. If `tail` moves each time, producers claim, so `tail` is right.
constexpr unsigned k_tail_attempts = 4;

class Healer {
 public:
  Healer(const ring::QueueMemory& memory, const Living& living) noexcept
      : memory_(memory), living_(living), slots_(memory.geometry.slots), single_(memory.geometry.single_producer()) {}

  HealCounts run() noexcept {
    tail_ = ring::load_tail(memory_);
    in_order_ = slots_in_order(tail_) == slots_ && !is_beyond_limits(tail_);
    // plant: healing_leaves_tail
    if (!in_order_) find_tail();
    if (!in_order_ || open_claims_) heal_slots();
    for (unsigned group = 0; group < memory_.geometry.groups(); ++group) {
      if (ring::GroupStateWord::of(memory_.group(group).state.load_acquire()).blocks_producers()) heal_group(group);
    }
    if (producers_must_rescan_) ring::forget_limits(memory_);
    drop_sleepers(memory_.shared_status().producer_sleepers, living_.producers());
    drop_sleepers(memory_.shared_status().consumer_sleepers, living_.consumers());
    // plant: repair_leaves_the_ticket/2
    drop_sleepers(memory_.shared_status().room_line, living_.producers());
    return counts_;
  }

 private:
  /// The present `tail`, widened near tail_. A living single producer does not tell it, but how far its claims may go.
  [[nodiscard]] ring::Position now() const noexcept {
    if (single_) return living_.producers() == 0 ? tail_ : ring::wrap(memory_.ring_head().claim_limit.load_acquire());
    return ring::widen<ring::Tail::bits>(ring::Tail::of(memory_.tail().load_acquire()).position, tail_);
  }
  /// A producer has meanwhile claimed a later lap of slot `p`.
  [[nodiscard]] bool has_moved_on(std::int64_t ahead, ring::Position p) const noexcept {
    return ahead > 0 && ahead % slots_ == 0 &&
           ring::distance(ring::wrap(p + static_cast<ring::Position>(ahead)), now()) < 0;
  }

  // -- tail (healing it needs all slots, so it comes first) --
  /// Counts the slots whose word is right if the ring ends at `tail`.
  [[nodiscard]] std::int64_t slots_in_order(ring::Position tail) noexcept;
  void find_tail() noexcept;
  [[nodiscard]] ring::Position witnessed() const noexcept;
  [[nodiscard]] ring::Position newest_claim(ring::Position near, ring::Position limit) const noexcept;
  [[nodiscard]] ring::Position limit_of_floors(ring::Position near) const noexcept;
  /// Single producer: true if neither its own limit nor the floors allow that `tail`. A slot in disorder that shows just the next
  /// position looks like a message.
  [[nodiscard]] bool is_beyond_limits(ring::Position tail) const noexcept {
    return single_ && ring::distance(tail, ring::wrap(memory_.ring_head().claim_limit.load_acquire())) > 0 &&
           ring::distance(tail, limit_of_floors(tail)) > 0;
  }

  // -- slots --
  void heal_slots() noexcept {
    for (std::int64_t age = slots_; age >= 1; --age)
      heal_slot(ring::wrap(tail_ - static_cast<ring::Position>(age)), age);
  }
  void heal_slot(ring::Position p, std::int64_t age) noexcept;

  // -- groups --
  void heal_group(unsigned index) noexcept;
  void heal_floor(unsigned index, bool named) noexcept;
  [[nodiscard]] bool heal_lease(unsigned index, ring::Position p, ring::Position floor) noexcept;
  [[nodiscard]] static bool is_phase(ring::LeasePhase phase) noexcept {
    return phase >= ring::LeasePhase::leased && phase <= ring::LeasePhase::parked_delayed;
  }
  /// True if the position of the lease word lies in the slot of `p`.
  [[nodiscard]] bool is_of_slot(ring::Lease lease, ring::Position p) const noexcept {
    return ((lease.position ^ p) & memory_.mask()) == 0;
  }
  void drop_sleepers(detail::Word& sleepers, std::uint64_t attached) noexcept {
    if ((sleepers.load_acquire() & ~attached) == 0) return;
    sleepers.fetch_and(attached);
    ++counts_.words;
  }

  const ring::QueueMemory& memory_;
  const Living& living_;
  const std::int64_t slots_;
  const bool single_;
  ring::Position tail_ = 0;   // the end of the ring, as read or found
  bool in_order_ = true;      // all slots were right at the first scan
  bool open_claims_ = false;  // an unfinished claim was seen: its owner may be gone
  bool producers_must_rescan_ =
      false;  // true: post a notice, so that producers forget their limits and end lost claims
  HealCounts counts_;
};

std::int64_t Healer::slots_in_order(ring::Position tail) noexcept {
  std::int64_t count = 0;
  for (std::int64_t age = slots_; age >= 1; --age) {
    const ring::Position p = ring::wrap(tail - static_cast<ring::Position>(age));
    const ring::SlotState slot = ring::SlotState::of(memory_.slot(p).state.load_acquire());
    const std::int64_t ahead = ring::distance(slot.position, p);
    const bool unmarked = !single_ && age == 1 && ahead == -slots_;  // the last claim may have no mark yet
    open_claims_ = open_claims_ || unmarked || slot.phase == ring::SlotPhase::claimed;
    if (ahead == 0 || unmarked || has_moved_on(ahead, p)) ++count;
  }
  return count;
}

/// A position within a lap of `tail`: the one that most slots and floors agree with.
ring::Position Healer::witnessed() const noexcept {
  std::array<ring::Position, k_witnesses + k_max_groups + k_max_consumers> all{};
  std::size_t count = 0;
  const std::uint64_t stride = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(slots_) / k_witnesses);
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(slots_) && count < k_witnesses; i += stride) {
    const ring::Position said = ring::SlotState::of(memory_.slot(i).state.load_acquire()).position;
    if ((said & memory_.mask()) == i) all[count++] = said;
  }
  for (unsigned group = 0; group < memory_.geometry.groups(); ++group) {
    if (!ring::GroupStateWord::of(memory_.group(group).state.load_acquire()).blocks_producers()) continue;
    all[count++] = ring::wrap(memory_.group(group).floor.load_acquire());
  }
  const std::span<const ring::Position> witnesses(all.data(), count);
  const std::uint64_t tail = single_ ? tail_ : ring::Tail::of(memory_.tail().load_acquire()).position;
  ring::Position best = count == 0 ? tail : all[0];
  std::int64_t most = 0;
  for (const ring::Position each : witnesses) {
    const auto agrees = [&](ring::Position other) {
      const std::int64_t apart = ring::distance(other, each);
      return apart >= -slots_ - 1 && apart <= slots_ + 1;
    };
    const bool tail_agrees = !single_ && agrees(ring::widen<ring::Tail::bits>(tail, each));
    const std::int64_t agree = std::ranges::count_if(witnesses, agrees) + (tail_agrees ? 1 : 0);
    if (agree > most || (agree == most && ring::distance(each, best) < 0)) best = each;
    most = std::max(most, agree);
  }
  return best;
}

/// The newest position, before `limit` and within a lap of `near`, that its own slot holds.
ring::Position Healer::newest_claim(ring::Position near, ring::Position limit) const noexcept {
  ring::Position newest = ring::wrap(near - 1);
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(slots_); ++i) {
    const ring::Position said = ring::SlotState::of(memory_.slot(i).state.load_acquire()).position;
    if ((said & memory_.mask()) != i || ring::distance(said, limit) >= 0) continue;
    const std::int64_t apart = ring::distance(said, near);
    if (apart <= slots_ + 1 && ring::distance(said, newest) > 0) newest = said;
  }
  return newest;
}

/// No producer may have claimed this position or a later one, by all plausible floors.
ring::Position Healer::limit_of_floors(ring::Position near) const noexcept {
  ring::Position lowest = ring::wrap(near + 2 * static_cast<ring::Position>(slots_));
  for (unsigned group = 0; group < memory_.geometry.groups(); ++group) {
    if (!ring::GroupStateWord::of(memory_.group(group).state.load_acquire()).blocks_producers()) continue;
    const ring::Position floor = ring::wrap(memory_.group(group).floor.load_acquire());
    const std::int64_t apart = ring::distance(floor, near);
    if (apart >= -slots_ - 1 && apart <= slots_ + 1 && ring::distance(floor, lowest) < 0) lowest = floor;
  }
  return ring::wrap(lowest + static_cast<ring::Position>(slots_));
}

/// Finds `tail` from the slots. Keeps the word if the slots do not contradict it. A single producer has no such word: there the
/// search is right once heal_slots() has made the slots agree.
void Healer::find_tail() noexcept {
  for (unsigned attempt = 0; attempt < k_tail_attempts; ++attempt) {
    const ring::Position near = witnessed();
    const std::uint64_t word = memory_.tail().load_acquire();
    const ring::Tail before = ring::Tail::of(word);
    const ring::Position said =
        single_ ? ring::search_tail(memory_) : ring::widen<ring::Tail::bits>(before.position, near);
    const ring::Position limit = limit_of_floors(near);
    tail_ = said;
    std::int64_t most = is_beyond_limits(said) ? -1 : slots_in_order(said);
    const auto consider = [&](ring::Position other, std::int64_t margin) {
      const std::int64_t agree = slots_in_order(other);
      if (agree <= most + margin) return;
      most = agree;
      tail_ = other;
    };
    // One slot may lead the search astray, and then as many slots agree with either: take the one that loses no message.
    consider(ring::wrap(newest_claim(near, limit) + 1), single_ ? -1 : 0);
    // A position beyond the floors' limit needs the agreement of more than one slot.
    consider(ring::wrap(newest_claim(near, ring::wrap(near + 2 * static_cast<ring::Position>(slots_))) + 1), 1);
    if (memory_.tail().load_acquire() != word) continue;
    if (tail_ == said || single_) return;
    // A living producer may have claimed the next position, and its words may be lost. Skip that position: no other producer
    // gets it. heal_slot() makes it VOID after `tail` is right, since consumers pass it only then.
    if (living_.producers() != 0 && ring::distance(tail_, limit) < 0) tail_ = ring::wrap(tail_ + 1);
    const ring::Tail right{tail_, static_cast<std::uint16_t>(before.generation + 1), ring::k_no_owner};
    if (!memory_.tail().compare_and_swap(word, right.word())) continue;
    ++counts_.words;
    return;
  }
  tail_ = now();
}

/// `age`: the distance from `p` to `tail_`.
void Healer::heal_slot(ring::Position p, std::int64_t age) noexcept {
  const bool produced = living_.producers() != 0;
  detail::Word& state = memory_.slot(p).state;
  for (unsigned attempt = 0; attempt < ring::k_attempts; ++attempt) {
    const std::uint64_t seen = state.load_acquire();
    const ring::SlotState slot = ring::SlotState::of(seen);
    const std::int64_t ahead = ring::distance(slot.position, p);
    const bool claimed = slot.phase == ring::SlotPhase::claimed;
    // plant: repair_leaves_claims
    if (ahead == 0 && !claimed) return;
    if (ahead == 0 && !single_ && living_.has(slot.owner)) {
      // The owner may not know this claim: a helper of a wrong `tail` may have marked the slot. The owner makes it VOID when it
      // reads the notice.
      producers_must_rescan_ = producers_must_rescan_ || !in_order_;
      return;
    }
    // plant: healing_leaves_holes
    if (has_moved_on(ahead, p)) return;
    // A living single producer does not mark its claims, and its stores may become visible late. So leave the newest two
    // positions.
    if (single_ && produced && age <= 2) return;
    ring::SlotState right{p, ring::k_no_owner, ring::SlotPhase::voided};
    if (!single_ && ahead != 0) {
      const ring::Tail tail = ring::Tail::of(memory_.tail().load_acquire());
      const bool last = ring::distance<ring::Tail::bits>(tail.position, p) == 1;
      // plant: repair_leaves_claims_without_a_mark
      if (last && living_.has(tail.owner)) {
        if (ahead < 0) return;  // the owner or the next claimer marks it
        // The owner may be writing. If not, it makes the slot VOID when it reads the notice.
        right = {p, tail.owner, ring::SlotPhase::claimed};
        producers_must_rescan_ = true;
      }
    }
    if (!state.compare_and_swap(seen, right.word())) continue;
    // A death leaves only these: an unmarked last claim, or a CLAIMED slot. Everything else is a hole.
    const bool of_the_dead = (ahead == 0 && claimed) || (!single_ && age == 1 && ahead == -slots_);
    ++(of_the_dead ? counts_.claims : counts_.holes);
    return;
  }
}

void Healer::heal_floor(unsigned index, bool named) noexcept {
  ring::GroupBlock& group = memory_.group(index);
  for (unsigned attempt = 0; attempt < ring::k_attempts; ++attempt) {
    const std::uint64_t seen = group.floor.load_acquire();
    const ring::Position floor = ring::wrap(seen);
    const bool beyond = ring::distance(floor, now()) > 0;
    // plant: healing_leaves_floors, healing_leaves_floors_that_are_behind
    if (!beyond && ring::distance(floor, tail_) >= -slots_) return;
    const std::uint32_t incarnation = named ? ring::GroupStateWord::of(group.state.load_relaxed()).incarnation : 0;
    // Back to the oldest position. Lease words then move a named floor; a private consumer stores its own floor again.
    const ring::Position oldest = ring::wrap(tail_ - static_cast<ring::Position>(slots_));
    if (!group.floor.compare_and_swap(seen, ring::Floor{incarnation, oldest}.word())) continue;
    ++counts_.words;
    producers_must_rescan_ = producers_must_rescan_ || beyond;
    return;
  }
}

/// True if it changed the lease word.
bool Healer::heal_lease(unsigned index, ring::Position p, ring::Position floor) noexcept {
  detail::Word& word = memory_.lease(index, p);
  for (unsigned attempt = 0; attempt < ring::k_attempts; ++attempt) {
    const std::uint64_t seen = word.load_acquire();
    ring::Lease lease = ring::Lease::of(seen);
    const std::int64_t ahead = ring::distance<ring::Lease::bits>(lease.position, p);
    const bool leased = lease.phase == ring::LeasePhase::leased;
    // A parked word keeps its position while later laps of its slot go by.
    const bool parked = ring::is_parked(lease.phase) && (ahead <= 0 || has_moved_on(ahead, p));
    // plant: repair_leaves_parked_leases
    if (parked && lease.phase == ring::LeasePhase::parked && !living_.has(lease.owner, index) && is_of_slot(lease, p)) {
      if (!ring::give_back_parked(memory_, index, word, seen)) continue;
      ++counts_.released;
      return true;
    }
    // plant: healing_believes_later_leases
    const bool sense = (ahead < 0 && (!parked || is_of_slot(lease, p))) || has_moved_on(ahead, p) ||
                       (ahead == 0 && is_phase(lease.phase));
    // plant: repair_leaves_leases
    if (sense && (!leased || living_.has(lease.owner, index))) return false;
    if (sense) {
      lease.phase = ring::LeasePhase::retry;
      // plant: repair_marks_no_try
      if (lease.tries < k_max_tries) ++lease.tries;
    } else {
      lease = {p, ring::k_no_owner, 1, ring::distance(p, floor) < 0 ? ring::LeasePhase::done : ring::LeasePhase::retry};
    }
    if (!word.compare_and_swap(seen, lease.word())) continue;
    ++counts_.released;
    return true;
  }
  return false;
}

void Healer::heal_group(unsigned index) noexcept {
  const bool named = index < memory_.geometry.max_groups;
  heal_floor(index, named);
  if (!named) return;
  const ring::Position floor = ring::wrap(memory_.group(index).floor.load_acquire());
  bool given_back = false;
  for (std::int64_t age = slots_; age >= 1; --age) {
    given_back = heal_lease(index, ring::wrap(tail_ - static_cast<ring::Position>(age)), floor) || given_back;
  }
  const ring::Next next = ring::Next::of(memory_.group(index).next.load_acquire());
  const bool beyond = ring::distance<ring::Next::bits>(next.position, now()) > 0;
  if (beyond) ++counts_.words;
  // plant: healing_leaves_next
  if (beyond || given_back) ring::set_next_back(memory_, index, floor);
  // A consumer that died in a nack may have delayed a message without telling its time.
  // plant: repair_leaves_the_due_time
  ring::restore_earliest_due(memory_, index);
  // plant: repair_leaves_the_lease_check
  ring::restore_lease_check(memory_, index);
  if (ring::restore_marks(memory_, index)) {
    ++counts_.words;
    producers_must_rescan_ = true;
  }
  if (counts_.claims + counts_.released != 0 || counts_.disorder()) ring::help_floor(memory_, index);
  ring::try_drain(memory_, index);
}

}  // namespace

HealCounts heal(const ring::QueueMemory& memory, const Living& living) noexcept { return Healer(memory, living).run(); }

}  // namespace beltway::recovery
