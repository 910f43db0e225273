// The C API: the sending end of a queue. See beltway.h.
#ifndef BELTWAY_C_PRODUCER_H
#define BELTWAY_C_PRODUCER_H

#include "beltway/c/base.h"
#include "beltway/c/options.h"
#include "beltway/c/properties.h"
#include "beltway/c/stop.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct beltway_queue beltway_queue;

/// One attached producer.
///
/// Thread safety: one thread at a time; between two calls it may be handed on to another thread. Two threads at once are a
/// misuse, which is an error where it is noticed. Other threads may call beltway_producer_interrupt().
///
/// Each way to publish has three forms. The plain form waits while a reliable group holds the ring or the lane full. The try form
/// never blocks, and returns BELTWAY_FULL instead. The `_until` form waits for `timeout_us` at most (BELTWAY_FOREVER: without a
/// limit), and until `stop` is requested (NULL: no stop); it adds BELTWAY_TIMEOUT and BELTWAY_STOPPED.
/// All return BELTWAY_OK, BELTWAY_TOO_LARGE, BELTWAY_REMOVED, BELTWAY_EVICTED, BELTWAY_INTERRUPTED or BELTWAY_ERROR
/// (forked, misuse), and have published nothing unless it is BELTWAY_OK.
/// `position`, if it is not NULL, gets the message's place in the queue's one order.
typedef struct beltway_producer beltway_producer;

/// Attaches a producer. NULL options: the defaults. Needs the right to write. Waits for the daemon's answer.
/// Fails with limit_reached if max_producers are attached, no_permission, removed, misuse (the name is in use), invalid_option.
BELTWAY_C_CALL beltway_status beltway_producer_new(const beltway_queue* queue, const beltway_producer_options* options,
                                                   beltway_producer** producer);
/// Detaches. What was published stays. No loan of it may be open. NULL: no effect.
BELTWAY_C_CALL void beltway_producer_free(beltway_producer* producer);

/// Copies `size` bytes into the queue: into its slot if they fit it, else into the lane.
BELTWAY_C_CALL beltway_status beltway_publish(beltway_producer* producer, const void* data, size_t size);
BELTWAY_C_CALL beltway_status beltway_try_publish(beltway_producer* producer, const void* data, size_t size);
BELTWAY_C_CALL beltway_status beltway_publish_until(beltway_producer* producer, const void* data, size_t size,
                                                    int64_t timeout_us, const beltway_stop* stop);

/// What one publish may ask for, beside its bytes.
typedef struct beltway_publish_options {
  size_t size;  ///< sizeof(beltway_publish_options)
  /// Named producers only: a number that must be above that of each message that the name has published; gaps are allowed. A
  /// number that is not above gets BELTWAY_DUPLICATE. 0: none.
  uint64_t sequence;
  const beltway_properties* properties;  ///< NULL: none
} beltway_publish_options;
#define BELTWAY_PUBLISH_OPTIONS_INIT {sizeof(beltway_publish_options), 0, NULL}

/// As above, with a sequence number, properties, or both. NULL options: none.
BELTWAY_C_CALL beltway_status beltway_publish_with(beltway_producer* producer, const void* data, size_t size,
                                                   const beltway_publish_options* options, uint64_t* position);
BELTWAY_C_CALL beltway_status beltway_try_publish_with(beltway_producer* producer, const void* data, size_t size,
                                                       const beltway_publish_options* options);
BELTWAY_C_CALL beltway_status beltway_publish_with_until(beltway_producer* producer, const void* data, size_t size,
                                                         const beltway_publish_options* options, int64_t timeout_us,
                                                         const beltway_stop* stop);
/// The highest sequence number that this producer's name has published; 0: none, or no name, or a failure (forked).
BELTWAY_C_CALL uint64_t beltway_producer_last_sequence(const beltway_producer* producer);

/// One message from `count` parts, laid end to end. NULL properties: none.
BELTWAY_C_CALL beltway_status beltway_publish_parts(beltway_producer* producer, const beltway_bytes* parts,
                                                    size_t count, const beltway_properties* properties,
                                                    uint64_t* position);
BELTWAY_C_CALL beltway_status beltway_try_publish_parts(beltway_producer* producer, const beltway_bytes* parts,
                                                        size_t count, const beltway_properties* properties);
BELTWAY_C_CALL beltway_status beltway_publish_parts_until(beltway_producer* producer, const beltway_bytes* parts,
                                                          size_t count, const beltway_properties* properties,
                                                          int64_t timeout_us, const beltway_stop* stop);

/// Writes `size` bytes of a message to `place`. It must be short, must not touch this queue, and must neither throw nor jump.
/// A writer that cannot write its message calls beltway_give_up(), and returns.
typedef void (*beltway_writer)(void* context, void* place, size_t size);
/// For writers: the message is not published, and the call that runs the writer returns BELTWAY_STOPPED. All groups skip the
/// position. Counts for the writer that this thread is in; no effect outside of one.
BELTWAY_C_CALL void beltway_give_up(void);
/// Lets `write` write `size` bytes straight into their place. A small message is written while its slot is claimed, and all
/// positions behind it wait meanwhile. NULL options: none.
BELTWAY_C_CALL beltway_status beltway_publish_writer(beltway_producer* producer, size_t size, beltway_writer write,
                                                     void* context, const beltway_publish_options* options,
                                                     uint64_t* position);
BELTWAY_C_CALL beltway_status beltway_try_publish_writer(beltway_producer* producer, size_t size, beltway_writer write,
                                                         void* context, const beltway_publish_options* options);
BELTWAY_C_CALL beltway_status beltway_publish_writer_until(beltway_producer* producer, size_t size,
                                                           beltway_writer write, void* context,
                                                           const beltway_publish_options* options, int64_t timeout_us,
                                                           const beltway_stop* stop);

