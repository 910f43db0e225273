// The supervisor: the tiny process that starts the daemon, holds its descriptors while it is dead, and starts it again. To the
// daemon it works like systemd: it speaks the protocol of descriptor_store.hpp, and hands over by $LISTEN_FDS (inherit.hpp).
//
// How the daemon ends decides:
//   how it ended                        what the supervisor does
//   code 0, it was ready                ends with code 0: the daemon was told to end
//   any code, none was ever ready       ends with the same code: the daemon has said why on standard error
//   a signal, none was ever ready       tries again, k_max_failed_starts times in all; then says so and ends with code 1
//   k_restart_code                      starts the program file at once (SIGUSR2: there may be a new one)
//   anything else                       starts the program file again: at once, then ever later, 2 s at most
//   k_max_failed_starts in a row        runs the stored program (stored_program.hpp) until the program file is another one or
//   were not ready                      SIGUSR2 comes
//   not ready for k_max_start_s         kills it: it has failed
// What the daemon sent before it died is read before that. A program file that cannot be executed is passed over for the
// stored program, or else for the supervisor's own.
//
// SIGTERM, SIGINT, SIGHUP and SIGUSR2 are passed on (signals.hpp). If the supervisor itself is killed, the daemon gets SIGUSR2
// from the kernel (PR_SET_PDEATHSIG), becomes the supervisor of its own descriptors by exec, and starts a daemon: nothing is
// lost either way. The supervisor itself is never replaced by a new program while it holds a store: all queues would end with a
// program that does not run. Its protocol is sd_notify's, so that a supervisor and a daemon of different versions understand
// each other.
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

#include "beltway/limits.hpp"

namespace beltway::daemon {

/// The daemon's exit code that says "start me again at once".
inline constexpr int k_restart_code = 4;

/// The option by which a supervisor that has queues of a later version than 0.1 asks a program whether it understands the
/// store. A program that does not know the option ends at once, and touches nothing.
inline constexpr const char* k_store_format_option = "--store-format";
inline constexpr int k_store_format = 2;

struct SupervisorOptions {
  std::string program;                   ///< opened anew at each start
  std::vector<std::string> arguments;    ///< without the program
  std::function<void()> ready;           ///< called once, when the daemon answers for the first time
  unsigned max_start_s = k_max_start_s;  ///< then a daemon that is not ready is killed; also one that does not end
};

/// Runs until the daemon ends for good; returns the exit code. Takes over what was inherited ($LISTEN_FDS). Blocks signals
/// and reaps this process's children: for main. Throws Error(system, limit_reached) before the first start.
int run_supervisor(const SupervisorOptions& options);

}  // namespace beltway::daemon
