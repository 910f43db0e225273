// What waits know of stop_on(): between a signal's handler and the stop that a thread requests for it lies a moment, in which a
// wait that the signal has ended must not return yet, or its caller reads the token too early and waits again.
// Thread safety: any thread, and signal handlers.
#pragma once

#include <atomic>

namespace beltway::detail {

inline std::atomic<bool> stop_is_coming = false;

}  // namespace beltway::detail
