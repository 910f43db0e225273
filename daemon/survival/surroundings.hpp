// What a process inherits from its starter, and what the daemon keeps of that.
//
// Every start of beltwayd (settle): descriptors 0 to 2 are open, the file mode mask is 022, and no timer runs. Of the inherited
// dispositions only an ignored SIGHUP (nohup) and an ignored SIGINT (`beltwayd &` in a script) stay: see signals.hpp. SIGPIPE
// and SIGXFSZ are ignored: a write that fails says so.
//
// A start in the background (leave_callers_world) hears SIGINT in any case, and drops what belongs to the caller. A daemon that
// a first client starts serves all programs of its user. Reset are: scheduling class, niceness and I/O priority, the processor
// mask, timer slack, the memory policy, the OOM score, ambient capabilities, the session keyring, the personality, the working
// directory, descriptors from 3 on, and the environment but for k_kept_variables. Soft limits go up to the hard ones (stack:
// 8 MiB, core files: none).
// What needs a right that the process does not have stays as it is: a better niceness, a lower OOM score.
//
// What no process can reset for itself: the cgroup, namespaces, hard limits, no_new_privs, seccomp filters, the capability
// bounding set and securebits. Where these matter, a service manager must start the daemon: see the units in this folder.
//
// A start in the foreground keeps the limits and the environment of the operator who asked for it.
// Thread safety: the process has one thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace beltway::daemon {

/// Variables of the environment that a background start keeps: where the user's files are, where libraries are, and what builds
/// with instrumentation read.
inline constexpr std::array k_kept_variables{
    "BELTWAY_SOCKET", "HOME",         "XDG_RUNTIME_DIR", "LD_LIBRARY_PATH", "ASAN_OPTIONS",
    "LSAN_OPTIONS",   "TSAN_OPTIONS", "UBSAN_OPTIONS",   "GCOV_PREFIX",     "GCOV_PREFIX_STRIP"};

/// For every start. Signals that the supervisor holds back for the daemon stay blocked (see hear_signals).
void settle() noexcept;

/// For a start in the background. What cannot be reset is left. The new program file of exec_file() sees the rest of it:
/// personality and environment take effect there.
void leave_callers_world() noexcept;

/// The first limit that is too low for a daemon that promises `bytes_per_user`, as a sentence with its remedy. Nothing if all
/// are high enough. Checks hard limits: see leave_callers_world().
[[nodiscard]] std::optional<std::string> limit_too_low(std::uint64_t bytes_per_user);

/// True if the signal is ignored by this process.
[[nodiscard]] bool is_ignored(int signal) noexcept;

}  // namespace beltway::daemon
