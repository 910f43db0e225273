// Going into the background: for a client that starts its user's daemon, and for people at a shell.
#pragma once

#include <functional>

namespace beltway::daemon {

/// Forks. The child leads a session of its own, has no terminal, and runs `run(ready)`, which calls `ready` when the daemon
/// listens. The parent returns 0 as soon as that is so, else the child's exit code. Before any other thread is started.
int run_in_background(const std::function<int(const std::function<void()>& ready)>& run);

/// Reads from and writes to nothing from now on, except a log that goes to a standard error that is no terminal. Not before
/// the daemon is ready: what goes wrong until then is told where the caller sees it. `log_is_elsewhere`: standard error is not
/// needed.
void leave_terminal(bool log_is_elsewhere);

}  // namespace beltway::daemon
