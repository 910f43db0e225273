// Going into the background: for a client that starts its user's daemon, and for people at a shell.
#pragma once

#include <functional>

namespace beltway::daemon {

/// Forks. The child leads a session of its own, has no terminal, and runs `run(ready)`, which calls `ready` when the daemon
/// listens. The parent returns 0 as soon as that is so, else the child's exit code. Before any other thread is started.
int run_in_background(const std::function<int(const std::function<void()>& ready)>& run);

/// Closes the terminal: from now on the process reads nothing, and writes only a log that goes to a standard error that is no
/// terminal. Call it when the daemon is ready: earlier errors must reach the caller. `log_is_elsewhere`: the log does not need
/// standard error.
void leave_terminal(bool log_is_elsewhere);

}  // namespace beltway::daemon
