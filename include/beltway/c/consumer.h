// The C API: the receiving end of a queue, and its messages. See beltway.h.
#ifndef BELTWAY_C_CONSUMER_H
#define BELTWAY_C_CONSUMER_H

#include "beltway/c/base.h"
#include "beltway/c/options.h"
#include "beltway/c/properties.h"
#include "beltway/c/stop.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct beltway_queue beltway_queue;

/// One attached consumer: an endpoint of a named group (competing) or of a private group (sees everything).
///
/// Promised: messages come in the queue's one order. A private group gets each message once. A named group gets each message at
/// least once: after a nack, a drop without an ack or a death the message comes again. A lossy consumer learns what it lost.
/// Thread safety: one thread at a time, as a producer. Other threads may call beltway_consumer_interrupt(), request a stop, and
/// end messages of named groups.
typedef struct beltway_consumer beltway_consumer;

/// Attaches a consumer. NULL options: the defaults, a private consumer. Needs the right to read. Waits for the daemon's answer.
/// Fails with limit_reached if max_consumers are attached, not_found for a group that does not exist (unless create_group),
/// no_permission, removed, invalid_option.
BELTWAY_C_CALL beltway_status beltway_consumer_new(const beltway_queue* queue, const beltway_consumer_options* options,
                                                   beltway_consumer** consumer);
/// Detaches, once its last message has ended. NULL: no effect.
BELTWAY_C_CALL void beltway_consumer_free(beltway_consumer* consumer);

/// A message that a consumer holds. A struct of the caller, to be initialised by BELTWAY_MESSAGE_INIT before its first use.
/// Do not copy it: see beltway_message_move(). A call that receives into it drops first what it still holds.
///
/// In a private group a message ends when it is released. In a named group it is leased: beltway_ack() ends it, beltway_nack()
/// gives it back to the group, beltway_reject() gives it up. beltway_message_drop() does what the consumer's `ack` option says:
/// BELTWAY_ACK_EXPLICIT: nack. BELTWAY_ACK_AUTOMATIC: ack. A message that is never ended holds its place in the ring.
/// Thread safety: one thread at a time. A message of a named group may be ended in another thread than the consumer's; one of a
/// private group must be released where its consumer is used. A message may outlive its consumer.
/// The bytes of a lossy consumer's message are a copy that stays valid until that consumer's next receive.
typedef struct beltway_message {
  void* internal_owner;  ///< NULL: it holds no message
  const void* data;      ///< the payload, aligned to 16 bytes. Never writable: a write ends the program
  uint64_t position;     ///< its place in the queue's one total order, modulo 2^54
  /// Lossy consumers: positions lost right before this message. Groups with drop_oldest: messages dropped since the last one.
  uint64_t lost;
  uint32_t size;      ///< bytes of the payload
  uint8_t producer;   ///< the index of the producer that published it
  uint8_t internal1;  ///< see beltway_message_deliveries()
  uint16_t internal2;
} beltway_message;
#define BELTWAY_MESSAGE_INIT {NULL, NULL, 0, 0, 0, 0, 0, 0}

/// Moves the message to another struct, which must hold none. So a callback keeps its message beyond its end.
static inline void beltway_message_move(beltway_message* from, beltway_message* to) {
  *to = *from;
  memset(from, 0, sizeof *from);
}
/// How often it has been delivered, with this delivery: 1 the first time; at most 256.
static inline uint32_t beltway_message_deliveries(const beltway_message* message) { return message->internal1 + 1U; }
/// True if it was published with properties.
static inline bool beltway_message_has_properties(const beltway_message* message) {
  return message->data != NULL && message->internal2 != 0;
}

