// The C API: outcomes, errors, bytes and the version. See beltway.h.
#ifndef BELTWAY_C_BASE_H
#define BELTWAY_C_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/// Marks what the library shows. No call lets a C++ exception out.
#define BELTWAY_C_CALL __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/// The outcome of a call.
typedef enum beltway_status {
  BELTWAY_ERROR = -1,          ///< it failed: beltway_last_error() says why, beltway_last_errc() for programs
  BELTWAY_OK = 0,              ///< done
  BELTWAY_EMPTY = 1,           ///< try only: nothing to receive now
  BELTWAY_FULL = 2,            ///< try only: a reliable group holds the ring, or the lane has no room now
  BELTWAY_TIMEOUT = 3,         ///< the time was over first
  BELTWAY_STOPPED = 4,         ///< a stop was requested (beltway_stop)
  BELTWAY_TOO_LARGE = 5,       ///< the message can never fit; beltway_producer_max_message_bytes() is the limit
  BELTWAY_END_OF_STREAM = 6,   ///< empty, and no producer is left: see beltway_end_of_stream
  BELTWAY_PREFETCH_LIMIT = 7,  ///< this consumer already holds as many unacknowledged messages as it may
  BELTWAY_REMOVED = 8,         ///< the queue or the consumer's group was removed
  BELTWAY_EVICTED = 9,         ///< this endpoint was evicted
  BELTWAY_DUPLICATE = 10,      ///< this named producer has published that sequence number before: nothing was done
  BELTWAY_INTERRUPTED = 11     ///< an interrupt call, or a signal handler, ended the wait: nothing was done
} beltway_status;

/// The reason of a BELTWAY_ERROR, for programs.
typedef enum beltway_errc {
  BELTWAY_ERRC_NONE = 0,            ///< no call of this thread has failed yet
  BELTWAY_ERRC_INVALID_OPTION = 1,  ///< an option, argument, name or size is out of its range; the text names the range
  BELTWAY_ERRC_NOT_FOUND = 2,       ///< no queue or group of that name
  BELTWAY_ERRC_ALREADY_EXISTS = 3,  ///< the queue exists with other options; the text names all that differ
  BELTWAY_ERRC_NO_PERMISSION = 4,   ///< the queue's mode and owner do not allow this to the caller's user
  BELTWAY_ERRC_LIMIT_REACHED = 5,   ///< no endpoint, group, quota, descriptor or memory left; the text names which
  BELTWAY_ERRC_TOO_LARGE = 6,       ///< the message can never fit this queue; the text names the limit
  BELTWAY_ERRC_REMOVED = 7,         ///< the queue was removed, or the daemon no longer knows it
  BELTWAY_ERRC_EVICTED = 8,         ///< this endpoint was evicted
  BELTWAY_ERRC_NO_DAEMON = 9,       ///< no daemon answers at the socket
  BELTWAY_ERRC_PROTOCOL = 10,       ///< the peer speaks another protocol version, or broke the protocol
  BELTWAY_ERRC_INCOMPATIBLE = 11,   ///< the shared layout, or a struct of this API, is of another version
  BELTWAY_ERRC_WRONG_TYPE = 12,     ///< a queue of another type
  BELTWAY_ERRC_FORKED = 13,         ///< the handle was made before fork(); a child opens its own connection
  BELTWAY_ERRC_MISUSE = 14,         ///< a call that the object's state does not allow
  BELTWAY_ERRC_SYSTEM = 15,         ///< a system call failed; the text has its errno in words
  BELTWAY_ERRC_INTERRUPTED = 16     ///< a call was ended by an interrupt call or by a signal
} beltway_errc;

/// Why the last call of this thread failed that returned BELTWAY_ERROR or another failure value: the operation, its object and
/// the remedy, in UTF-8. Never NULL; empty before the first failure. A call that waits without a limit also sets it for
/// BELTWAY_TOO_LARGE, BELTWAY_REMOVED, BELTWAY_EVICTED and BELTWAY_INTERRUPTED. Other outcomes leave it as it was.
/// Valid until the next failure in this thread.
BELTWAY_C_CALL const char* beltway_last_error(void);
/// The reason of that failure.
BELTWAY_C_CALL beltway_errc beltway_last_errc(void);

/// The name of a status or of a reason, as the C++ API has it: "end_of_stream", "invalid_option". "unknown" for other values.
BELTWAY_C_CALL const char* beltway_status_name(beltway_status status);
BELTWAY_C_CALL const char* beltway_errc_name(beltway_errc reason);

/// The version of the library that runs: "0.2.0".
BELTWAY_C_CALL const char* beltway_version(void);

/// A view of bytes. It owns nothing.
typedef struct beltway_bytes {
  const void* data;
  size_t size;
} beltway_bytes;

/// A view of a text, which may hold any bytes and need not end with a zero. It owns nothing. Empty: absent.
typedef struct beltway_text {
  const char* data;
  size_t size;
} beltway_text;

/// A view of a string that ends with a zero. NULL: empty.
static inline beltway_text beltway_text_of(const char* string) {
  beltway_text text;
  text.data = string;
  text.size = string == NULL ? 0 : strlen(string);
  return text;
}

/// A timeout: the call waits for as long as needed. Any negative number means the same.
#define BELTWAY_FOREVER (-1)
/// An option that is not set.
#define BELTWAY_UNSET (-1)

#ifdef __cplusplus
}
#endif

#endif
