// Leases that end by time: a message of a group with lease_timeout that a consumer holds for longer goes back to the group.
// LEASE_TIMEOUT.md has the protocol.
//
//   lease:   LEASED(p, me, t) by a swap. If `lease_check` says 0: plan_lease_check(now + interval). Once in a tick of the coarse
//            clock: lease time = (now + timeout, lap of p, me, t) by a swap
//   look:    lease_check is due: lease_check = now + interval by a swap; walk over the lease words; give back what is over; give
//            lease time = (now + timeout, lap of p, c, t) by a swap to each lease that has none; lease_check = the earliest end
//            that is left, if that comes before; or 0 and one more walk
//   over:    lease time = (0, lap, c, t) by a swap, so that no extend() succeeds any more; then LEASED(p, c, t) becomes
//            RETRY(p, c, t + 1), and PARKED becomes PARKED_DELAYED
//   extend:  load the lease time; the lease word is mine; lease time = (now + timeout, lap, me, t) by a swap
//
// Only swaps end leases in such a group: the late holder's fails.
//
// Thread safety: the functions may run anywhere. None of them trusts what it reads.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>

#include "ring/queue_memory.hpp"
#include "ring/redelivery.hpp"
#include "ring/tuning.hpp"

namespace beltway::ring {

/// How long leases of the group last, in us; 0: for ever. Cut to k_max_lease_timeout_ms: a peer may have written any number.
[[nodiscard]] constexpr std::uint64_t lease_timeout_us(GroupTimes times) noexcept {
  return std::min<std::uint64_t>(times.lease_timeout_ms, k_max_lease_timeout_ms) * 1000;
}
[[nodiscard]] inline std::uint64_t lease_timeout_us(const QueueMemory& memory, unsigned group) noexcept {
  return lease_timeout_us(GroupTimes::of(memory.group(group).times.load_relaxed()));
}

/// How long after a look the next one comes while messages are held. A lease without a time gets one at the first look that finds
/// it, so it lasts longer than the timeout, by so much at most.
[[nodiscard]] constexpr std::uint64_t look_interval_us(std::uint64_t timeout_us) noexcept {
  return timeout_us / k_looks_a_timeout;
}

/// When a lease ends that gets its time, or is extended, now: by the coarse clock, never too early.
[[nodiscard]] std::uint64_t lease_end_us(std::uint64_t timeout_us) noexcept;

/// The lap that a lease time bears.
[[nodiscard]] inline std::uint16_t lease_lap(const QueueMemory& memory, Position position) noexcept {
  return static_cast<std::uint16_t>(position >> std::countr_zero(memory.geometry.slots)) & LeaseEnd::k_lap_mask;
}

/// True if that time is over. Also for a time that no lease can have: a peer wrote over it.
[[nodiscard]] bool is_over(std::uint64_t due_us, std::uint64_t now_us) noexcept;

/// Makes `due_us` the time at which consumers look for leases that are over, unless they look earlier. True if it was later, or
/// none: then the caller wakes a sleeping consumer, unless one watches.
bool plan_lease_check(const QueueMemory& memory, unsigned group, std::uint64_t due_us) noexcept;

/// Plans the look for the earliest end of a lease, if none is planned in time: for a consumer that is gone and could not do it.
void restore_lease_check(const QueueMemory& memory, unsigned group) noexcept;

/// When time alone gives a consumer of the group something to do: a delayed message is due, or leases may be over. In us; 0:
/// never.
[[nodiscard]] std::uint64_t first_due_us(const QueueMemory& memory, unsigned group) noexcept;
/// True if that time has come. Also for a time that no step can have set: the next try sets it right.
[[nodiscard]] bool has_work_by_time(const QueueMemory& memory, unsigned group, std::uint64_t now_us) noexcept;

/// A lease that a consumer holds.
struct HeldLease {
  Word& word;
  std::uint64_t seen;  // the lease word
  Lease lease;
  Position position;
  std::uint64_t time_word;              // the lease time
  std::optional<std::uint64_t> due_us;  // nothing: the lease has no time, or not yet

  [[nodiscard]] LeaseEnd end() const noexcept { return LeaseEnd::of(time_word); }
};

/// The lease of lease word `index`; nothing if no consumer holds it.
[[nodiscard]] std::optional<HeldLease> held_lease(const QueueMemory& memory, unsigned group,
                                                  std::uint32_t index) noexcept;

/// The lease time of that lease.
[[nodiscard]] inline LeaseEnd end_of(const QueueMemory& memory, Lease lease, Position position,
                                     std::uint64_t due_us) noexcept {
  const auto owner = static_cast<std::uint8_t>(lease.owner | LeaseEnd::k_ends);
  return {due_us, lease_lap(memory, position), owner, lease.tries};
}
/// Before the swap of a lease: clears the lease time of an old lap that would count as the time of `lease`. `time`: that of the
/// position.
inline void forget_end(const QueueMemory& memory, Word& time, Lease lease, Position position) noexcept {
  const std::uint64_t seen = time.load_relaxed();
  // If another consumer leases the message meanwhile, our lease fails, and the word is not what we have seen.
  // plant: end_of_an_old_lap_counts
  if (seen != 0 && LeaseEnd::are_of_one_lease(seen, end_of(memory, lease, position, 0).word())) [[unlikely]]
    time.compare_and_swap(seen, 0);
}
/// Gives a lease without a time one that begins now, and returns its end. Nothing if the lease or its time has changed, or if its
/// consumer may end it by a store.
[[nodiscard]] std::optional<std::uint64_t> give_lease_time(const QueueMemory& memory, unsigned group,
                                                           const HeldLease& held, std::uint64_t timeout_us) noexcept;

/// Says for a consumer that all of its leases are ended by swaps, from now on. Requires that it holds none that may be ended by a
/// store.
void say_swaps(const QueueMemory& memory, unsigned owner) noexcept;

/// Before a lease becomes DELAYED, or PARKED_DELAYED: stores when the message is due. False if the lease word is not that of
/// `lease` any more.
[[nodiscard]] bool store_due_time(const QueueMemory& memory, unsigned group, Lease lease, Position position,
                                  LeaseTime time) noexcept;
/// Right after it: a consumer that looked for leases without a time may have written over the due time in between.
void keep_due_time(const QueueMemory& memory, unsigned group, Position position, LeaseTime time) noexcept;

/// Makes the end of a lease that is over final: no extend() succeeds any more. False if the time has changed.
bool close_lease(const QueueMemory& memory, unsigned group, const HeldLease& held) noexcept;

/// Gives the lease its whole time again, and returns when it ends now: k_no_end_us in a group without lease_timeout. Nothing if
/// the lease word is not that of `lease` any more, or the lease is over.
[[nodiscard]] std::optional<std::uint64_t> extend_lease(const QueueMemory& memory, unsigned group, Lease lease,
                                                        Position position) noexcept;
inline constexpr std::uint64_t k_no_end_us = ~std::uint64_t{0};

/// True if the word of `position` says that `lease` is held, in its place or parked.
[[nodiscard]] bool is_held_as(const QueueMemory& memory, unsigned group, Lease lease, Position position) noexcept;

/// Leases of the group that are over and not given back yet.
[[nodiscard]] std::uint64_t count_overdue(const QueueMemory& memory, unsigned group) noexcept;

}  // namespace beltway::ring
