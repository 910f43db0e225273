// See named_reader.hpp.
#include "ring/readers/named_reader.hpp"

#include <cassert>

#include "ring/floors.hpp"
#include "ring/groups.hpp"
#include "ring/parking.hpp"

namespace beltway::ring {

namespace {
Position position_of(Next next, Position floor) noexcept {
  // plant: next_is_not_widened
  return widen<Next::bits>(next.position, floor);
}

/// No consumer has leased or ended `position`.
[[nodiscard]] bool is_of_older_lap(std::uint64_t lease_word, Position position) noexcept {
  return distance<Lease::bits>(Lease::of(lease_word).position, position) < 0;
}
}  // namespace

template <bool timed>
[[gnu::always_inline]] inline NamedReader::Step NamedReader::try_lease_at(Position position, SlotView& view,
                                                                          std::uint64_t& corrupt) noexcept {
  // Pairs with the release of READY in Claimer::commit().
  const Slot& slot = memory_.slot(position);
  const std::uint64_t slot_word = slot.state.load_acquire();
  if (!SlotState::is_ready(slot_word, position)) [[unlikely]] {
    const SlotState state = SlotState::of(slot_word);
    const std::int64_t ahead = distance(state.position, position);
    if (ahead < 0 || state.phase == SlotPhase::claimed) return Step::end;
    if (ahead == 0) return Step::passed;
    // Whole laps ahead: `next` was stale, start again. Otherwise the slot is wrong, and heal makes it VOID.
    return (static_cast<Position>(ahead) & mask_) == 0 ? Step::again : Step::end;
  }
  Word& word = lease_of(position);
  const std::uint64_t seen = word.load_acquire();
  std::uint8_t tries = 0;
  if (!is_of_older_lap(seen, position)) [[unlikely]] {
    const Lease lease = Lease::of(seen);
    if (distance<Lease::bits>(lease.position, position) > 0) {
      // Start again if the slot was rewritten since we read it. Otherwise the lease word is wrong, and heal repairs it.
      return slot.state.load_acquire() == slot_word ? Step::end : Step::again;
    }
    // plant: lease_what_is_done
    if (lease.phase != LeasePhase::retry) return Step::passed;
    if (is_spent(lease.tries)) [[unlikely]]
      return try_lease_spent(position, seen, corrupt);
    tries = lease.tries;
  }
  const Lease ours{position, owner_, tries, LeasePhase::leased};
  if constexpr (timed) forget_end(memory_, lease_time_of(position), ours, position);
  if (!word.compare_and_swap(seen, ours.word())) return Step::again;
  return view_leased(slot, slot_word, tries, view, corrupt);
}

template <bool timed>
[[gnu::always_inline]] inline bool NamedReader::try_lease_pair(Position position, SlotView* views, std::size_t& leased,
                                                               std::uint64_t& corrupt) noexcept {
  if constexpr (!k_pairs_are_swapped) return false;
  if (position % 2 != 0) return false;
  const Position next = position + 1;
  const Slot& one = memory_.slot(position);
  const Slot& two = memory_.slot(next);
  const std::uint64_t one_word = one.state.load_acquire();
  const std::uint64_t two_word = two.state.load_acquire();
  // plant: two_leases_of_one_message
  if (!SlotState::is_ready(one_word, position) || !SlotState::is_ready(two_word, next)) return false;
  Word& lease = lease_of(position);
  const std::uint64_t seen_one = lease.load_acquire();
  const std::uint64_t seen_two = (&lease)[1].load_acquire();
  // plant: two_leases_of_what_is_over
  if (!is_of_older_lap(seen_one, position) || !is_of_older_lap(seen_two, next)) return false;
  const Lease our_one{position, owner_, 0, LeasePhase::leased};
  const Lease our_two{next, owner_, 0, LeasePhase::leased};
  if constexpr (timed) {
    forget_end(memory_, lease_time_of(position), our_one, position);
    forget_end(memory_, lease_time_of(next), our_two, next);
  }
  if (!compare_and_swap_pair(lease, seen_one, seen_two, our_one.word(), our_two.word())) return false;
  if (view_leased(one, one_word, 0, views[leased], corrupt) == Step::leased) ++leased;
  if (view_leased(two, two_word, 0, views[leased], corrupt) == Step::leased) ++leased;
  return true;
}

[[gnu::always_inline]] inline NamedReader::Step NamedReader::view_leased(const Slot& slot, std::uint64_t slot_word,
                                                                         std::uint8_t tries, SlotView& view,
                                                                         std::uint64_t& corrupt) noexcept {
  // If the slot was RECLAIMED before our lease, the floor may be past it and its bytes may be lent again. If it becomes
  // RECLAIMED later, is_no_message() sees our lease and keeps the floor.
  const SlotState state = SlotState::of(slot_word);
  // plant: no_second_check_of_the_slot
  const bool still_there = slot.state.load_acquire() == slot_word;
  if (still_there && view_unexpired_slot(memory_, slot, state, view)) [[likely]] {
    view.tries = tries;
    return Step::leased;
  }
  return view_leased_uncommon(slot_word, tries, view, corrupt);
}

NamedReader::Step NamedReader::view_leased_uncommon(std::uint64_t slot_word, std::uint8_t tries, SlotView& view,
                                                    std::uint64_t& corrupt) noexcept {
  const Slot& slot = memory_.slot(SlotState::of(slot_word).position);
  // If it is there no more, it never is again. If it goes now, its message made no sense or has expired.
  const bool still_there = slot.state.load_acquire() == slot_word;
  // Parked before our second check: then it was READY while we held it, and a producer has gone around it since.
  const SlotState state = SlotState::of(slot_word);
  const Lease parked{state.position, owner_, tries, LeasePhase::parked};
  // plant: parked_before_its_second_check_is_lost
  if (!still_there && lease_of(state.position).load_acquire() == parked.word() &&
      view_parked(memory_, state.position, view)) {
    view.tries = tries;
    return is_overdue(view) ? put_aside_expired(view) : Step::leased;
  }
  if (still_there && view_slot(memory_, slot, state, view)) {
    view.tries = tries;
    return put_aside_expired(view);
  }
  if (still_there) ++corrupt;
  const std::uint64_t done = Lease{state.position, owner_, tries, LeasePhase::done}.word();
  // CAS if the slot was reclaimed: the floor may be past it, and another consumer may hold this lease word for the next lap.
  // plant: reclaimed_is_ended_with_a_store
  const bool ended = still_there ? ack(state.position, tries) : end_lease(state.position, tries, done);
  if (ended) after_ack(state.position);
  return Step::passed;
}

NamedReader::Step NamedReader::put_aside_expired(const SlotView& view) noexcept {
  if (is_put_aside_full()) {  // the caller of lease() ends what is put aside, and comes again
    return_lease(view.position, view.tries, view.tries);
    return Step::end;
  }
  put_aside(view, FailReason::expired);
  return Step::passed;
}

NamedReader::Step NamedReader::try_lease_spent(Position position, std::uint64_t seen, std::uint64_t& corrupt) noexcept {
  if (is_put_aside_full()) return Step::end;  // the caller of lease() ends what is put aside, and comes again
  const Slot& slot = memory_.slot(position);
  const std::uint64_t slot_word = slot.state.load_acquire();
  const std::uint8_t tries = Lease::of(seen).tries;
  const Lease ours{position, owner_, tries, LeasePhase::leased};
  forget_end(memory_, lease_time_of(position), ours, position);
  if (!SlotState::is_ready(slot_word, position) || !lease_of(position).compare_and_swap(seen, ours.word()))
    return Step::again;
  SlotView view;
  if (view_leased(slot, slot_word, tries, view, corrupt) == Step::leased) {
    put_aside_if_failed(view, FailReason::none);
  }
  return Step::passed;
}

void NamedReader::put_leased_aside(const Slot& slot, std::uint64_t slot_word, std::uint8_t tries, FailReason reason,
                                   std::uint64_t& corrupt) noexcept {
  SlotView view;
  if (view_leased(slot, slot_word, tries, view, corrupt) == Step::leased) put_aside(view, reason);
}

Position NamedReader::start(Next next) const noexcept {
  const Position floor = this->floor();
  Position position = position_of(next, floor);
  if (next.version == resume_version_ && distance(resume_position_, position) > 0) position = resume_position_;
  return distance(position, floor) < 0 ? floor : position;
}

bool NamedReader::try_lease_delayed(std::uint64_t seen, SlotView& view, std::uint64_t& corrupt) noexcept {
  const Lease lease = Lease::of(seen);
  const Position position = widen<Lease::bits>(lease.position, floor());
  if (lease.phase == LeasePhase::parked_delayed) return try_lease_parked(seen, position, view, corrupt);
  const Slot& slot = memory_.slot(position);
  const std::uint64_t slot_word = slot.state.load_acquire();
  Word& word = lease_of(position);
  const FailReason reason = reason_of(memory_, group_, lease, position);
  const Lease ours{position, owner_, lease.tries, LeasePhase::leased};
  forget_end(memory_, lease_time_of(position), ours, position);
  if (SlotState::is_ready(slot_word, position) && word.compare_and_swap(seen, ours.word())) {
    if (view_leased(slot, slot_word, lease.tries, view, corrupt) != Step::leased) return false;
    return !put_aside_if_failed(view, reason);
  }
  // If it was parked meanwhile, it is still delayed, and this scan does not count it any more.
  const std::uint64_t now = word.load_acquire();
  // plant: parked_behind_a_scan_is_forgotten
  if (now != seen && is_delayed(Lease::of(now))) bring_forward(memory_, group_, 0);
  return false;
}

bool NamedReader::try_lease_parked(std::uint64_t seen, Position position, SlotView& view,
                                   std::uint64_t& corrupt) noexcept {
  Word& word = lease_of(position);
  Lease lease = Lease::of(seen);
  const FailReason reason = reason_of(memory_, group_, lease, position);
  lease.owner = owner_;
  lease.phase = LeasePhase::parked;
  forget_end(memory_, lease_time_of(position), lease, position);
  if (!word.compare_and_swap(seen, lease.word())) return false;
  if (view_parked(memory_, position, view)) {
    view.tries = lease.tries;
    return !put_aside_if_failed(view, reason) && (!is_overdue(view) || put_aside_expired(view) == Step::leased);
  }
  ++corrupt;
  ack_parked(memory_, group_, lease, position);
  return false;
}

template <bool timed>
[[gnu::always_inline]] inline bool NamedReader::try_lease_next_as(SlotView& view, std::uint64_t& corrupt) noexcept {
  if (has_delayed()) [[unlikely]] {
    must_walk_ = delayed_go_first(now_us());
    if (must_walk_) return false;
    ready_turn_ = false;
  }
  const std::uint64_t seen = shared_.next.load_acquire();
  const Next next = Next::of(seen);
  // If `next` is unchanged, go on after our last lease. If another consumer or the floor is already past it, this lease fails
  // and lease() walks.
  Position position = seen == resume_word_ ? resume_position_ : start(next);
  Step step = try_lease_at<timed>(position, view, corrupt);
  // A parked slot is VOID in later laps. What is put aside is for the caller to end first.
  for (unsigned passed = 0; step == Step::passed && passed < k_passed_at_once && put_aside_count_ == 0; ++passed) {
    position = wrap(position + 1);
    step = try_lease_at<timed>(position, view, corrupt);
  }
  if (step != Step::leased) {
    must_walk_ = step == Step::passed;
    return false;
  }
  resume_position_ = wrap(position + 1);
  resume_version_ = next.version;
  resume_word_ = seen;
  // Move `next` rarely: each CAS takes its line. Move it at once while a consumer sleeps, so that the one that wakes finds it
  // up to date.
  if (distance<Next::bits>(next.position, resume_position_) <= -k_next_lag ||
      shared_status_.consumer_sleepers.load_relaxed() != 0) {
    const std::uint64_t told = Next{resume_position_, next.version}.word();
    if (shared_.next.compare_and_swap(seen, told)) resume_word_ = told;
  }
  help_sleeping_producers();
  // plant: lease_does_not_check_removal/2
  if (!is_active()) [[unlikely]] {
    give_back(&view, 1);
    return false;
  }
  if constexpr (timed) note_leases(&view, 1);
  return true;
}

bool NamedReader::try_lease_next(SlotView& view, std::uint64_t& corrupt) noexcept {
  if (shared_.state.load_acquire() == untimed_state_) [[likely]]
    return try_lease_next_as<false>(view, corrupt);
  if (is_active() && !look_due_) return try_lease_next_timed(view, corrupt);
  must_walk_ = true;
  return false;
}

bool NamedReader::try_lease_next_timed(SlotView& view, std::uint64_t& corrupt) noexcept {
  return try_lease_next_as<true>(view, corrupt);
}

void NamedReader::give_back(const SlotView* views, std::size_t count) noexcept {
  // No user has seen them: it is no failed delivery, which counts for max_deliveries.
  for (std::size_t i = count; i-- > 0;) return_lease(views[i].position, views[i].tries, views[i].tries);
  // plant: given_back_lease_drains_no_group
  after_ack(views[0].position);  // the removal may have seen our leases, and waits for their end
}

template <bool timed>
[[gnu::always_inline]] inline NamedReader::Step NamedReader::lease_run(Position& position, std::span<SlotView> views,
                                                                       std::size_t& leased,
                                                                       std::uint64_t& corrupt) noexcept {
  Step step = Step::passed;
  for (std::uint32_t walked = 0; leased < views.size() && walked < memory_.geometry.slots; ++walked) {
    if (leased + 2 <= views.size() && pairs_ && try_lease_pair<timed>(position, views.data(), leased, corrupt)) {
      position = wrap(position + 2);
      ++walked;
      continue;
    }
    step = try_lease_at<timed>(position, views[leased], corrupt);
    if (step == Step::again || step == Step::end) break;
    if (step == Step::leased) ++leased;
    position = wrap(position + 1);
  }
  assert(leased <= views.size());
  return step;
}

ReadResult NamedReader::lease_ready(SlotView* views, std::size_t count, std::size_t& leased,
                                    std::uint64_t& corrupt) noexcept {
  leased = 0;
  for (unsigned attempt = 0; attempt < k_attempts; ++attempt) {
    if (!is_active()) return ReadResult::empty;
    const std::uint64_t seen = shared_.next.load_acquire();
    const Next next = Next::of(seen);
    const Position floor = wrap(shared_.floor.load_acquire());
    const Position hint = position_of(next, floor);
    Position position = distance(hint, floor) < 0 ? floor : hint;
    const Step step = lease_timeout_us_ == 0 ? lease_run<false>(position, {views, count}, leased, corrupt)
                                             : lease_run<true>(position, {views, count}, leased, corrupt);
    if (position != hint) shared_.next.compare_and_swap(seen, Next{position, next.version}.word());
    if (leased != 0) return keep_leases(views, leased);
    if (step != Step::again) {
      help_empty_group();
      return ReadResult::empty;
    }
  }
  return ReadResult::again;
}

ReadResult NamedReader::keep_leases(const SlotView* views, std::size_t& leased) noexcept {
  help_sleeping_producers();
  // If the removal did not see our leases, we see LEAVING: leave() stores it, runs a heavy barrier, then reads the lease words.
  // plant: lease_does_not_check_removal
  if (is_active()) return ReadResult::message;
  give_back(views, leased);
  leased = 0;
  return ReadResult::empty;
}

void NamedReader::help_empty_group() noexcept {
  // The floor moved over VOIDs or acks whose consumers saw no waiting producer. So we wake producers here.
  const bool moved = help_floor(memory_, group_);
  if (shared_status_.producer_sleepers.load_relaxed() == 0) return;
  if (!park_for_sleepers(memory_, group_) && !moved) return;
  // plant: a_lost_race_for_the_floor
  wake_for_room(memory_, floor());
}

bool NamedReader::is_floor_held() const noexcept { return !is_finished(memory_, group_, floor()); }

void NamedReader::park_held() noexcept {
  if (park_for_sleepers(memory_, group_)) wake_for_room(memory_, floor());
}

bool NamedReader::park_before_full(Position position) noexcept {
  const std::uint32_t slots = memory_.geometry.slots;
  if (memory_.geometry.max_parked == 0 || distance(position, park_at_.load(std::memory_order_relaxed)) < 0)
    return false;
  park_at_.store(wrap(position + slots / k_looks_to_park), std::memory_order_relaxed);
  const Position floor = this->floor();
  if (distance(position, floor) < static_cast<std::int64_t>(std::max(slots / 4, k_park_window))) return false;
  const Position nearly_full = wrap(floor + slots - slots / 4);
  const SlotState slot = SlotState::of(memory_.slot(nearly_full).state.load_acquire());
  return distance(slot.position, nearly_full) >= 0 && park_at_floor(memory_, group_, true);
}

bool NamedReader::end_lease(Position position, std::uint8_t tries, std::uint64_t word) noexcept {
  if (lease_of(position).compare_and_swap(Lease{position, owner_, tries, LeasePhase::leased}.word(), word)) return true;
  // It may have been parked.
  const Lease parked{position, owner_, tries, LeasePhase::parked};
  if (Lease::of(word).phase == LeasePhase::done) return ack_parked(memory_, group_, parked, position);
  return nack_parked(memory_, group_, parked, position, 0);
}

bool NamedReader::nack(Position position, std::uint8_t tries) noexcept {
  return return_lease(position, tries, one_try_more(tries));
}

bool NamedReader::return_lease(Position position, std::uint8_t tries, std::uint8_t next_tries) noexcept {
  // plant: nack_before_the_word
  if (!end_lease(position, tries, Lease{position, owner_, next_tries, LeasePhase::retry}.word())) return false;
  // plant: nack_before_the_word/2, nack_leaves_next
  set_next_back(memory_, group_, position);
  return true;
}

unsigned NamedReader::advance_floor(Position oldest) noexcept {
  // Two ends of leases may cross, here and in the repair. The fence makes one of them see the other.
  // plant: ends_that_cross
  full_fence();
  const bool was_passed = distance(oldest, floor()) < 0;
  // plant: a_lost_race_for_the_floor/2
  help_floor(memory_, group_);
  const GroupStateWord state = GroupStateWord::of(shared_.state.load_relaxed());
  // plant: last_to_end_does_not_drain
  if (state.phase == GroupPhase::leaving && state.incarnation == incarnation_) try_drain(memory_, group_);
  publish_fence(symmetric());
  unsigned rung = 0;
  // Wake also if another process moved the floor: a helping producer wakes no sleeper.
  if (shared_status_.producer_sleepers.load_relaxed() != 0) {
    // Parked between load and store of an ack: the ack did not see it.
    // plant: end_of_a_parked_lease_wakes_no_producer/2
    if (was_passed) rung += wake_for_parked_end(memory_);
    park_for_sleepers(memory_, group_);
    rung += wake_for_room(memory_, floor());
  }
  // Without a producer the last ack is the end of the stream: every sleeping consumer of the group must check.
  // plant: last_ack_wakes_no_consumer
  if (shared_status_.live_producers.load_relaxed() == 0) rung += wake_all_of_group(memory_, group_);
  return rung;
}

}  // namespace beltway::ring
