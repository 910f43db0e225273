// The keeper: the tiny process that starts the daemon, holds its descriptors while it is dead, and starts it again. To the
// daemon it looks like systemd: it speaks the protocol of store.hpp, and hands over by $LISTEN_FDS (inherit.hpp).
//
// How the daemon ends decides: with code 0 or before it was ever ready, the keeper ends with the same code; with
// k_restart_code (SIGUSR2: a new program file is to be taken) it starts it again at once; with anything else, a signal
// above all, likewise, but ever later if that goes on. What the daemon sent before it died is read before that.
// SIGTERM, SIGINT, SIGHUP and SIGUSR2 are passed on. If the keeper itself is killed, the daemon gets SIGUSR2 from the kernel
// (PR_SET_PDEATHSIG), becomes the keeper of its own descriptors by exec, and starts a daemon: nothing is lost either way.
//
// It has no mapping of a queue, no socket that a client can reach, and does nothing but this, so that it has no reason to die.
// Only datagrams of its child are read (SCM_CREDENTIALS). The store has no poll: nothing is dropped by itself.
// Ownership: the notify socket, the store, the child. Thread safety: a process of its own with one thread.
#pragma once

#include <array>
#include <csignal>
#include <functional>
#include <string>
#include <vector>

namespace beltway::daemon {

/// The daemon's exit code that says "start me again at once".
inline constexpr int k_restart_code = 4;

/// Signals that the keeper passes on to the daemon, except SIGHUP where it is ignored (nohup).
inline constexpr std::array k_passed_on{SIGTERM, SIGINT, SIGHUP, SIGUSR2};

struct KeeperOptions {
  std::string program;                 ///< looked up anew at each start
  std::vector<std::string> arguments;  ///< without the program
  std::function<void()> ready;         ///< called once, when the daemon answers for the first time
};

/// Runs until the daemon ends for good; returns the exit code. Takes over what was inherited ($LISTEN_FDS). Blocks signals
/// and reaps this process's children: for main. Throws Error(system, limit_reached) before the first start.
int run_keeper(const KeeperOptions& options);

/// A daemon is started with the signals that are passed on blocked, so that none kills it before it listens to them. Now it
/// does.
void hear_signals() noexcept;

/// Replaces this process by `program` with `arguments`, or, if that file is gone, by its own program file, deleted as it may
/// be. Returns if neither works.
void replace_process(const std::string& program, const std::vector<std::string>& arguments) noexcept;

}  // namespace beltway::daemon
