// See heal.hpp.
#include "recovery/heal.hpp"

#include <algorithm>
#include <span>

#include "ring/floors.hpp"
#include "ring/groups.hpp"
#include "ring/readers/named_reader.hpp"

namespace beltway::daemon {

void Living::add(unsigned owner, unsigned group) noexcept {
  if (owner < k_first_consumer) {
    producers_ |= 1ULL << owner;
  } else if (owner < k_first_consumer + k_max_consumers) {
    consumers_ |= 1ULL << (owner - k_first_consumer);
    groups_[owner - k_first_consumer] = group;
  }
}
void Living::remove(unsigned owner) noexcept {
  (owner < k_first_consumer ? producers_ : consumers_) &= ~(1ULL << owner % k_first_consumer);
}
bool Living::has(unsigned owner) const noexcept {
  if (owner < k_first_consumer) return (producers_ >> owner & 1U) != 0;
  return owner < k_first_consumer + k_max_consumers && (consumers_ >> (owner - k_first_consumer) & 1U) != 0;
}
bool Living::has(unsigned owner, unsigned group) const noexcept {
  return owner >= k_first_consumer && has(owner) && groups_[owner - k_first_consumer] == group;
}

namespace {

/// Slots that are asked for the place of the ring; a scribble over fewer than half of them decides nothing.
constexpr std::size_t k_witnesses = 64;
/// Attempts to see `tail` and all slots at one moment. If `tail` moves on each time, producers claim and `tail` is in order.
constexpr unsigned k_tail_attempts = 4;

class Healer {
 public:
  Healer(const QueueMemory& map, const Living& living) noexcept
      : map_(map), living_(living), slots_(map.geometry.slots), single_(map.geometry.single_producer()) {}

  HealCounts run() noexcept {
    tail_ = load_tail(map_);
    in_order_ = slots_in_order(tail_) == slots_;
    // plant: healing_leaves_tail
    if (!in_order_) find_tail();
    if (!in_order_ || open_claims_) heal_slots();
    for (unsigned group = 0; group < map_.geometry.groups(); ++group) {
      if (GroupStateWord::of(map_.group(group).state.load_acquire()).blocks_producers()) heal_group(group);
    }
    if (producers_must_look_) forget_limits(map_);
    drop_sleepers(map_.shared_status().producer_sleepers, living_.producers());
    drop_sleepers(map_.shared_status().consumer_sleepers, living_.consumers());
    // plant: repair_leaves_the_ticket/2
    drop_sleepers(map_.shared_status().room_line, living_.producers());
    return counts_;
  }

 private:
  /// `tail` as it is now, near the one that was found right.
  [[nodiscard]] Position now() const noexcept {
    return widen<Tail::bits>(Tail::of(map_.tail().load_acquire()).position, tail_);
  }
  /// The word of slot `p` says a later lap, which a producer has claimed meanwhile.
  [[nodiscard]] bool has_moved_on(std::int64_t ahead, Position p) const noexcept {
    return ahead > 0 && ahead % slots_ == 0 && distance(wrap(p + static_cast<Position>(ahead)), now()) < 0;
  }

  // -- tail (healing it needs all slots, so it comes first) --
  /// How many slots say what they must if the ring ends at `tail`.
  [[nodiscard]] std::int64_t slots_in_order(Position tail) noexcept;
  void find_tail() noexcept;
  [[nodiscard]] Position witnessed() const noexcept;
  [[nodiscard]] Position newest_claim(Position near, Position limit) const noexcept;
  [[nodiscard]] Position limit_of_floors(Position near) const noexcept;

  // -- slots --
  void heal_slots() noexcept {
    for (std::int64_t age = slots_; age >= 1; --age) heal_slot(wrap(tail_ - static_cast<Position>(age)), age);
  }
  void heal_slot(Position p, std::int64_t age) noexcept;

  // -- groups --
  void heal_group(unsigned index) noexcept;
  void heal_floor(unsigned index, bool named) noexcept;
  [[nodiscard]] bool heal_lease(unsigned index, Position p, Position floor) noexcept;
  void drop_sleepers(Word& sleepers, std::uint64_t attached) noexcept {
    if ((sleepers.load_acquire() & ~attached) == 0) return;
    sleepers.fetch_and(attached);
    ++counts_.words;
  }