/// Waits for a message. BELTWAY_OK: `message` holds it. What is in the ring is delivered before BELTWAY_END_OF_STREAM and
/// BELTWAY_REMOVED are told. At the prefetch limit it waits for an ack or nack from another thread.
/// Returns also BELTWAY_EVICTED, BELTWAY_INTERRUPTED, and BELTWAY_ERROR (forked, misuse).
BELTWAY_C_CALL beltway_status beltway_receive(beltway_consumer* consumer, beltway_message* message);
/// As above, and never blocks: BELTWAY_EMPTY or BELTWAY_PREFETCH_LIMIT instead.
BELTWAY_C_CALL beltway_status beltway_try_receive(beltway_consumer* consumer, beltway_message* message);
/// As beltway_receive(), for at most `timeout_us` (BELTWAY_FOREVER: no limit) and until `stop` (NULL: none): BELTWAY_TIMEOUT,
/// BELTWAY_STOPPED, the latter also while messages are there.
BELTWAY_C_CALL beltway_status beltway_receive_until(beltway_consumer* consumer, beltway_message* message,
                                                    int64_t timeout_us, const beltway_stop* stop);

/// Fills `messages` from its start with what is there, at most `capacity`. `count` gets how many; 0 unless BELTWAY_OK. Elements
/// that still hold messages are dropped first. Cheaper a message than the calls above. The first waits for at least one.
BELTWAY_C_CALL beltway_status beltway_receive_batch(beltway_consumer* consumer, beltway_message* messages,
                                                    size_t capacity, size_t* count);
BELTWAY_C_CALL beltway_status beltway_try_receive_batch(beltway_consumer* consumer, beltway_message* messages,
                                                        size_t capacity, size_t* count);
BELTWAY_C_CALL beltway_status beltway_receive_batch_until(beltway_consumer* consumer, beltway_message* messages,
                                                          size_t capacity, size_t* count, int64_t timeout_us,
                                                          const beltway_stop* stop);

/// Handles one message of beltway_consume(). It may end it; afterwards it is dropped. 0: go on, else the loop ends.
typedef int (*beltway_message_handler)(void* context, beltway_message* message);
/// Calls `handler` for each message until the time is over, `stop` is requested, or no more messages come. Returns why it ended;
/// BELTWAY_OK if the handler asked for it.
BELTWAY_C_CALL beltway_status beltway_consume(beltway_consumer* consumer, beltway_message_handler handler,
                                              void* context, int64_t timeout_us, const beltway_stop* stop);

/// The calls that end a message return 1 if that worked, and 0 if there is none, or its lease had ended before: by lease_timeout,
/// an eviction, or a repair. They never block, and empty `message` in both cases. -1: failure, beltway_last_error() says why.

/// Named groups: done. Private groups: releases the message.
BELTWAY_C_CALL int beltway_ack(beltway_message* message);
/// Acknowledges each of `count` messages in order, and empties them. Cheaper than one by one for messages in a row of one named
/// group. Returns how many acks were true.
BELTWAY_C_CALL size_t beltway_ack_batch(beltway_message* messages, size_t count);
/// Named groups: gives it back to the group, to be delivered again after the pause of retry_delay. Otherwise as beltway_ack().
BELTWAY_C_CALL int beltway_nack(beltway_message* message);
/// As beltway_nack(), after `delay_us`; 0: at once, before newer ones. -1 (invalid_option) for a delay below 0 or above a day:
/// then the message is still held.
BELTWAY_C_CALL int beltway_nack_after(beltway_message* message, int64_t delay_us);
/// Named groups: gives it up, since no later delivery will succeed. It goes to the dead letter queue, or is discarded. Otherwise
/// as beltway_ack(). -1 (misuse) if the group says neither: then the message was given back as by beltway_nack().
BELTWAY_C_CALL int beltway_reject(beltway_message* message);
/// Ends it as the consumer's `ack` option says. No effect on an empty one.
BELTWAY_C_CALL void beltway_message_drop(beltway_message* message);

