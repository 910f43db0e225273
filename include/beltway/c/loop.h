// The C API: a small event loop on epoll with callbacks, for programs that have none. See beltway.h.
#ifndef BELTWAY_C_LOOP_H
#define BELTWAY_C_LOOP_H

#include "beltway/c/base.h"
#include "beltway/c/consumer.h"
#include "beltway/c/stop.h"

#ifdef __cplusplus
extern "C" {
#endif

/// A loop over epoll. Callbacks run inside of beltway_loop_run() only, one at a time. A busy consumer does not starve other
/// descriptors. Callbacks may add, replace and forget descriptors, also their own; they must neither throw nor jump.
/// Thread safety: one thread at a time, except beltway_loop_stop().
typedef struct beltway_loop beltway_loop;

/// Fails with system.
BELTWAY_C_CALL beltway_status beltway_loop_new(beltway_loop** loop);
/// Not inside of a callback. NULL: no effect.
BELTWAY_C_CALL void beltway_loop_free(beltway_loop* loop);

typedef void (*beltway_readable_handler)(void* context, int fd);
/// Calls `handler` again and again while `fd` is readable, until it is forgotten. Replaces what was said of `fd` before.
/// Fails with system.
BELTWAY_C_CALL beltway_status beltway_loop_on_readable(beltway_loop* loop, int fd, beltway_readable_handler handler,
                                                       void* context);
/// Calls `handler` once when `fd` is readable. Otherwise as above.
BELTWAY_C_CALL beltway_status beltway_loop_when_readable(beltway_loop* loop, int fd, beltway_readable_handler handler,
                                                         void* context);

/// Gets each message with BELTWAY_OK; it may end it, and afterwards it is dropped. At last it gets NULL with the reason why there
/// will be none: BELTWAY_END_OF_STREAM, BELTWAY_REMOVED or BELTWAY_EVICTED; the consumer is forgotten then. After
/// beltway_consumer_interrupt() it gets NULL with BELTWAY_INTERRUPTED, and more afterwards.
typedef void (*beltway_outcome_handler)(void* context, beltway_status status, beltway_message* message);
/// Calls `handler` for each message. The consumer must live until then, or until beltway_loop_forget() of its descriptor.
BELTWAY_C_CALL beltway_status beltway_loop_on_message(beltway_loop* loop, beltway_consumer* consumer,
                                                      beltway_outcome_handler handler, void* context);

/// From now on nothing said of `fd` is called. In callbacks, too. No effect if `fd` is unknown.
BELTWAY_C_CALL void beltway_loop_forget(beltway_loop* loop, int fd);

/// Calls callbacks until nothing is left to wait for: BELTWAY_OK. Ends earlier with BELTWAY_STOPPED (beltway_loop_stop(), or
/// `stop`), BELTWAY_TIMEOUT or BELTWAY_INTERRUPTED (a signal). Not inside of a callback.
BELTWAY_C_CALL beltway_status beltway_loop_run(beltway_loop* loop, int64_t timeout_us, const beltway_stop* stop);
/// Makes beltway_loop_run(), or the next one, return soon. Any thread, and signal handlers.
BELTWAY_C_CALL void beltway_loop_stop(beltway_loop* loop);

#ifdef __cplusplus
}
#endif

#endif
