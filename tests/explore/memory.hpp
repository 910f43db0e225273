// The memory that actors share under the explorer, and every access to it. What the ring's own code sees of the explorer.
//
// Thread safety: all of one thread. Outside an execution, and in its setup and check, accesses are plain and immediate.
#pragma once

#include <cstddef>
#include <cstdint>

namespace beltway::explore {

enum class Change : std::uint8_t { set, bit_or, bit_and, add };

[[nodiscard]] std::uint64_t load(const std::uint64_t& word) noexcept;
/// `release`: later than all stores before it, on machines that keep no more order than they must.
void store(std::uint64_t& word, std::uint64_t value, bool release) noexcept;
bool compare_and_swap(std::uint64_t& word, std::uint64_t expected, std::uint64_t desired) noexcept;
/// Two words side by side, both or none.
bool compare_and_swap_pair(std::uint64_t& first, std::uint64_t expected_a, std::uint64_t expected_b, std::uint64_t a,
                           std::uint64_t b) noexcept;
std::uint64_t modify(std::uint64_t& word, Change change, std::uint64_t operand) noexcept;
void full_fence() noexcept;
void release_fence() noexcept;
/// Word by word; sizes and places are multiples of 8 in these programs.
void copy_racing(std::byte* to, const std::byte* from, std::size_t size) noexcept;
/// Until this actor writes, or looks at the clock, its looks are one step: they can see nothing new.
void cpu_relax() noexcept;

/// The stores of all actors are visible.
void heavy_barrier() noexcept;
/// A futex: if `word` is `expected`, blocks the actor until somebody wakes sleepers of the word. False if the deadline came
/// first; `patience_ns` of a second or more never ends.
[[nodiscard]] bool sleep_on(const std::uint64_t& word, std::uint64_t expected, std::uint64_t patience_ns) noexcept;
void wake_sleeper(const std::uint64_t& word) noexcept;
/// An edge for every event set that listens to the bell.
void ring_bell(int bell) noexcept;
struct Edges {
  bool bell = false;
  bool self = false;
};
/// A new event set of this execution that listens to `bell`, by its number.
[[nodiscard]] int add_event_set(int bell) noexcept;
[[nodiscard]] Edges take_edges(int set) noexcept;
void ring_event_set(int set) noexcept;
/// Blocks the actor until the set has an edge: what an event loop does.
void wait_readable(int set) noexcept;
[[nodiscard]] std::uint64_t now_ns() noexcept;
void pass_time(std::uint64_t ns) noexcept;

inline constexpr std::size_t k_shared_bytes = 64 * 1024;
/// Only what lies in here is shared; page-aligned.
[[nodiscard]] std::byte* shared_memory() noexcept;
/// Words of shared memory that no protocol depends on (counters): accesses are immediate and no step.
void set_quiet(const void* begin, std::size_t size, bool quiet) noexcept;

}  // namespace beltway::explore