  const QueueMemory& map_;
  const Living& living_;
  const std::int64_t slots_;
  const bool single_;
  Position tail_ = 0;                 // where the ring ends, as it was read or found
  bool in_order_ = true;              // all slots, when they were first looked through
  bool open_claims_ = false;          // a claim was seen that is not finished: its owner may be gone
  bool producers_must_look_ = false;  // at the floors, and at claims of their own
  HealCounts counts_;
};

std::int64_t Healer::slots_in_order(Position tail) noexcept {
  std::int64_t count = 0;
  for (std::int64_t age = slots_; age >= 1; --age) {
    const Position p = wrap(tail - static_cast<Position>(age));
    const SlotState slot = SlotState::of(map_.slot(p).state.load_acquire());
    const std::int64_t ahead = distance(slot.position, p);
    const bool unmarked = age == 1 && ahead == -slots_;  // the last claim may have no mark yet
    open_claims_ = open_claims_ || unmarked || slot.phase == SlotPhase::claimed;
    if (ahead == 0 || unmarked || has_moved_on(ahead, p)) ++count;
  }
  return count;
}

/// A position within a lap of `tail`: the one that most slots and floors agree with.
Position Healer::witnessed() const noexcept {
  std::array<Position, k_witnesses + k_max_groups + k_max_consumers> all{};
  std::size_t count = 0;
  const std::uint64_t stride = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(slots_) / k_witnesses);
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(slots_) && count < k_witnesses; i += stride) {
    const Position said = SlotState::of(map_.slot(i).state.load_acquire()).position;
    if ((said & map_.mask()) == i) all[count++] = said;
  }
  for (unsigned group = 0; group < map_.geometry.groups(); ++group) {
    if (!GroupStateWord::of(map_.group(group).state.load_acquire()).blocks_producers()) continue;
    all[count++] = wrap(map_.group(group).floor.load_acquire());
  }
  const std::span<const Position> witnesses(all.data(), count);
  const Tail tail = Tail::of(map_.tail().load_acquire());
  Position best = count == 0 ? tail.position : all[0];
  std::int64_t most = 0;
  for (const Position each : witnesses) {
    const auto agrees = [&](Position other) {
      const std::int64_t apart = distance(other, each);
      return apart >= -slots_ - 1 && apart <= slots_ + 1;
    };
    const std::int64_t agree =
        std::ranges::count_if(witnesses, agrees) + (agrees(widen<Tail::bits>(tail.position, each)) ? 1 : 0);
    if (agree > most || (agree == most && distance(each, best) < 0)) best = each;
    most = std::max(most, agree);
  }
  return best;
}

/// The newest position, before `limit` and within a lap of `near`, that its own slot says.
Position Healer::newest_claim(Position near, Position limit) const noexcept {
  Position newest = wrap(near - 1);
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(slots_); ++i) {
    const Position said = SlotState::of(map_.slot(i).state.load_acquire()).position;
    if ((said & map_.mask()) != i || distance(said, limit) >= 0) continue;
    const std::int64_t apart = distance(said, near);
    if (apart <= slots_ + 1 && distance(said, newest) > 0) newest = said;
  }
  return newest;
}

/// What no producer may have claimed, by the floors that make sense.
Position Healer::limit_of_floors(Position near) const noexcept {
  Position lowest = wrap(near + 2 * static_cast<Position>(slots_));
  for (unsigned group = 0; group < map_.geometry.groups(); ++group) {
    if (!GroupStateWord::of(map_.group(group).state.load_acquire()).blocks_producers()) continue;
    const Position floor = wrap(map_.group(group).floor.load_acquire());
    const std::int64_t apart = distance(floor, near);
    if (apart >= -slots_ - 1 && apart <= slots_ + 1 && distance(floor, lowest) < 0) lowest = floor;
  }
  return wrap(lowest + static_cast<Position>(slots_));
}

/// `tail` is where most slots say that it is; the word counts if they do not contradict it.
void Healer::find_tail() noexcept {
  for (unsigned attempt = 0; attempt < k_tail_attempts; ++attempt) {
    const Position near = witnessed();
    const std::uint64_t word = map_.tail().load_acquire();
    const Tail before = Tail::of(word);
    const Position said = widen<Tail::bits>(before.position, near);
    const Position limit = limit_of_floors(near);
    tail_ = said;
    std::int64_t most = slots_in_order(said);
    const auto consider = [&](Position other, std::int64_t margin) {
      const std::int64_t agree = slots_in_order(other);
      if (agree <= most + margin) return;
      most = agree;
      tail_ = other;
    };
    consider(wrap(newest_claim(near, limit) + 1), 0);
    // Against the floors more than one slot must speak.
    consider(wrap(newest_claim(near, wrap(near + 2 * static_cast<Position>(slots_))) + 1), 1);
    if (map_.tail().load_acquire() != word) continue;
    if (tail_ == said) return;
    // A living producer may have claimed the position behind the newest that a slot says, and no word say so any more. Nobody
    // else gets that position; heal_slot() makes it VOID, after `tail`: consumers pass it only when they see the right one.
    if (!single_ && living_.producers() != 0 && distance(tail_, limit) < 0) tail_ = wrap(tail_ + 1);
    const std::uint8_t owner = single_ ? before.owner : std::uint8_t{k_no_owner};
    const Tail right{tail_, static_cast<std::uint16_t>(before.generation + 1), owner};
    if (!map_.tail().compare_and_swap(word, right.word())) continue;
    ++counts_.words;
    return;
  }
  tail_ = now();
}

