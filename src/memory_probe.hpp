// How much memory this process may still fill. Looked at before shared memory is filled, because a cgroup at its limit
// does not make fallocate fail: it kills.
//
// It is a look, not a reservation: two processes that fill at the same moment can both be told yes.
// Thread safety: all functions, from any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace beltway {

/// Where the kernel's files are; tests forge them.
struct MemorySources {
  std::filesystem::path proc = "/proc";
  std::filesystem::path cgroups = "/sys/fs/cgroup";
};

/// The least of MemAvailable and of what each memory cgroup from ours up to the root leaves (limit - use + file pages
/// that the kernel can drop); cgroup v2 and v1. UINT64_MAX if nothing could be read.
[[nodiscard]] std::uint64_t available_memory_bytes(const MemorySources& sources = {});

/// Throws Error(limit_reached) if `bytes` and a reserve for everybody else are not available. `what`: operation and object.
void require_memory(std::uint64_t bytes, const std::string& what, const MemorySources& sources = {});

/// What must remain: room for page tables, stacks and the next allocation of everything else in the cgroup.
inline constexpr std::uint64_t k_memory_reserve_bytes = 4ULL << 20;

}  // namespace beltway