/// Named groups with lease_timeout: gives the message its whole time again. Call it more often than once a lease_timeout while a
/// job goes on, in any thread. False if the message is not ours any more.
BELTWAY_C_CALL bool beltway_extend(beltway_message* message);
/// True while the message is ours. False once its lease is over, or its consumer was evicted: then another consumer has it, and
/// its bytes may be overwritten at any time. beltway_ack() tells for sure. Of a named group: in any thread.
BELTWAY_C_CALL bool beltway_still_held(const beltway_message* message);
/// How long ago it was published; BELTWAY_UNSET: it has no stamp (option `stamps`).
BELTWAY_C_CALL int64_t beltway_message_age_us(const beltway_message* message);
/// When it was published, in ns since 1970; BELTWAY_UNSET: it has no stamp.
BELTWAY_C_CALL int64_t beltway_message_published_at_ns(const beltway_message* message);
/// Reads its properties. Without any, all are empty. Fails with invalid_option for a wrong `properties->size`.
BELTWAY_C_CALL beltway_status beltway_message_properties(const beltway_message* message,
                                                         beltway_received_properties* properties);

/// A descriptor for poll, epoll or any event loop, valid as long as the consumer. The first call puts it into event mode. It
/// is readable whenever a try may find a message, the end of the stream or the removal, and stays readable until a try has found
/// nothing. Readable without a message is possible and harmless. Do not read from it. See beltway/event_loop.hpp for the whole
/// contract. -1 on failure (forked, system).
BELTWAY_C_CALL int beltway_consumer_poll_fd(beltway_consumer* consumer);
/// Ends the call that waits now, or the next one that has to wait, once, with BELTWAY_INTERRUPTED. In event mode the descriptor
/// becomes readable, and the next try that finds nothing says so. From any thread and from signal handlers. No effect in a
/// forked child.
BELTWAY_C_CALL void beltway_consumer_interrupt(const beltway_consumer* consumer);

/// The endpoint's index among the queue's consumers, 0 to max_consumers - 1.
BELTWAY_C_CALL uint32_t beltway_consumer_index(const beltway_consumer* consumer);
/// How often it has gone on as a new endpoint after an eviction (option `reattach`).
BELTWAY_C_CALL uint64_t beltway_consumer_reattached(const beltway_consumer* consumer);
/// Valid as long as the consumer. The group is "" for a private one.
BELTWAY_C_CALL const char* beltway_consumer_queue_name(const beltway_consumer* consumer);
BELTWAY_C_CALL const char* beltway_consumer_group(const beltway_consumer* consumer);

/// What a consumer has counted so far.
typedef struct beltway_consumer_counters {
  size_t size;           ///< sizeof(beltway_consumer_counters): set it before the call
  uint64_t messages;     ///< received
  uint64_t bytes;        ///< payload bytes received
  uint64_t lost;         ///< lossy: positions overwritten. Groups with drop_oldest: messages that it dropped itself
  uint64_t redelivered;  ///< received again
  uint64_t corrupt;      ///< messages whose size or place made no sense; skipped
  uint64_t acks;         ///< named groups
  uint64_t nacks;        ///< named groups: given back or rejected
  uint64_t wakes;        ///< endpoints that it woke from their sleep
  uint64_t sleeps;       ///< times it slept in the kernel, waiting for a message
  uint64_t rescued;      ///< sleeps that only the last-resort timer ended: always 0
  uint64_t blocked_ns;   ///< time spent waiting for messages
  uint64_t last_progress_ns;  ///< CLOCK_MONOTONIC of a recent receive
  uint64_t needless_wakes;    ///< times it was woken and found nothing to do
  uint64_t discarded;         ///< messages that it dropped: rejected, or delivered max_deliveries times
  uint64_t expired;           ///< messages that it did not deliver, since they were older than their ttl
  uint64_t dead_lettered;     ///< messages that it moved to the dead letter queue
  uint64_t timed_out;         ///< messages that it took from another consumer, which held them beyond lease_timeout
  uint64_t failed_moves;      ///< moves to the dead letter queue that failed, and are tried later
} beltway_consumer_counters;
/// Same thread as the rest. Never blocks. Fails with invalid_option for a wrong `size`, and with forked.
BELTWAY_C_CALL beltway_status beltway_consumer_get_counters(const beltway_consumer* consumer,
                                                            beltway_consumer_counters* counters);

#ifdef __cplusplus
}
#endif

#endif
