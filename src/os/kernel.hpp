// What the protocol asks of the kernel: the heavy half of an asymmetric fence, sleeping on a word of shared memory (a futex),
// and ringing a bell (an eventfd). A test that schedules the protocol itself puts its own in their place (see
// BELTWAY_ATOMICS_HEADER in atomics.hpp).
//
// No function here is a cancellation point of POSIX threads: they are called from noexcept functions.
#pragma once

#include <cstdint>

#include "beltway/detail/atomics.hpp"

namespace beltway::os {

/// Registers this process as one whose threads a heavy barrier of others must reach. Once a process; thread-safe.
/// False if the kernel refuses: then the queue needs symmetric fences.
[[nodiscard]] bool register_for_barriers() noexcept;

/// A full memory barrier on every thread of every registered process of the machine
/// (membarrier(2), MEMBARRIER_CMD_GLOBAL_EXPEDITED). About 1 to 7 us. If the kernel refuses, in a sandbox that was closed
/// meanwhile: waits for a millisecond, in which every store becomes visible, and returns false.
bool heavy_barrier() noexcept;

enum class Slept : std::uint8_t {
  woken,        ///< by wake_sleeper(), for no reason, or since the word is not what was expected
  timed_out,    ///< until_ns has come
  interrupted,  ///< a signal handler has run
  refused,      ///< the kernel does not let this process sleep here
};

/// Sleeps as long as the low half of `word` is that of `expected`, at most until CLOCK_MONOTONIC says `until_ns`.
/// Peers may wake it at any time, and may keep wakes from it (FUTEX_REQUEUE): so poll again, and give the sleep an end.
[[nodiscard]] Slept sleep_on(const detail::Word& word, std::uint64_t expected, std::uint64_t until_ns) noexcept;

/// Wakes all threads that sleep on `word`, in any process. Async-signal-safe.
void wake_sleeper(detail::Word& word) noexcept;

/// Adds 1 to an eventfd that carries our mark (see mark.hpp); leaves every other descriptor alone. Does not block, whatever a
/// peer did to its flags and counter: a counter that is full is left alone. Async-signal-safe.
void ring_bell(int eventfd) noexcept;

/// Whether this process has a signal handler that asks for system calls to end (set without SA_RESTART). No call can tell which
/// handler has ended a sleep: a sleep with a time limit ends for any of them.
[[nodiscard]] bool wants_interrupted_calls() noexcept;

/// Sleeps for so long, or shorter.
void nap(std::uint64_t ns) noexcept;
/// Lets others have the processor, if there are any.
void give_way() noexcept;

/// CLOCK_MONOTONIC in nanoseconds, and its coarse form (milliseconds apart, a few ns to read).
[[nodiscard]] std::uint64_t now_ns() noexcept;
[[nodiscard]] std::uint64_t coarse_now_ns() noexcept;

}  // namespace beltway::os
