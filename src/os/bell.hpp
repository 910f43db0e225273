// Ringing bells among strangers. An eventfd's flags and counter belong to all that have it: a process that clears O_NONBLOCK
// and fills the counter between our poll and our write would hold us in write(). The end of an asynchronous operation adds to
// an eventfd without ever waiting, and its watchers get their edge even from a full one. But it costs more. So it is for the
// daemon, and for processes on queues that other users may attach to. Thread safety: any thread.
#pragma once

namespace beltway::os {

/// From now on no ring_bell() of this process waits, whatever peers do. False: this system has no asynchronous I/O for us.
bool ring_without_waiting() noexcept;

}  // namespace beltway::os
