// How much memory this process may still fill. Probed before shared memory is filled, because a cgroup at its limit
// does not make fallocate fail: it kills.
//
// It is a probe, not a reservation. So memory is filled in steps, small enough for as many processes as may fill at once
// (fill_step_bytes). The daemon tells what it has promised to others (`promised`).
// Thread safety: all functions, from any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "beltway/limits.hpp"

namespace beltway::os {

/// Where the kernel's files are; tests forge them.
struct MemorySources {
  std::filesystem::path proc = "/proc";
  std::filesystem::path cgroups = "/sys/fs/cgroup";
};

/// The least of MemAvailable and of what each memory cgroup leaves, from ours up to the root. A cgroup leaves limit - use +
/// file pages that the kernel can drop; cgroup v2 (memory.max, memory.high) and v1. UINT64_MAX if nothing could be read.
[[nodiscard]] std::uint64_t available_memory_bytes(const MemorySources& sources = {});

enum class MemoryFit : std::uint8_t {
  fits,
  promised,  ///< only without what is promised to others: wait until they have it
  too_little,
};
/// Whether `bytes`, what is `promised` to others and a reserve for all other processes are available.
[[nodiscard]] MemoryFit memory_fit(std::uint64_t bytes, std::uint64_t promised, const MemorySources& sources = {});

/// Throws Error(limit_reached) unless MemoryFit::fits. `context`: operation and object.
void require_memory(std::uint64_t bytes, const std::string& context, std::uint64_t promised = 0,
                    const MemorySources& sources = {});

/// How much may be filled now of `missing` bytes before the next probe: so little that the limit holds although as many as
/// a queue has places for producers do the same at the same moment. A multiple of 4096 unless it is all.
/// Throws Error(limit_reached) if what is missing is not available.
[[nodiscard]] std::uint64_t fill_step_bytes(std::uint64_t missing, const std::string& context,
                                            const MemorySources& sources = {});

/// What must remain: room for page tables, stacks and the next allocation of everything else in the cgroup.
inline constexpr std::uint64_t k_memory_reserve_bytes = 4ULL << 20;

/// The shortest step: one for each place of a producer is the reserve.
inline constexpr std::uint64_t k_shortest_fill_step_bytes = k_memory_reserve_bytes / k_max_producers;

}  // namespace beltway::os
