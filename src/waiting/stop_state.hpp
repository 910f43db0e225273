// What waits know of stop_on(). The stop is requested by a thread, a moment after the signal's handler. A wait that the signal
// has ended must not return in that moment. Otherwise its caller reads the token too early and waits again.
// Thread safety: any thread, and signal handlers.
#pragma once

#include <atomic>

namespace beltway::waiting {

inline std::atomic<bool> stop_is_coming = false;

}  // namespace beltway::waiting
