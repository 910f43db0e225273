// Leases that end by time. See named_reader.hpp and ring/lease_timeout.hpp.
#include <algorithm>
#include <span>

#include "os/kernel.hpp"
#include "ring/floors.hpp"
#include "ring/parking.hpp"
#include "ring/readers/named_reader.hpp"
#include "ring/tuning.hpp"

namespace beltway::ring {

/// What a walk over the leases found.
struct NamedReader::Walk {
  std::uint64_t ended = 0;
  Position oldest = 0;                         // of those that it ended
  std::optional<std::uint64_t> first_us = {};  // the earliest end of the leases that are left
};

void NamedReader::refresh_lease_timeout() noexcept {
  const std::uint64_t timeout_us = ring::lease_timeout_us(memory_, group_);
  // Before our first lease time. It stays: the messages that bear a time may be ended long after the option has gone.
  // plant: timed_lease_is_ended_by_a_store
  if (timeout_us != 0) ends_by_swap_.store(true, std::memory_order_relaxed);
  lease_timeout_us_ = timeout_us;
  untimed_state_ = timeout_us == 0 ? active_word_ : 0;
  if (timeout_us == 0) found_overdue_ = false;
}

void NamedReader::say_swaps() noexcept {
  // plant: consumer_does_not_say_that_it_swaps
  ring::say_swaps(memory_, owner_);
  has_said_swaps_ = true;
}

ReadResult NamedReader::lease_for_a_time(SlotView* views, std::size_t count, std::size_t& leased,
                                         std::uint64_t& corrupt) noexcept {
  look_due_ = false;
  const std::uint64_t now = now_us();
  found_overdue_ = is_active() && end_overdue_leases(now, corrupt);
  const ReadResult result = lease_any(views, count, leased, corrupt);
  if (leased != 0) {
    note_leases(views, leased);
    return result;
  }
  // Idle: the next lease reads the clock.
  leases_per_clock_read_ = 1;
  leases_before_clock_ = 1;
  if (EarliestDue::of(shared_.lease_check.load_acquire()).due_us == 0 && now >= next_search_us_) {
    // A consumer may hold a message, and have stopped before it planned a look.
    next_search_us_ = now + lease_timeout_us_;
    // plant: holder_that_plans_no_look_is_not_found
    restore_lease_check(memory_, group_);
  }
  return result;
}

void NamedReader::plan_lease_check(std::uint64_t due_us) noexcept {
  // plant: no_check_is_planned
  if (!ring::plan_lease_check(memory_, group_, due_us)) return;
  // Consumers that sleep do not know the time yet: one of them watches from now on.
  // plant: planned_check_wakes_no_sleeper
  if (needs_watcher(memory_, group_, owner_) && wake_one_of_group(memory_, group_, owner_))
    woken_.fetch_add(1, std::memory_order_relaxed);
}

void NamedReader::plan_first_look() noexcept { plan_lease_check(now_us() + look_interval_us(lease_timeout_us_)); }

void NamedReader::note_time(std::span<const SlotView> views) noexcept {
  const std::uint64_t now = os::coarse_now_ns() / 1000;
  const bool has_ticked = now != clock_us_;
  leases_per_clock_read_ = has_ticked ? 1 : std::min(2 * leases_per_clock_read_, k_leases_per_clock_read);
  leases_before_clock_ = has_said_swaps_ ? leases_per_clock_read_ : 1;
  clock_us_ = now;
  // plant: lease_of_a_silent_consumer_gets_no_time
  if (has_ticked || !has_said_swaps_) {
    for (const SlotView& view : views) {
      const Lease lease{view.position, owner_, view.tries, LeasePhase::leased};
      static_cast<void>(extend_lease(memory_, group_, lease, view.position));
    }
  }
  if (is_over(EarliestDue::of(shared_.lease_check.load_acquire()).due_us, now)) look_due_ = true;
}

bool NamedReader::end_overdue_leases(std::uint64_t now_us, std::uint64_t& corrupt) noexcept {
  Word& check = shared_.lease_check;
  const std::uint64_t seen = check.load_acquire();
  const EarliestDue before = EarliestDue::of(seen);
  if (before.due_us == 0 || !is_over(before.due_us, now_us)) return false;
  // First the time at which others look again, if we stop or die here.
  const std::uint64_t next_us = now_us + look_interval_us(lease_timeout_us_);
  const EarliestDue mine{next_us, static_cast<std::uint16_t>(before.version + 1)};
  if (!check.compare_and_swap(seen, mine.word())) return false;  // another consumer looks
  const Walk walk = walk_leases(now_us, &corrupt);
  const EarliestDue none{0, static_cast<std::uint16_t>(mine.version + 1)};
  if (walk.first_us) {
    // plant: lease_that_is_left_is_not_planned
    if (*walk.first_us < next_us) plan_lease_check(*walk.first_us);
  } else if (check.compare_and_swap(mine.word(), none.word())) {
    // A consumer that leased behind our walk may have relied on next_us. It leased before it saw that, so we see its lease.
    // plant: check_is_cleared_for_good
    if (const auto first_us = walk_leases(now_us, nullptr).first_us) plan_lease_check(std::min(*first_us, next_us));
  }
  if (walk.ended == 0) return false;
  // The removal of the group may have seen these leases, and waits for their end.
  after_ack(walk.oldest);
  return true;
}

NamedReader::Walk NamedReader::walk_leases(std::uint64_t now_us, std::uint64_t* corrupt) noexcept {
  Walk walk;
  for (std::uint32_t i = 0; i < memory_.geometry.slots; ++i) {
    const std::optional<HeldLease> held = held_lease(memory_, group_, i);
    if (!held) continue;
    if (corrupt != nullptr && held->due_us && is_over(*held->due_us, now_us) && end_overdue(*held, *corrupt)) {
      if (walk.ended++ == 0 || distance(held->position, walk.oldest) < 0) walk.oldest = held->position;
      continue;
    }
    std::optional<std::uint64_t> end_us = held->due_us;
    // plant: lease_without_a_time_gets_none
    if (!end_us && corrupt != nullptr) end_us = give_lease_time(memory_, group_, *held, lease_timeout_us_);
    const std::uint64_t next_us = std::max(end_us.value_or(now_us + look_interval_us(lease_timeout_us_)), k_at_once_us);
    walk.first_us = std::min(walk.first_us.value_or(next_us), next_us);
  }
  return walk;
}

bool NamedReader::end_overdue(HeldLease held, std::uint64_t& corrupt) noexcept {
  const bool spent = is_spent(one_try_more(held.lease.tries));
  if (spent && is_put_aside_full()) return false;  // the next look finds it
  if (!close_lease(memory_, group_, held)) return false;
  for (unsigned attempt = 0; attempt < k_attempts; ++attempt) {
    if (spent ? put_overdue_aside(held, corrupt) : give_back_overdue(held)) {
      timed_out_.fetch_add(1, std::memory_order_relaxed);
      return true;
    }
    // Its consumer has ended it, or it was parked.
    held.seen = held.word.load_acquire();
    if (!is_held_as(memory_, group_, held.lease, held.position)) return false;
    held.lease.phase = Lease::of(held.seen).phase;
  }
  return false;
}

bool NamedReader::give_back_overdue(const HeldLease& held) noexcept {
  const bool parked = held.lease.phase == LeasePhase::parked;
  Lease back = held.lease;
  back.phase = parked ? LeasePhase::parked_delayed : LeasePhase::retry;
  // plant: lease_that_is_over_counts_no_try
  back.tries = one_try_more(back.tries);
  if (!held.word.compare_and_swap(held.seen, back.word())) return false;
  if (parked) {
    bring_forward(memory_, group_, k_at_once_us);  // its time is that of another lease: it is due at once
  } else {
    // plant: lease_that_is_over_leaves_next
    set_next_back(memory_, group_, held.position);
  }
  return true;
}

bool NamedReader::put_overdue_aside(const HeldLease& held, std::uint64_t& corrupt) noexcept {
  const Slot& slot = memory_.slot(held.position);
  const std::uint64_t slot_word = slot.state.load_acquire();
  const bool parked = held.lease.phase == LeasePhase::parked;
  // RECLAIMED: its consumer is about to find that the message has gone.
  if (!parked && !SlotState::is_ready(slot_word, held.position)) return give_back_overdue(held);
  Lease ours = held.lease;
  ours.owner = owner_;
  ours.tries = one_try_more(ours.tries);
  forget_end(memory_, lease_time_of(held.position), ours, held.position);
  if (!held.word.compare_and_swap(held.seen, ours.word())) return false;
  SlotView view;
  if (!parked) {
    put_leased_aside(slot, slot_word, ours.tries, FailReason::lease_over, corrupt);
  } else if (view_parked(memory_, held.position, view)) {
    view.tries = ours.tries;
    put_aside(view, FailReason::lease_over);
  } else {
    ++corrupt;
    ack_parked(memory_, group_, ours, held.position);
  }
  return true;
}

bool NamedReader::extend(Position position, std::uint8_t tries) noexcept {
  const Lease lease{position, owner_, tries, LeasePhase::leased};
  // Without swaps our leases have no end.
  if (!ends_by_swap_.load(std::memory_order_relaxed)) return is_ours(position, tries);
  const std::optional<std::uint64_t> end_us = extend_lease(memory_, group_, lease, position);
  if (end_us && *end_us != k_no_end_us) plan_first_look();
  return end_us.has_value();
}

}  // namespace beltway::ring
