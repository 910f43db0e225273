// See claim.hpp.
#include "ring/claim.hpp"

#include <algorithm>
#include <cassert>

#include "os/kernel.hpp"
#include "ring/drop_oldest.hpp"
#include "ring/parking.hpp"
#include "ring/tuning.hpp"
#include "ring/wake.hpp"

namespace beltway::ring {

Claimer::Claimer(const QueueMemory& memory, unsigned producer)
    : InlinePublisher(memory.ring_head()),
      memory_(memory),
      single_(memory.geometry.single_producer()),
      producer_(static_cast<std::uint8_t>(producer)),
      published_(single_ ? not_inline_ : memory.endpoint(producer).counters),
      stop_mask_(std::min<std::uint64_t>(detail::k_positions_per_counter_store, memory.geometry.slots) - 1),
      parked_slots_(&memory.parked_slots(0)),
      ticket_(memory, producer) {
  if (single_) {
    next_ = load_tail(memory_);
    const Position told = wrap(head_->claim_limit.load_relaxed());
    // A peer may write any limit. One that is too high is right.
    const std::int64_t ahead = distance(told, next_);
    const bool makes_sense = ahead >= 0 && ahead <= std::int64_t{memory_.geometry.slots};
    claim_limit_ = makes_sense ? told : wrap(next_ + memory_.geometry.slots);
    not_messages_ = next_;
  } else {
    const Tail tail = Tail::of(memory_.tail().load_acquire());
    next_ = tail_position(memory_, tail);
    generation_ = tail.generation;
  }
  stop_inline_path();
  slots_ = memory_.ring + k_slots_offset;
  slot_mask_ = memory_.mask();
  slot_bytes_ = memory_.geometry.slot_bytes;
  notice_word_ = &memory_.shared_status().notice;
  sleepers_ = &memory_.shared_status().consumer_sleepers;
  static_assert(offsetof(SharedStatus, producer_sleepers) == offsetof(SharedStatus, consumer_sleepers) + sizeof(Word));
  ready_low_ = SlotState{0, producer_, SlotPhase::ready}.word();
}

Notice Claimer::accept_notice() noexcept {
  const std::uint64_t word = memory_.shared_status().notice.load_acquire();
  const Notice notice = Notice::of(word);
  stop_inline_path();
  // Removal is told again at every call.
  if ((notice.flags & k_notice_removed) == 0) seen_notice_ = word;
  return notice;
}

bool Claimer::void_lost_claims() noexcept {
  bool found = false;
  for (std::uint32_t i = 0; !single_ && i < memory_.geometry.slots; ++i) {
    Word& state = memory_.slot(i).state;
    const std::uint64_t seen = state.load_acquire();
    const SlotState slot = SlotState::of(seen);
    if (slot.phase != SlotPhase::claimed || slot.owner != producer_) continue;
    found = state.compare_and_swap(seen, SlotState{slot.position, producer_, SlotPhase::voided}.word()) || found;
  }
  return found;
}

Position Claimer::scan_floors() noexcept { return scan_floors_from(single_ ? next_ : load_tail(memory_)); }

Position Claimer::scan_floors_from(Position tail) noexcept {
  const Position lowest = lowest_floor(memory_, tail);
  const auto used = static_cast<std::uint64_t>(distance(tail, lowest));
  if (used > high_water_ && used <= memory_.geometry.slots) high_water_ = used;
  return lowest;
}

bool Claimer::ensure_room(Position position) noexcept {
  // A single producer's last READY is a plain store: it must be visible before the groups are scanned, or a group that joins at
  // the latest message finds an old tail, unseen by us, and is overrun. (The several-producer tail is swapped.)
  // plant: no_fence_before_the_floors
  if (single_) full_fence();
  if (refresh_limit(position)) return true;
  if (!scans_unpassed_acks_) return false;
  // Scan again, whichever process moved them: a floor that another one moved after our scan makes room, too.
  // plant: no_scan_after_help
  help_floors(memory_);
  if (refresh_limit(position)) return true;
  const auto is_full = [&] { return limit_ == position && !others_turn_ && !next_is_parked_; };
  if (is_full() && drop_for_room(memory_, wrap(position - memory_.geometry.slots + dropped_for_room())) &&
      refresh_limit(position)) {
    return true;
  }
  return is_full() && park(leaves_parking_) && refresh_limit(position);
}

bool Claimer::park(bool patient) noexcept {
  if (memory_.geometry.max_parked == 0) return false;
  const Position lowest = scan_floors();
  const std::uint64_t now_ns = os::now_ns();
  if (full_since_ns_ == 0 || lowest != full_floor_) {
    full_floor_ = lowest;
    full_since_ns_ = now_ns;
  }
  const bool is_overdue = now_ns - full_since_ns_ >= k_park_patience_ns;
  return (is_overdue || !patient) && park_at_floors(memory_, !is_overdue);
}

bool Claimer::refresh_limit(Position position) noexcept {
  const Position limit = wrap(scan_floors_from(position) + memory_.geometry.slots);
  // The limit is never before `position`: the next claim only compares both, and a peer may write any floor.
  limit_ = distance(position, limit) < 0 ? limit : position;
  others_turn_ = false;
  next_is_parked_ = false;
  if (limit_ == position) return false;
  if (single_) raise_claim_limit(limit_);
  // Slots are parked before a floor passes them, and no limit exceeds a floor by more than a lap. So the limit stays right when
  // more slots are parked later.
  // plant: producer_ignores_parked_slots
  if (was_any_marked(parked_slots_)) {
    floor_limit_ = limit_;
    limit_ = first_parked(memory_, position, floor_limit_);
    next_is_parked_ = limit_ == position;
    if (next_is_parked_) return false;
  }
  return single_ || !ticket_.others_wait() || leave_room_to_others(position);
}

bool Claimer::leave_room_to_others(Position position) noexcept {
  const auto free = static_cast<std::uint64_t>(distance(limit_, position));
  std::uint64_t ahead = ticket_.ahead();
  while (ahead != 0 && free <= ahead) {
    if (!ticket_.pass_over_if_overdue(os::now_ns())) {
      limit_ = position;
      others_turn_ = true;
      return false;
    }
    ahead = ticket_.ahead();
  }
  // A producer that has its turn takes no more than its share, so that room is left for the producers behind it.
  limit_ = wrap(position + std::min(free - ahead, pace_.chunk(quarter())));
  return true;
}

Claim Claimer::room() noexcept {
  if (single_) return distance(next_, limit_) < 0 || ensure_room_behind_parked() ? Claim::ok : Claim::full;
  std::uint32_t voided = 0;
  for (unsigned attempt = 0; attempt < k_attempts && voided <= memory_.geometry.slots; ++attempt) {
    const std::uint64_t word = memory_.tail().load_acquire();
    const Tail tail = Tail::of(word);
    next_ = tail_position(memory_, tail);
    if (tail.generation != generation_) limit_ = next_;
    generation_ = tail.generation;
    if (distance(next_, limit_) < 0 || ensure_room(next_)) return Claim::ok;
    if (!next_is_parked_) return after_voids(why_no_room(), voided);
    if (!help_tail(memory_, tail)) break;
    if (!void_parked(word)) continue;
    ++voided;
    attempt = 0;
  }
  return after_voids(Claim::busy, voided);
}

bool Claimer::ensure_room_behind_parked() noexcept {
  for (std::uint32_t voided = 0;; ++voided) {
    if (distance(next_, limit_) < 0 || ensure_room(next_)) return true;
    if (!next_is_parked_ || voided == memory_.geometry.slots) {
      after_voids(Claim::full, voided);
      return false;
    }
    // Its owner stays in the slot: a consumer that gets the parked message again is told the producer.
    const SlotState before = SlotState::of(slot(next_).state.load_relaxed());
    take_next();
    stop_ = next_;
    ++not_messages_;
    // plant: void_of_a_parked_slot_overwrites_it
    slot(last()).state.store_release(SlotState{last(), before.owner, SlotPhase::voided}.word());
    go_on_behind_void();
  }
}

bool Claimer::void_parked(std::uint64_t word) noexcept {
  const Position position = next_;
  Slot& slot = this->slot(position);
  const SlotState before = SlotState::of(slot.state.load_acquire());
  if (before.position != wrap(position - memory_.geometry.slots) || before.phase == SlotPhase::claimed) return false;
  const std::uint64_t ours = Tail{position + 1, Tail::of(word).generation, producer_}.word();
  if (!head_->tail.compare_and_swap(word, ours)) return false;
  our_tail_ = ours;
  slot.state.store_release(SlotState{position, producer_, SlotPhase::claimed}.word());
  release_fence();  // as after every claim
  // plant: void_of_a_parked_slot_overwrites_it/2
  slot.state.store_release(SlotState{position, before.owner, SlotPhase::voided}.word());
  next_ = wrap(position + 1);
  go_on_behind_void();
  return true;
}

void Claimer::go_on_behind_void() noexcept {
  // The scan of the floors that found the parked slot counts on, as a limit does. A notice or a waiting producer asks for
  // another.
  const bool counts = distance(next_, floor_limit_) < 0 && !has_news() && (single_ || !ticket_.others_wait());
  // plant: next_parked_slot_is_not_looked_for
  limit_ = counts ? first_parked(memory_, next_, floor_limit_) : next_;
}

Claim Claimer::after_voids(Claim claim, std::uint32_t voided) noexcept {
  if (voided == 0 && (!was_any_marked(parked_slots_) || sleepers_->load_relaxed() == 0)) return claim;
  // A producer may sleep until one of our claims has ended. No message follows that would wake it.
  full_fence();
  if (voided != 0) wake_producers_at(memory_, k_wake_at_claim_end, producer_);
  // plant: voids_wake_no_consumer
  wake_before_voids(memory_);
  return claim;
}

Claim Claimer::claim_single() noexcept {
  if (distance(next_, limit_) >= 0 && !ensure_room_behind_parked()) [[unlikely]]
    return Claim::full;
  take_next();
  set_stop();
  assert(distance(next_, limit_) <= 0);
  return Claim::ok;
}

void Claimer::set_stop() noexcept {
  const Position turn = wrap((next_ + stop_mask_) & ~stop_mask_);
  stop_ = distance(turn, limit_) < 0 ? turn : limit_;
}

void Claimer::raise_claim_limit(Position limit) noexcept {
  if (distance(limit, claim_limit_) > 0) claim_limit_ = limit;
  // plant: claim_limit_is_not_stored
  head_->claim_limit.store_relaxed(claim_limit_);
}

void Claimer::store_published() noexcept {
  if (!single_) return;
  head_->not_messages.store_relaxed(not_messages_);
  store_pair(head_->counted[0], next_, published().bytes);
}

inline Claim Claimer::may_claim(Position position, Tail tail, bool alone) noexcept {
  // plant: no_generation
  if (tail.generation != generation_ || distance(position, limit_) >= 0) {
    // The limit counts for the generation that it was read under: a join at the oldest message raises it.
    generation_ = tail.generation;
    limit_ = position;
    if (!ensure_room(position)) return why_no_room();
  }
  // No processor fetches a line ahead that is written after a locked swap. So we ask for the slot's line before the swap. With
  // speculative polls (speculative_spin.hpp) that line is still on its way when the message is seen.
  Slot& slot = this->slot(position);
  prefetch_to_write(&slot);
  // A swap waits until the line of the slot before has arrived. A lone producer asks for a later slot early. Slots of two lines
  // and more lose by it, and several producers would take the line from each other.
  if (alone && slot_bytes_ <= k_cache_line_bytes) prefetch_to_write(&this->slot(position + k_slot_prefetch_distance));
  // The floors alone do not prove that the slot is free: a group may have joined behind a claim that is still being written.
  const SlotState before = SlotState::of(slot.state.load_acquire());
  // plant: no_check_of_the_slot
  const bool over = before.position == wrap(position - memory_.geometry.slots) && before.phase != SlotPhase::claimed;
  return over ? Claim::ok : Claim::busy;
}

Claim Claimer::claim_shared() noexcept {
  std::uint32_t voided = 0;
  for (unsigned attempt = 0; attempt < k_attempts; ++attempt) {
    const std::uint64_t word = head_->tail.load_acquire();
    const Tail tail = Tail::of(word);
    const bool alone = word == our_tail_;  // the last claim is ours, and ended: next_ is behind it
    if (!alone) {
      // plant: no_help
      if (!help_tail(memory_, tail)) return after_voids(Claim::busy, voided);
      next_ = tail_position(memory_, tail);
    }
    const Position position = next_;
    if (const Claim claim = may_claim(position, tail, alone); claim != Claim::ok) [[unlikely]] {
      if (claim == Claim::parked && voided != memory_.geometry.slots) {
        if (!void_parked(word)) continue;
        ++voided;
        attempt = 0;
        continue;
      }
      if (head_->tail.load_acquire() != word) continue;  // a stale tail makes a queue seem full
      return after_voids(claim == Claim::parked ? Claim::full : claim, voided);
    }
    const std::uint64_t ours = Tail{position + 1, tail.generation, producer_}.word();
    if (ticket_.is_held()) ticket_.hide();
    if (!head_->tail.compare_and_swap(word, ours)) {
      if (ticket_.is_held()) ticket_.show();
      continue;
    }
    our_tail_ = ours;
    // Release, so that `tail` is moved before the mark is seen; the fence keeps the payload behind the mark, for lossy readers:
    // pairs with is_unchanged().
    slot(position).state.store_release(SlotState{position, producer_, SlotPhase::claimed}.word());
    // plant: no_fence_behind_the_mark
    release_fence();
    next_ = wrap(position + 1);
    assert(distance(next_, limit_) <= 0);
    return Claim::ok;
  }
  return after_voids(Claim::busy, voided);
}

void Claimer::void_claim(std::size_t /*size*/) noexcept {
  ++not_messages_;  // only a single producer reads it
  memory_.slot(last()).state.store_release(SlotState{last(), producer_, SlotPhase::voided}.word());
}

Position Claimer::wake_past(unsigned ahead) const noexcept {
  const std::uint64_t most = std::max<std::uint64_t>(quarter(), 1);
  const std::uint64_t turns = ahead + std::uint64_t{1};
  const std::uint64_t wanted = std::min(pace_.chunk(most) * turns, std::max(most, turns));
  return wrap(next_ - memory_.geometry.slots + std::min<std::uint64_t>(wanted, memory_.geometry.slots) - 1);
}

bool help_tail(const QueueMemory& memory, Tail tail) noexcept {
  const std::uint64_t last = tail.position - 1;
  Word& state = memory.slot(last).state;
  for (unsigned attempt = 0; attempt < k_attempts; ++attempt) {
    const std::uint64_t word = state.load_acquire();
    const SlotState slot = SlotState::of(word);
    // A signed difference: a stale helper must not roll a newer state back.
    // plant: help_with_unequal
    if (distance<Tail::bits>(slot.position, last) >= 0) return true;
    const SlotState claimed{widen<Tail::bits>(last, slot.position), tail.owner, SlotPhase::claimed};
    // After a failed swap the slot may still be unmarked (the lane's owner may have made the old READY RECLAIMED): load it again.
    if (state.compare_and_swap(word, claimed.word())) return true;
  }
  return false;
}

}  // namespace beltway::ring
