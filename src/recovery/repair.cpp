// See repair.hpp.
#include "recovery/repair.hpp"

#include "ring/counters.hpp"
#include "ring/floors.hpp"
#include "ring/groups.hpp"
#include "ring/parking.hpp"
#include "ring/readers/named_reader.hpp"
#include "ring/wake.hpp"

namespace beltway::recovery {

namespace {

/// Slots that refer to the owner's lane and that no group needs become RECLAIMED. So the next producer at this place need
/// not know of them.
void mark_lane_references(const ring::QueueMemory& memory, unsigned owner) noexcept {
  const ring::Position lowest = ring::lowest_floor(memory, ring::load_tail(memory));
  for (std::uint32_t i = 0; i < memory.geometry.slots; ++i) {
    detail::Word& state = memory.slot(i).state;
    const std::uint64_t seen = state.load_acquire();
    const ring::SlotState slot = ring::SlotState::of(seen);
    if (slot.owner == owner && slot.phase == ring::SlotPhase::ready && ring::distance(slot.position, lowest) < 0 &&
        (ring::SlotMeta::of(memory.slot(i).meta.load_relaxed()).flags & ring::k_flag_lane) != 0 &&
        !ring::is_position_parked(memory, slot.position)) {
      state.compare_and_swap(seen, ring::SlotState{slot.position, slot.owner, ring::SlotPhase::reclaimed}.word());
    }
  }
}

void drop_sleeper(const ring::QueueMemory& memory, unsigned owner) noexcept {
  ring::SharedStatus& shared_status = memory.shared_status();
  detail::Word& sleepers =
      owner < ring::k_first_consumer ? shared_status.producer_sleepers : shared_status.consumer_sleepers;
  sleepers.fetch_and(~(1ULL << (owner & 63U)));
  if (owner < ring::k_first_consumer) {
    // plant: repair_leaves_the_ticket
    shared_status.room_line.fetch_and(~(1ULL << owner));
    memory.endpoint(owner).ticket.store_relaxed(0);
  }
  detail::Word& wait = memory.endpoint(owner).wait;
  wait.store_release(ring::Wait{ring::Wait::of(wait.load_relaxed()).sequence + 1, ring::WaitPhase::awake}.word());
  memory.endpoint(owner).asleep_since_ns.store_relaxed(0);
}

/// Adds the endpoint's counters to the queue's totals. Each counter is cleared before it is added. So a daemon that dies in
/// between loses a count, and counts none twice.
void sum_counters(const ring::QueueMemory& memory, unsigned owner, const HealCounts& counts) noexcept {
  const auto take = [&](std::size_t i) { return memory.endpoint(owner).counters[i].exchange(0); };
  QueueTotals totals = ring::load_counters<QueueTotals>(memory.shared_status().totals);
  detail::Word* const words = memory.endpoint(owner).counters;
  if (owner < ring::k_first_consumer) {
    const auto last = ring::load_producer_counters(memory, owner);
    for (std::size_t i = 0; i < ring::k_producer_counters; ++i) take(i);
    ring::reset_published(memory);
    totals.messages_in += last.messages;
    totals.bytes_in += last.bytes;
    totals.refused += last.refused;
    totals.wakes += last.wakes;
    totals.sleeps += last.sleeps;
  } else {
    const auto last = ring::load_counters<ConsumerCounters>(words);
    for (std::size_t i = 0; i < ring::k_consumer_counters; ++i) take(i);
    totals.messages_out += last.messages;
    totals.bytes_out += last.bytes;
    totals.lost += last.lost;
    totals.redelivered += last.redelivered;
    totals.discarded += last.discarded;
    totals.expired += last.expired;
    totals.dead_lettered += last.dead_lettered;
    totals.timed_out += last.timed_out;
    totals.wakes += last.wakes;
    totals.sleeps += last.sleeps;
  }
  ++totals.repairs;
  totals.voided += counts.claims + counts.holes;
  totals.released += counts.released;
  ring::store_counters(memory.shared_status().totals, totals);
}

/// True if `owner` held the message of this lease word, and it waits for another consumer now.
bool release_lease(const ring::QueueMemory& memory, unsigned group, detail::Word& word, unsigned owner) noexcept {
  // A producer may park the message meanwhile, and then the next attempt finds it.
  // plant: message_parked_in_an_eviction_is_kept
  const unsigned attempts = ring::k_attempts;
  for (unsigned attempt = 0; attempt < attempts; ++attempt) {
    const std::uint64_t seen = word.load_acquire();
    ring::Lease lease = ring::Lease::of(seen);
    if (lease.owner != owner) return false;
    // plant: eviction_leaves_parked_leases
    if (lease.phase == ring::LeasePhase::parked && ring::give_back_parked(memory, group, word, seen)) return true;
    if (lease.phase != ring::LeasePhase::leased) {
      if (lease.phase == ring::LeasePhase::parked) continue;
      return false;
    }
    lease.phase = ring::LeasePhase::retry;
    if (lease.tries < k_max_tries) ++lease.tries;
    if (word.compare_and_swap(seen, lease.word())) return true;
  }
  return false;
}

}  // namespace

std::uint64_t release_leases(const ring::QueueMemory& memory, unsigned group, unsigned owner) noexcept {
  std::uint64_t released = 0;
  for (std::uint32_t i = 0; i < memory.geometry.slots; ++i) {
    if (release_lease(memory, group, memory.lease(group, i), owner)) ++released;
  }
  return released;
}

HealCounts repair(const ring::QueueMemory& memory, unsigned owner, const Living& living) noexcept {
  // First: that it slept when it died is no disorder.
  // plant: repair_leaves_the_sleeper
  drop_sleeper(memory, owner);
  const HealCounts counts = heal(memory, living);
  if (owner < ring::k_first_consumer) {
    mark_lane_references(memory, owner);
  } else {
    // Private groups lie behind the named ones, one for each consumer index.
    // plant: repair_leaves_the_private_group
    ring::free_group(memory, memory.geometry.max_groups + owner - ring::k_first_consumer);
  }
  for (unsigned group = 0; group < memory.geometry.max_groups; ++group) {
    if (!ring::GroupStateWord::of(memory.group(group).state.load_acquire()).blocks_producers()) continue;
    // Always: the dead endpoint may have been in the middle of a nack. Then its message is given back,
    // but `next` is not set back.
    // plant: next_stays_after_death
    ring::set_next_back(memory, group, ring::wrap(memory.group(group).floor.load_acquire()));
    ring::help_floor(memory, group);
    ring::try_drain(memory, group);
  }
  sum_counters(memory, owner, counts);
  // plant: no_kick_after_death
  ring::wake_all_sleepers(memory);
  return counts;
}

}  // namespace beltway::recovery
