// The signals of both processes, supervisor and daemon, and what becomes of those that were ignored when the program was started.
//
//   signal            effect                                              ignored at the start
//   SIGTERM           ends both; all queues are removed                   heard all the same
//   SIGINT, SIGHUP    as SIGTERM                                          stays ignored (nohup, `beltwayd &` in a script)
//   SIGUSR2           starts the daemon anew, from the program file       heard all the same
//   SIGCHLD           the supervisor reaps the daemon                         heard all the same
//   SIGPIPE, SIGXFSZ  ignored: the write fails, and the caller copes      -
//
// settle() and leave_callers_world() set these dispositions (surroundings.hpp): a start in the background hears SIGINT, too.
// Thread safety: none; a process's start, with one thread.
#pragma once

#include <vector>

namespace beltway::daemon {

/// The signals that end or restart: SIGTERM, SIGUSR2, and of SIGINT and SIGHUP those that are not ignored.
[[nodiscard]] std::vector<int> heard_signals();

/// Blocks heard_signals(): they wait until hear_signals().
void block_signals() noexcept;

/// A daemon is started with heard_signals() blocked, so that none kills it before it listens to them. Call this when it does.
void hear_signals() noexcept;

}  // namespace beltway::daemon
