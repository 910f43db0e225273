// See lease_timeout.hpp.
#include "ring/lease_timeout.hpp"

#include "os/kernel.hpp"
#include "ring/tuning.hpp"

namespace beltway::ring {

namespace {

/// The latest end of a lease that begins now.
constexpr std::uint64_t k_max_lease_us =
    static_cast<std::uint64_t>(k_max_lease_timeout_ms) * 1000 + k_coarse_tick_us + LeaseEnd::k_unit_us;

[[nodiscard]] bool is_held(LeasePhase phase) noexcept {
  return phase == LeasePhase::leased || phase == LeasePhase::parked;
}

/// Of a word that says 0: never.
[[nodiscard]] bool is_reached(std::uint64_t due_us, std::uint64_t now_us) noexcept {
  return due_us != 0 && is_over(due_us, now_us);
}

/// True if the consumer has said that all of its leases are ended by swaps.
[[nodiscard]] bool says_swaps(const QueueMemory& memory, unsigned owner) noexcept {
  if (owner < k_first_consumer || !memory.is_endpoint(owner)) return false;
  const Endpoint& endpoint = memory.endpoint(owner);
  const Identity identity = Identity::of(endpoint.identity.load_acquire());
  return endpoint.ticket.load_acquire() == swaps_word(identity.incarnation);
}

[[nodiscard]] std::uint64_t planned_us(const QueueMemory& memory, unsigned group) noexcept {
  if (lease_timeout_us(memory, group) == 0) return 0;
  return EarliestDue::of(memory.group(group).lease_check.load_acquire()).due_us;
}

}  // namespace

std::uint64_t lease_end_us(std::uint64_t timeout_us) noexcept {
  const std::uint64_t due_us = os::coarse_now_ns() / 1000 + k_coarse_tick_us + timeout_us;
  // As the lease time will say.
  return (due_us + LeaseEnd::k_unit_us - 1) / LeaseEnd::k_unit_us * LeaseEnd::k_unit_us;
}

bool is_over(std::uint64_t due_us, std::uint64_t now_us) noexcept {
  return due_us <= now_us || due_us - now_us > k_max_lease_us;
}

bool plan_lease_check(const QueueMemory& memory, unsigned group, std::uint64_t due_us) noexcept {
  Word& word = memory.group(group).lease_check;
  for (unsigned attempt = 0; attempt < k_attempts; ++attempt) {
    const std::uint64_t seen = word.load_acquire();
    const EarliestDue before = EarliestDue::of(seen);
    if (before.due_us != 0 && before.due_us <= due_us) return false;
    if (word.compare_and_swap(seen, EarliestDue{due_us, static_cast<std::uint16_t>(before.version + 1)}.word()))
      return true;
  }
  return false;
}

void restore_lease_check(const QueueMemory& memory, unsigned group) noexcept {
  const std::uint64_t timeout_us = lease_timeout_us(memory, group);
  if (timeout_us == 0) return;
  const std::uint64_t next_us = now_us() + look_interval_us(timeout_us);
  std::optional<std::uint64_t> first;
  for (std::uint32_t i = 0; i < memory.geometry.slots; ++i) {
    const std::optional<HeldLease> held = held_lease(memory, group, i);
    if (!held) continue;
    const std::uint64_t due_us = std::max(held->due_us.value_or(next_us), k_at_once_us);
    first = std::min(first.value_or(next_us), due_us);
  }
  if (first) plan_lease_check(memory, group, *first);
}

std::uint64_t first_due_us(const QueueMemory& memory, unsigned group) noexcept {
  const std::uint64_t delayed_us = EarliestDue::of(memory.group(group).earliest_due.load_acquire()).due_us;
  const std::uint64_t check_us = planned_us(memory, group);
  if (delayed_us == 0 || check_us == 0) return delayed_us + check_us;
  return std::min(delayed_us, check_us);
}

bool has_work_by_time(const QueueMemory& memory, unsigned group, std::uint64_t now_us) noexcept {
  const std::uint64_t delayed_us = EarliestDue::of(memory.group(group).earliest_due.load_acquire()).due_us;
  return (delayed_us != 0 && is_due(delayed_us, now_us)) || is_reached(planned_us(memory, group), now_us);
}

std::optional<HeldLease> held_lease(const QueueMemory& memory, unsigned group, std::uint32_t index) noexcept {
  Word& word = memory.lease(group, index);
  // Pairs with the swap of a lease. The consumer stores the lease time after it.
  const std::uint64_t seen = word.load_acquire();
  const Lease lease = Lease::of(seen);
  // The daemon's own leases, in a reset, do not end by time.
  if (!is_held(lease.phase) || lease.owner == k_no_owner) return std::nullopt;
  const Position position = widen<Lease::bits>(lease.position, wrap(memory.group(group).floor.load_acquire()));
  if (&memory.lease(group, position) != &word) return std::nullopt;  // a peer wrote it
  HeldLease held{word, seen, lease, position, memory.lease_time(group, position).load_acquire(), std::nullopt};
  // plant: end_of_another_lease
  const bool is_its_own = LeaseEnd::are_of_one_lease(held.time_word, end_of(memory, lease, position, 0).word());
  if (is_its_own) held.due_us = held.end().due_us;
  return held;
}

std::optional<std::uint64_t> give_lease_time(const QueueMemory& memory, unsigned group, const HeldLease& held,
                                             std::uint64_t timeout_us) noexcept {
  // plant: lease_ended_by_a_store_gets_a_time
  if (!says_swaps(memory, held.lease.owner)) return std::nullopt;
  // The lease time was loaded before: a time of a later lease, or of a delay, is stored after that.
  if (!is_held_as(memory, group, held.lease, held.position)) return std::nullopt;
  const LeaseEnd end = end_of(memory, held.lease, held.position, lease_end_us(timeout_us));
  Word& time = memory.lease_time(group, held.position);
  if (!time.compare_and_swap(held.time_word, end.word())) return std::nullopt;
  // The lease may have become DELAYED in between, with the due time that we have written over.
  // plant: given_time_of_a_delayed_message
  if (!is_held_as(memory, group, held.lease, held.position)) {
    time.compare_and_swap(end.word(), held.time_word);
    return std::nullopt;
  }
  return end.due_us;
}

void say_swaps(const QueueMemory& memory, unsigned owner) noexcept {
  Endpoint& endpoint = memory.endpoint(owner);
  endpoint.ticket.store_release(swaps_word(Identity::of(endpoint.identity.load_acquire()).incarnation));
}

bool store_due_time(const QueueMemory& memory, unsigned group, Lease lease, Position position,
                    LeaseTime time) noexcept {
  Word& word = memory.lease_time(group, position);
  for (unsigned attempt = 0; attempt < k_attempts; ++attempt) {
    const std::uint64_t seen = word.load_acquire();
    // In this order: see extend_lease().
    if (!is_held_as(memory, group, lease, position)) return false;
    if (word.compare_and_swap(seen, time.word())) return true;
  }
  // A peer that writes the word without end must not keep the lease.
  word.store_relaxed(time.word());
  return true;
}

void keep_due_time(const QueueMemory& memory, unsigned group, Position position, LeaseTime time) noexcept {
  Word& word = memory.lease_time(group, position);
  const std::uint64_t seen = word.load_acquire();
  // It fails if the message is leased again by now.
  if (LeaseEnd::of(seen).is_of(time.owner)) word.compare_and_swap(seen, time.word());
}

bool close_lease(const QueueMemory& memory, unsigned group, const HeldLease& held) noexcept {
  LeaseEnd over = held.end();
  over.due_us = 0;
  // If the tries have no end any more, the word may stay as the lease time of a delayed message: then it must say no reason.
  if (over.tries == k_max_tries && held.lease.phase == LeasePhase::parked) over.lap = 0;
  // plant: lease_is_ended_without_its_time
  return memory.lease_time(group, held.position).compare_and_swap(held.time_word, over.word());
}

bool is_held_as(const QueueMemory& memory, unsigned group, Lease lease, Position position) noexcept {
  Lease held = Lease::of(memory.lease(group, position).load_acquire());
  if (held.phase == LeasePhase::parked) held.phase = LeasePhase::leased;
  lease.phase = LeasePhase::leased;
  return held.word() == lease.word();
}

std::optional<std::uint64_t> extend_lease(const QueueMemory& memory, unsigned group, Lease lease,
                                          Position position) noexcept {
  Word& time = memory.lease_time(group, position);
  for (unsigned attempt = 0; attempt < k_attempts; ++attempt) {
    const std::uint64_t seen = time.load_acquire();
    // In this order: while the lease is ours, the time of a later lease comes after the one that we have seen.
    // plant: late_holder_extends
    if (!is_held_as(memory, group, lease, position)) return std::nullopt;
    const std::uint64_t timeout_us = lease_timeout_us(memory, group);
    if (timeout_us == 0) return k_no_end_us;
    const LeaseEnd before = LeaseEnd::of(seen);
    LeaseEnd end = end_of(memory, lease, position, lease_end_us(timeout_us));
    const bool is_ours = LeaseEnd::are_of_one_lease(seen, end.word());
    if (is_ours && before.due_us == 0) return std::nullopt;  // it is being given back
    // Never a shorter time: the option may have changed.
    if (is_ours && !is_over(before.due_us, now_us())) end.due_us = std::max(end.due_us, before.due_us);
    if (time.compare_and_swap(seen, end.word())) return end.due_us;
  }
  return std::nullopt;
}

std::uint64_t count_overdue(const QueueMemory& memory, unsigned group) noexcept {
  if (lease_timeout_us(memory, group) == 0) return 0;
  const std::uint64_t now = now_us();
  std::uint64_t count = 0;
  for (std::uint32_t i = 0; i < memory.geometry.slots; ++i) {
    const std::optional<HeldLease> held = held_lease(memory, group, i);
    count += held && held->due_us && is_over(*held->due_us, now) ? 1 : 0;
  }
  return count;
}

}  // namespace beltway::ring
