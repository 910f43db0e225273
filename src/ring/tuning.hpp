// All tuning constants of the library's inner loops, each with what it trades. bench/TUNING.md says why each has its value. The
// three that inline code needs are in detail/inline_tuning.hpp.
#pragma once

#include <cstddef>
#include <cstdint>

#include "beltway/detail/inline_tuning.hpp"

namespace beltway::ring {

/// Turns of a loop that only a peer's write can prolong. The caller then says busy or empty, and checks its deadline: patience
/// against a deadline that is seen late.
inline constexpr unsigned k_attempts = 256;

// -- write side -------------------------------------------------------------------------------------------------

/// Positions. One prefetch a claim against a locked swap that waits for the line of the slot before.
inline constexpr std::uint64_t k_slot_prefetch_distance = 4;
/// Records. One prefetch a mark against a locked swap that waits for the slot's line.
inline constexpr std::uint64_t k_reclaim_prefetch_distance = 8;
/// Records. How long one loan may take, against how soon lane memory comes back.
inline constexpr std::uint64_t k_max_reclaimed_per_loan = 128;
/// Records. Memory of each producer against allocations while its loans grow.
inline constexpr std::uint64_t k_first_records = 64;
/// Polls. How soon a spinning producer sees acknowledgements that no floor has passed, against taking their lines from
/// consumers that are about to move the floor themselves: see k_ack_lag.
inline constexpr unsigned k_polls_per_ack_scan = 32;
/// How long a free slot is left to the first producer of the line, against the room that a stopped one wastes. Many times what
/// a wake takes.
inline constexpr std::uint64_t k_turn_ns = 5'000'000;
/// A waiting producer asks for what comes free in this time: fewer wakes against its latency.
inline constexpr std::uint64_t k_room_interval_ns = 200'000;
/// A producer that sleeps for several slots tries again after this long, once: a second try against waiting for a pace that the
/// ring has lost. Many intervals, so that it does not happen to a ring that keeps its pace.
inline constexpr std::uint64_t k_pace_holds_ns = 10 * k_room_interval_ns;
/// A message that is held for less than this holds the ring, while the group has other work: parked slots against waits of
/// producers for a job that is almost done.
inline constexpr std::uint64_t k_park_patience_ns = 1'000'000;
/// Positions from a floor on, or a quarter of the ring if that is more: if none of their messages waits for a consumer, what
/// holds the floor has lasted while many others were done, and is parked at once.
inline constexpr std::uint32_t k_park_window = 16;
/// A consumer parks before the ring is full only in rings of so many slots: its acks are k_park_window past the floor then.
inline constexpr std::uint32_t k_least_slots_to_park_early = 2 * k_park_window;
/// In a lap of the ring. How soon a consumer sees that a ring with a held message is nearly full, against looks at a slot that a
/// producer writes.
inline constexpr std::uint32_t k_looks_to_park = 16;

// -- read side --------------------------------------------------------------------------------------------------

/// Positions that a private floor may be stored late while the next message is ready: stores against room seen late.
inline constexpr std::uint64_t k_floor_store_lag = 16;
/// Acknowledgements that a group's floor may be behind: scans of lease words against producers that scan them themselves.
inline constexpr std::uint32_t k_ack_lag = 256;
/// Positions without a message for it that a consumer passes in its fast path: the walk from `next` costs it more, but sees what
/// other consumers did.
inline constexpr unsigned k_passed_at_once = 4;
/// Leases that `next` may be behind: swaps of `next` against positions that other consumers walk over uselessly.
inline constexpr std::int64_t k_next_lag = 8;
/// Messages leased at once: stack of the receiving call against swaps of `next`. A longer batch takes several turns.
inline constexpr std::size_t k_lease_batch = 64;
/// A delayed message that is overdue by so long goes before READY ones, in turn with them: patience of the messages that failed
/// against the order of those that did not.
inline constexpr std::uint64_t k_retry_patience_us = 10'000;
/// Due messages that one scan of the lease words finds at most: memory of each consumer against scans of the whole ring.
inline constexpr std::size_t k_due_batch = 32;
/// Messages that a consumer has leased and must not deliver, before it ends them: memory of each consumer against walks that end
/// early.
inline constexpr std::size_t k_put_aside_batch = 16;
/// How often consumers look for leases that are over while messages are held, in a lease_timeout: leases that end late against
/// scans of the lease words and wakes of a sleeper.
inline constexpr std::uint64_t k_looks_a_timeout = 8;
/// Leases between two reads of the coarse clock, at most, by a consumer that is never idle and leases many in a tick of that
/// clock: a look that comes late against the read.
inline constexpr unsigned k_leases_per_clock_read = 16;
/// What the coarse clock may be late by, on the slowest kernel: leases that end late against the cost of an exact clock.
inline constexpr std::uint64_t k_coarse_tick_us = 10'000;
/// How long a message waits that could not be moved to the dead letter queue: the first wait, doubled up to the last. Tries that
/// fail against dead letters that come late.
inline constexpr std::uint64_t k_dead_letter_retry_us = 100'000;
inline constexpr std::uint64_t k_dead_letter_retry_max_us = 1'000'000;
/// How often a consumer without a way to its dead letter queue asks the daemon for one, and how long it waits for the answer: the
/// thread that ends a message waits for it.
inline constexpr std::uint64_t k_dead_letter_open_us = 1'000'000;
inline constexpr std::uint64_t k_dead_letter_patience_us = 250'000;
/// How often a read skips a ring full of VOIDs, or loses a race, before it returns empty: patience against the deadline.
inline constexpr unsigned k_max_reads = 64;

// -- waiting ----------------------------------------------------------------------------------------------------

/// Polls of the next position alone, before a wait with clock and counters begins: latency against the start of that wait.
inline constexpr unsigned k_early_polls = 192;
/// Pauses before a spinning wait reads the clock for the first time: clock reads against a deadline that is noticed late.
inline constexpr unsigned k_pauses_before_clock = 256;
/// Pauses between two reads of the clock: the same trade.
inline constexpr unsigned k_pauses_per_clock_read = 64;
/// Pauses of a producer between two polls, at most: latency against taking the floors' lines from consumers that make room.
inline constexpr unsigned k_producer_pauses = 64;
/// Adaptive spinning: the first, the longest and the shortest spin (a shorter one is none): processor time against latency.
inline constexpr std::uint64_t k_first_budget_ns = 20'000;
inline constexpr std::uint64_t k_max_budget_ns = 50'000;
inline constexpr std::uint64_t k_min_budget_ns = 1'000;
/// A wait that slept, but took no longer than this, would have ended while spinning: its time contains the cost of the wake.
inline constexpr std::uint64_t k_short_wait_ns = 80'000;
/// Two reads of the clock farther apart mean that another thread had the processor: yields too many against yields too few.
inline constexpr std::uint64_t k_preempted_ns = 50'000;
/// How long a spinner yields after that: its latency against that of the other thread.
inline constexpr std::uint64_t k_yielding_ns = 100'000'000;
/// A sleeper polls again after this time even if no wake came: polls of an idle endpoint against the harm of a lost wake.
inline constexpr std::uint64_t k_last_resort_ns = 1'000'000'000;
/// Wakes for nothing in a row, each sooner than this on average, before a sleeper stops listening for a nap: a peer that
/// scribbles on wait words must not keep the processor busy, and true wakes are seen late by a nap.
inline constexpr unsigned k_false_alarms = 256;
inline constexpr std::uint64_t k_false_alarm_ns = 10'000;
inline constexpr std::uint64_t k_nap_ns = 1'000'000;
/// Naps in which a wait that a signal has ended expects the stop request that comes with the signal. A thread requests the stop
/// in less than one nap, unless it gets no processor.
inline constexpr unsigned k_stop_naps = 100;
/// Naps in which a sleeper that found a message by itself expects the wake for it, before it counts a lost wake: a wait that is
/// longer against a count that is too high. A waker needs longer only if it gets no processor.
inline constexpr unsigned k_late_waker_naps = 50;
/// A nap while another thread is inside a few instructions: its processor time against our latency. A nap and not a yield: that
/// thread may have a lower priority.
inline constexpr std::uint64_t k_short_nap_ns = 10'000;

/// Spin back-off: a shorter pause brings less throughput, a longer one more latency. A time, and a part of the free room.
struct BackoffLimit {
  std::uint64_t max_ns;
  std::uint64_t part_of_room;
};
inline constexpr BackoffLimit k_backoff_one_by_one = {.max_ns = 10'000, .part_of_room = 4};
inline constexpr BackoffLimit k_backoff_in_batches = {.max_ns = 30'000, .part_of_room = 2};
/// Bytes a message, on average, below which a consumer never backs off: small messages stream well without.
inline constexpr std::uint64_t k_backoff_min_bytes = 48;
/// A message of a stream takes less time than this and its bytes at this rate; a round trip takes more.
inline constexpr std::uint64_t k_stream_base_ns = 128;
inline constexpr std::uint64_t k_stream_bytes_per_ns = 4;
/// Fast waits in a row that make a stream: false alarms against streams recognised late.
inline constexpr std::uint64_t k_stream_waits = 16;
/// Useless pauses in a row that still double the waits until the next: false alarms against streams recognised late.
inline constexpr unsigned k_max_useless_streak = 12;
/// Waits between two trials of a stream that is too slow to be recognised, at first and at most: useless pauses against streams
/// recognised late.
inline constexpr std::uint64_t k_first_trial_gap = 1 << 10;
inline constexpr std::uint64_t k_max_trial_gap = 1 << 16;

}  // namespace beltway::ring
