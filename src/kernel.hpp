// What the protocol asks of the kernel: the heavy half of an asymmetric fence, and ringing a bell (an eventfd). A test
// that schedules the protocol itself puts its own in their place (see BELTWAY_ATOMICS_HEADER in atomics.hpp).
#pragma once

#include <cstdint>

namespace beltway::kernel {

/// Registers this process as one whose threads a heavy barrier of others must reach. Once a process; thread-safe.
/// False if the kernel refuses: then the queue needs symmetric fences.
[[nodiscard]] bool register_for_barriers() noexcept;

/// A full memory barrier on every thread of every registered process of the machine
/// (membarrier(2), MEMBARRIER_CMD_GLOBAL_EXPEDITED). About 1 to 7 us. False if the kernel refuses.
bool heavy_barrier() noexcept;

/// Adds 1 to an eventfd. Does not block, whatever a peer did to its flags and counter: a counter that is full is left alone.
void ring_bell(int eventfd) noexcept;

/// CLOCK_MONOTONIC in nanoseconds, and its coarse form (milliseconds apart, a few ns to read).
[[nodiscard]] std::uint64_t now_ns() noexcept;
[[nodiscard]] std::uint64_t coarse_now_ns() noexcept;

}  // namespace beltway::kernel
