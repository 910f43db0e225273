// What is wrong with the machine, the daemon's surroundings and the processes that use it: calls of the kernel that are
// refused, memory and descriptors that run out, sockets that others can reach, two daemons, queues of another version.
//
// It costs system calls for each process that is attached: MachineLooks makes these looks now and then, not for each sample.
// Thread safety: functions of their arguments and of the machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "os/memory_probe.hpp"
#include "watch/model.hpp"

namespace beltway::watch {

/// Where the machine is read; tests forge it.
struct MachineSources {
  os::MemorySources memory = {};
  std::filesystem::path proc = "/proc";
  /// Directories of this user's daemons.
  std::vector<std::filesystem::path> socket_directories = {};
  /// The error numbers of the calls that Beltway needs; 0: the call works.
  int membarrier_error = 0;
  int memfd_error = 0;
  int futex_error = 0;
};

/// This machine.
[[nodiscard]] MachineSources this_machine();

/// Below this much available memory the machine is told to be short of it: some default queues need it (their segments and
/// lanes), and so do all other programs.
inline constexpr std::uint64_t k_low_memory_bytes = 64ULL << 20;
/// A quota or limit is told when this part of it is used: the tenth that is left is the time to act.
inline constexpr double k_near_limit = 0.9;
/// Processes whose descriptors are counted: more would take the doctor longer than the queues.
inline constexpr std::size_t k_max_counted_processes = 1024;

/// Refused calls, low memory, unsafe socket directories.
[[nodiscard]] std::vector<Verdict> machine_verdicts(const MachineSources& sources);

/// Two daemons of one user, queues of another version, a newer program that does not run, quotas.
[[nodiscard]] std::vector<Verdict> daemon_verdicts(const Fleet& fleet);

/// What gives back memory and a place of the quota, and hurts nobody: the largest queue that is empty and unused goes. Empty:
/// there is none.
[[nodiscard]] std::vector<Remedy> remedies_by_removal(const Fleet& fleet);

/// Processes that have nearly used up their descriptors: the daemon and all that are attached, as far as the caller may see.
[[nodiscard]] std::vector<Verdict> descriptor_verdicts(const Fleet& fleet, const std::filesystem::path& proc = "/proc");

/// How many descriptors a process may have and has. Nothing: it is gone, or of another user.
struct DescriptorUse {
  std::uint64_t used = 0;
  std::uint64_t soft_limit = 0;
  std::uint64_t hard_limit = 0;
};
[[nodiscard]] std::optional<DescriptorUse> descriptor_use(int pid, const std::filesystem::path& proc = "/proc");

}  // namespace beltway::watch
