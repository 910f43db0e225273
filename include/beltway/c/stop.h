// The C API: ending waits, by a request or by a signal. See beltway.h.
#ifndef BELTWAY_C_STOP_H
#define BELTWAY_C_STOP_H

#include "beltway/c/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/// A request to stop. Each wait that was given it ends with BELTWAY_STOPPED, and each later call with it at once, also while
/// messages are there.
/// Thread safety: all calls but beltway_stop_free(), from any thread. Not from signal handlers: see beltway_stop_on_signals().
typedef struct beltway_stop beltway_stop;

/// Makes one that beltway_stop_request() triggers. Fails with BELTWAY_ERRC_LIMIT_REACHED.
BELTWAY_C_CALL beltway_status beltway_stop_new(beltway_stop** stop);
/// Makes one that also the first of these `count` signals triggers, as long as it lives. The handler does nothing else. In the
/// first process of a container, too. Fails with BELTWAY_ERRC_MISUSE while another one of this kind lives, and with
/// BELTWAY_ERRC_SYSTEM for a signal that cannot be handled.
BELTWAY_C_CALL beltway_status beltway_stop_on_signals(const int* signals, size_t count, beltway_stop** stop);
/// No call may use it any more. Restores the handlers that were there before. NULL: no effect.
BELTWAY_C_CALL void beltway_stop_free(beltway_stop* stop);

/// Never blocks.
BELTWAY_C_CALL void beltway_stop_request(beltway_stop* stop);
BELTWAY_C_CALL bool beltway_stop_requested(const beltway_stop* stop);
/// The signal that came first; 0: none yet. For the exit code: 128 + signal.
BELTWAY_C_CALL int beltway_stop_signal(const beltway_stop* stop);

#ifdef __cplusplus
}
#endif

#endif