/// Publishes `count` messages in order; wakes sleepers once. Cheaper a message than beltway_publish(). `published`, if it is not
/// NULL, gets how many were published, whatever is returned. The try and `_until` forms return BELTWAY_OK if at least one was
/// published, or if there is none to publish; the next call says what came in between. The plain form returns BELTWAY_OK if all
/// were.
BELTWAY_C_CALL beltway_status beltway_publish_batch(beltway_producer* producer, const beltway_bytes* messages,
                                                    size_t count, size_t* published);
BELTWAY_C_CALL beltway_status beltway_try_publish_batch(beltway_producer* producer, const beltway_bytes* messages,
                                                        size_t count, size_t* published);
BELTWAY_C_CALL beltway_status beltway_publish_batch_until(beltway_producer* producer, const beltway_bytes* messages,
                                                          size_t count, size_t* published, int64_t timeout_us,
                                                          const beltway_stop* stop);

/// Memory in the producer's lane, to be written in place and then committed. No consumer sees it before its commit, and its
/// place in the order is that of the commit. It belongs to its producer's thread, and must end before its producer.
/// A struct of the caller, to be initialised by BELTWAY_LOAN_INIT. Do not use two copies of it.
typedef struct beltway_loan {
  void* internal_owner;
  void* data;   ///< the memory to write, aligned to 64 bytes. Its contents are whatever was there before
  size_t size;  ///< its bytes
  uint64_t internal[2];
} beltway_loan;
#define BELTWAY_LOAN_INIT {NULL, NULL, 0, {0, 0}}

/// Lends `size` bytes, for a message with `properties` (NULL: none), which are written now. A loan that `loan` still holds is
/// dropped first. No call waits for memory that open loans of the same producer hold: it fails with limit_reached.
BELTWAY_C_CALL beltway_status beltway_lend(beltway_producer* producer, size_t size,
                                           const beltway_properties* properties, beltway_loan* loan);
BELTWAY_C_CALL beltway_status beltway_try_lend(beltway_producer* producer, size_t size,
                                               const beltway_properties* properties, beltway_loan* loan);
BELTWAY_C_CALL beltway_status beltway_lend_until(beltway_producer* producer, size_t size,
                                                 const beltway_properties* properties, beltway_loan* loan,
                                                 int64_t timeout_us, const beltway_stop* stop);
/// Publishes the first `size` bytes of the loan, which ends. The loan stays open unless the status is BELTWAY_OK. Fails with
/// misuse for a loan that has ended, and for more bytes than were lent.
BELTWAY_C_CALL beltway_status beltway_commit(beltway_loan* loan, size_t size, uint64_t* position);
BELTWAY_C_CALL beltway_status beltway_try_commit(beltway_loan* loan, size_t size);
BELTWAY_C_CALL beltway_status beltway_commit_until(beltway_loan* loan, size_t size, int64_t timeout_us,
                                                   const beltway_stop* stop);
/// Ends the loan without a message. No effect on one that has ended. Never blocks.
BELTWAY_C_CALL void beltway_loan_drop(beltway_loan* loan);

/// A descriptor for poll, epoll or any event loop, valid as long as the producer: readable when a try that found the queue full
/// may succeed. Do not read from it. See beltway/event_loop.hpp for the whole contract. -1 on failure (forked, system).
BELTWAY_C_CALL int beltway_producer_poll_fd(beltway_producer* producer);
/// Ends the call that waits now, or the next one that has to wait, once, with BELTWAY_INTERRUPTED. In event mode the descriptor
/// becomes readable. From any thread and from signal handlers. No effect in a forked child.
BELTWAY_C_CALL void beltway_producer_interrupt(const beltway_producer* producer);

/// Bytes of the largest message and loan that this queue takes, and of the largest message that lies in its slot.
BELTWAY_C_CALL size_t beltway_producer_max_message_bytes(const beltway_producer* producer);
BELTWAY_C_CALL size_t beltway_producer_max_inline_bytes(const beltway_producer* producer);
/// The endpoint's index among the queue's producers, 0 to max_producers - 1.
BELTWAY_C_CALL uint32_t beltway_producer_index(const beltway_producer* producer);
/// Valid as long as the producer.
BELTWAY_C_CALL const char* beltway_producer_queue_name(const beltway_producer* producer);

/// What a producer has counted so far.
typedef struct beltway_producer_counters {
  size_t size;                ///< sizeof(beltway_producer_counters): set it before the call
  uint64_t messages;          ///< published
  uint64_t bytes;             ///< payload bytes published
  uint64_t refused;           ///< tries that ended full, timed waits that ended without publishing
  uint64_t wakes;             ///< endpoints that it woke from their sleep
  uint64_t sleeps;            ///< times it slept in the kernel, waiting for room
  uint64_t rescued;           ///< sleeps that only the last-resort timer ended: always 0
  uint64_t blocked_ns;        ///< time spent waiting for room
  uint64_t high_water;        ///< most positions in use by the slowest reliable group, as seen at its scans
  uint64_t last_progress_ns;  ///< CLOCK_MONOTONIC of a recent publish
  uint64_t needless_wakes;    ///< times it was woken and found nothing to do
  uint64_t unread;            ///< messages that no consumer will get, since its attach, other producers' included
} beltway_producer_counters;
/// Same thread as the rest. Never blocks. Fails with invalid_option for a wrong `size`, and with forked.
BELTWAY_C_CALL beltway_status beltway_producer_get_counters(const beltway_producer* producer,
                                                            beltway_producer_counters* counters);

#ifdef __cplusplus
}
#endif

#endif