/// `age`: how far it lies before `tail_`.
void Healer::heal_slot(Position p, std::int64_t age) noexcept {
  const bool produced = living_.producers() != 0;
  Word& state = map_.slot(p).state;
  for (unsigned attempt = 0; attempt < k_attempts; ++attempt) {
    const std::uint64_t seen = state.load_acquire();
    const SlotState slot = SlotState::of(seen);
    const std::int64_t ahead = distance(slot.position, p);
    const bool claimed = slot.phase == SlotPhase::claimed;
    // plant: repair_leaves_claims
    if (ahead == 0 && !claimed) return;
    if (ahead == 0 && !single_ && living_.has(slot.owner)) {
      // Its owner may know nothing of it: whoever helped a wrong `tail` on marked this. What it does not write, it makes VOID.
      producers_must_look_ = producers_must_look_ || !in_order_;
      return;
    }
    // plant: healing_leaves_holes
    if (has_moved_on(ahead, p)) return;
    // A living single producer marks nothing, and its stores to `tail` and slots may be seen late.
    if (single_ && produced && age <= 2) return;
    SlotState right{p, k_no_owner, SlotPhase::voided};
    if (!single_ && ahead != 0) {
      const Tail tail = Tail::of(map_.tail().load_acquire());
      const bool last = distance<Tail::bits>(tail.position, p) == 1;
      // plant: repair_leaves_claims_without_a_mark
      if (last && living_.has(tail.owner)) {
        if (ahead < 0) return;  // it marks it, or whoever claims next does
        right = {p, tail.owner,
                 SlotPhase::claimed};  // it may be writing; if not, it makes this VOID when it takes notice
        producers_must_look_ = true;
      }
    }
    if (!state.compare_and_swap(seen, right.word())) continue;
    // The last claim without a mark, and a claim, are what a death leaves.
    const bool of_the_dead = (ahead == 0 && claimed) || (age == 1 && ahead == -slots_);
    ++(of_the_dead ? counts_.claims : counts_.holes);
    return;
  }
}

void Healer::heal_floor(unsigned index, bool named) noexcept {
  GroupBlock& group = map_.group(index);
  for (unsigned attempt = 0; attempt < k_attempts; ++attempt) {
    const std::uint64_t seen = group.floor.load_acquire();
    const Position floor = wrap(seen);
    const bool beyond = distance(floor, now()) > 0;
    // plant: healing_leaves_floors, healing_leaves_floors_that_are_behind
    if (!beyond && distance(floor, tail_) >= -slots_) return;
    const std::uint32_t incarnation = named ? GroupStateWord::of(group.state.load_relaxed()).incarnation : 0;
    // As far back as the ring goes: a named group's lease words say what is over, a private consumer stores its own floor again.
    const Position oldest = wrap(tail_ - static_cast<Position>(slots_));
    if (!group.floor.compare_and_swap(seen, Floor{incarnation, oldest}.word())) continue;
    ++counts_.words;
    producers_must_look_ = producers_must_look_ || beyond;
    return;
  }
}

/// True if it was changed.
bool Healer::heal_lease(unsigned index, Position p, Position floor) noexcept {
  Word& word = map_.lease(index, p);
  for (unsigned attempt = 0; attempt < k_attempts; ++attempt) {
    const std::uint64_t seen = word.load_acquire();
    Lease lease = Lease::of(seen);
    const std::int64_t ahead = distance<Lease::bits>(lease.position, p);
    const bool leased = lease.phase == LeasePhase::leased;
    // plant: healing_believes_later_leases
    const bool sense = ahead < 0 || has_moved_on(ahead, p) || (ahead == 0 && static_cast<unsigned>(lease.phase) != 0);
    // plant: repair_leaves_leases
    if (sense && (!leased || living_.has(lease.owner, index))) return false;
    if (sense) {
      lease.phase = LeasePhase::retry;
      // plant: repair_marks_no_try
      if (lease.tries < k_max_tries) ++lease.tries;
    } else {
      lease = {p, k_no_owner, 1, distance(p, floor) < 0 ? LeasePhase::done : LeasePhase::retry};
    }
    if (!word.compare_and_swap(seen, lease.word())) continue;
    ++counts_.released;
    return true;
  }
  return false;
}

void Healer::heal_group(unsigned index) noexcept {
  const bool named = index < map_.geometry.max_groups;
  heal_floor(index, named);
  if (!named) return;
  const Position floor = wrap(map_.group(index).floor.load_acquire());
  bool given_back = false;
  for (std::int64_t age = slots_; age >= 1; --age) {
    given_back = heal_lease(index, wrap(tail_ - static_cast<Position>(age)), floor) || given_back;
  }
  const Next next = Next::of(map_.group(index).next.load_acquire());
  const bool beyond = distance<Next::bits>(next.position, now()) > 0;
  if (beyond) ++counts_.words;
  // plant: healing_leaves_next
  if (beyond || given_back) set_next_back(map_, index, floor);
  if (counts_.claims + counts_.released != 0 || counts_.disorder()) help_floor(map_, index);
  try_drain(map_, index);
}

}  // namespace

HealCounts heal(const QueueMemory& map, const Living& living) noexcept { return Healer(map, living).run(); }

}  // namespace beltway::daemon
