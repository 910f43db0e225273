// See wake.hpp.
#include "ring/wake.hpp"

#include <bit>

#include "ring/lease_timeout.hpp"
#include "ring/parking.hpp"
#include "ring/redelivery.hpp"

namespace beltway::ring {

namespace {

/// Calls `visit(index)` for each set bit below `count`.
template <class Visit>
void for_each_bit(std::uint64_t bits, unsigned count, Visit visit) {
  if (count < 64) bits &= (1ULL << count) - 1;
  for (; bits != 0; bits &= bits - 1) visit(static_cast<unsigned>(std::countr_zero(bits)));
}

bool may_sleep(Wait wait) noexcept { return wait.phase == WaitPhase::asleep || wait.phase == WaitPhase::waking; }

unsigned group_of(const QueueMemory& memory, unsigned consumer) noexcept {
  return Identity::of(memory.endpoint(k_first_consumer + consumer).identity.load_relaxed()).group;
}

/// Of the consumers in `sleepers`, the one of `group` that has waited longest. So work goes round among consumers of equal speed.
std::optional<unsigned> longest_asleep(const QueueMemory& memory, std::uint64_t sleepers, unsigned group) noexcept {
  std::optional<unsigned> longest;
  std::uint64_t longest_since = 0;
  for_each_bit(sleepers, memory.geometry.max_consumers, [&](unsigned consumer) {
    if (group_of(memory, consumer) != group) return;
    const std::uint64_t since = memory.endpoint(k_first_consumer + consumer).asleep_since_ns.load_relaxed();
    if (longest && since >= longest_since) return;
    longest = consumer;
    longest_since = since;
  });
  return longest;
}

}  // namespace

bool wake(const QueueMemory& memory, unsigned owner) noexcept {
  Word& word = memory.endpoint(owner).wait;
  const std::uint64_t seen = word.load_acquire();
  const Wait wait = Wait::of(seen);
  const std::uint64_t waking = Wait{wait.sequence, WaitPhase::waking}.word();
  // plant: waking_is_left_alone
  if (!may_sleep(wait)) return false;
  // A sleeper that is on its way into the kernel must not fall asleep any more: so the word comes first. If another waker was
  // quicker, it may stop before its next step, so that step is ours as well.
  // plant: a_lost_race_for_waking_is_over, woken_before_the_word
  if (wait.phase == WaitPhase::asleep && !word.compare_and_swap(seen, waking) && word.load_acquire() != waking)
    return false;
  // plant: signalled_before_the_wake
  rouse(memory, owner);
  // If the word has moved on, the sleeper was up already, on its own or for another's message, and may have polled before
  // ours was there: then the caller wakes another one.
  // plant: a_lost_wake_counts
  return word.compare_and_swap(waking, Wait{wait.sequence, WaitPhase::signalled}.word());
}

void rouse(const QueueMemory& memory, unsigned owner) noexcept {
  Endpoint& endpoint = memory.endpoint(owner);
  // Written before ASLEEP, which the caller has seen. If the endpoint has gone on since, it needs nothing from us.
  // plant: bells_are_not_rung
  if (endpoint.sleeps_on.load_relaxed() == k_sleeps_on_bell) {
    os::ring_bell(memory.bell(owner));
  } else {
    os::wake_sleeper(endpoint.wait);
  }
}

unsigned wake_for_message(const QueueMemory& memory, unsigned me) noexcept {
  unsigned rung = 0;
  std::uint64_t named = 0;  // named groups with a sleeper
  for_each_bit(memory.shared_status().consumer_sleepers.load_relaxed(), memory.geometry.max_consumers,
               [&](unsigned consumer) {
                 const unsigned owner = k_first_consumer + consumer;
                 const unsigned group = group_of(memory, consumer);
                 if (group < memory.geometry.max_groups) {
                   named |= 1ULL << group;
                 } else if (owner != me && wake(memory, owner)) {
                   ++rung;
                 }
               });
  for_each_bit(named, memory.geometry.max_groups, [&](unsigned group) {
    if (wake_one_of_group(memory, group, me)) ++rung;
  });
  // plant: busy_producers_sleep_on
  return rung + wake_producers_at(memory, k_wake_at_claim_end, me);
}

bool wake_one_of_group(const QueueMemory& memory, unsigned group, unsigned me) noexcept {
  // A consumer of a paused group would find nothing and hand the wake on, to each sleeper in turn. resume() wakes them all.
  if (GroupStateWord::of(memory.group(group).state.load_relaxed()).phase == GroupPhase::paused) [[unlikely]]
    return false;
  std::uint64_t sleepers = memory.shared_status().consumer_sleepers.load_relaxed();
  if (me >= k_first_consumer && me != k_no_owner) sleepers &= ~(1ULL << (me - k_first_consumer));
  while (const std::optional<unsigned> consumer = longest_asleep(memory, sleepers, group)) {
    if (wake(memory, k_first_consumer + *consumer)) return true;
    sleepers &= ~(1ULL << *consumer);  // it was up already
  }
  return false;
}

bool needs_watcher(const QueueMemory& memory, unsigned group, unsigned me) noexcept {
  const std::uint64_t due_us = first_due_us(memory, group);
  if (due_us == 0) return false;
  bool watched = false;
  std::uint64_t sleepers = memory.shared_status().consumer_sleepers.load_relaxed();
  for_each_bit(sleepers, memory.geometry.max_consumers, [&](unsigned consumer) {
    const unsigned owner = k_first_consumer + consumer;
    if (owner == me || group_of(memory, consumer) != group) return;
    // AWAKE comes before its check, and our bit before this load: one of the two sees the other.
    if (Wait::of(memory.endpoint(owner).wait.load_acquire()).phase == WaitPhase::awake) return;
    const std::uint64_t watches_us = memory.endpoint(owner).watches_due.load_relaxed();
    // One that should have been up long ago is stopped.
    watched = watched || (watches_us != 0 && watches_us <= due_us && now_us() < watches_us + k_retry_patience_us);
  });
  return !watched;
}

unsigned wake_all_of_group(const QueueMemory& memory, unsigned group) noexcept {
  unsigned rung = 0;
  for_each_bit(memory.shared_status().consumer_sleepers.load_relaxed(), memory.geometry.max_consumers,
               [&](unsigned consumer) {
                 if (group_of(memory, consumer) == group && wake(memory, k_first_consumer + consumer)) ++rung;
               });
  return rung;
}

unsigned wake_for_room(const QueueMemory& memory, Position floor) noexcept {
  unsigned rung = 0;
  for_each_bit(memory.shared_status().producer_sleepers.load_relaxed(), memory.geometry.max_producers,
               [&](unsigned producer) {
                 // Pairs with the release of the bit in arm(): the position was written before.
                 if (distance(floor, wrap(memory.endpoint(producer).wake_past.load_acquire())) <= 0) return;
                 if (wake(memory, producer)) ++rung;
               });
  return rung;
}

unsigned wake_before_voids(const QueueMemory& memory) noexcept {
  std::uint64_t before_voids = 0;
  for_each_bit(memory.shared_status().consumer_sleepers.load_relaxed(), memory.geometry.max_consumers,
               [&](unsigned consumer) {
                 const unsigned group = group_of(memory, consumer);
                 if (group < memory.geometry.max_groups || group >= memory.geometry.groups()) return;
                 const Position floor = wrap(memory.group(group).floor.load_acquire());
                 const SlotState slot = SlotState::of(memory.slot(floor).state.load_acquire());
                 if (slot.position != floor) return;
                 if (slot.phase == SlotPhase::voided || slot.phase == SlotPhase::reclaimed)
                   before_voids |= 1ULL << consumer;
               });
  if (before_voids == 0 || count_parked(memory) >= memory.geometry.slots) return 0;
  unsigned rung = 0;
  for_each_bit(before_voids, memory.geometry.max_consumers,
               [&](unsigned consumer) { rung += wake(memory, k_first_consumer + consumer) ? 1 : 0; });
  return rung;
}

unsigned wake_producers_at(const QueueMemory& memory, std::uint64_t events, unsigned me) noexcept {
  unsigned rung = 0;
  for_each_bit(memory.shared_status().producer_sleepers.load_relaxed(), memory.geometry.max_producers,
               [&](unsigned producer) {
                 if (producer == me || (memory.endpoint(producer).wake_busy.load_relaxed() & events) == 0) return;
                 if (wake(memory, producer)) ++rung;
               });
  return rung;
}

unsigned wake_first_for_room(const QueueMemory& memory, unsigned me) noexcept {
  unsigned first = me;
  std::uint64_t first_ticket = 0;
  const std::uint64_t waiting =
      memory.shared_status().producer_sleepers.load_relaxed() & memory.shared_status().room_line.load_relaxed();
  for_each_bit(waiting, memory.geometry.max_producers, [&](unsigned producer) {
    const std::uint64_t ticket = memory.endpoint(producer).ticket.load_relaxed();
    if (producer == me || (first != me && static_cast<std::int64_t>(ticket - first_ticket) > 0)) return;
    first = producer;
    first_ticket = ticket;
  });
  return first != me && wake(memory, first) ? 1 : 0;
}

std::optional<std::uint64_t> sequences_if_others_sleep(const QueueMemory& memory, unsigned owner) noexcept {
  const bool consumer = owner >= k_first_consumer;
  const unsigned group = consumer ? group_of(memory, owner - k_first_consumer) : 0;
  if (consumer && group >= memory.geometry.max_groups) return 0;
  const unsigned first = consumer ? k_first_consumer : 0;
  const unsigned count = consumer ? memory.geometry.max_consumers : memory.geometry.max_producers;
  std::uint64_t sum = 0;
  for (unsigned other = first; other < first + count; ++other) {
    const Identity identity = Identity::of(memory.endpoint(other).identity.load_relaxed());
    if (other == owner || (identity.flags & k_endpoint_attached) == 0) continue;
    if (consumer && identity.group != group) continue;
    const Wait wait = Wait::of(memory.endpoint(other).wait.load_acquire());
    if (wait.phase != WaitPhase::asleep) return std::nullopt;
    sum += wait.sequence;
  }
  return sum;
}

SleepWord::SleepWord(const QueueMemory& memory, unsigned owner) noexcept
    : memory_(memory), owner_(owner), sequence_(Wait::of(memory.endpoint(owner).wait.load_relaxed()).sequence) {
  set_since(0);
}

Word& SleepWord::sleepers() const noexcept {
  return owner_ < k_first_consumer ? memory_.shared_status().producer_sleepers
                                   : memory_.shared_status().consumer_sleepers;
}

void SleepWord::set_since(std::uint64_t ns) noexcept { memory_.endpoint(owner_).asleep_since_ns.store_relaxed(ns); }

void SleepWord::say_asleep(Position past, std::uint64_t events) noexcept {
  Endpoint& endpoint = memory_.endpoint(owner_);
  endpoint.sleeps_on.store_relaxed(sleeps_on_);
  endpoint.wake_past.store_relaxed(past);
  endpoint.wake_busy.store_relaxed(events);
  endpoint.watches_due.store_relaxed(0);
  ++sequence_;
  endpoint.wait.store_release(asleep());
  armed_ = true;
}

void SleepWord::arm(bool symmetric, Position past, std::uint64_t events) noexcept {
  say_asleep(past, events);
  listed_ = true;
  sleepers().fetch_or(bit());  // a full fence: all that a symmetric publisher needs
  // plant: no_barrier_before_sleep
  if (!symmetric) os::heavy_barrier();
}

void SleepWord::arm_unlisted() noexcept {
  say_asleep(0, 0);
  full_fence();  // pairs with that of rouse_self(), and with the heavy barrier of wake_all_sleepers()
}

void SleepWord::watch(std::uint64_t due_us) noexcept { memory_.endpoint(owner_).watches_due.store_relaxed(due_us); }

bool SleepWord::disarm() noexcept {
  const std::uint64_t before = memory_.endpoint(owner_).wait.exchange(Wait{sequence_, WaitPhase::awake}.word());
  if (listed_) sleepers().fetch_and(~bit());
  armed_ = listed_ = false;
  return Wait::of(before).phase == WaitPhase::signalled;
}

bool SleepWord::called() const noexcept { return armed_ && memory_.endpoint(owner_).wait.load_acquire() != asleep(); }

os::Slept SleepWord::sleep(std::uint64_t until_ns) const noexcept {
  // plant: sleeps_whatever_the_word_says
  return os::sleep_on(memory_.endpoint(owner_).wait, asleep(), until_ns);
}

void SleepWord::rouse_self() const noexcept {
  Word& word = memory_.endpoint(owner_).wait;
  full_fence();  // what the caller has stored, then the load of the word; the sleeper does the reverse
  const std::uint64_t seen = word.load_acquire();
  const Wait wait = Wait::of(seen);
  if (!may_sleep(wait)) return;
  // WAKING and no further: no waker may count on a wake that was for no message.
  word.compare_and_swap(seen, Wait{wait.sequence, WaitPhase::waking}.word());
  os::wake_sleeper(word);
}

}  // namespace beltway::ring
