// The C API: options of connections, queues, groups, producers and consumers. See beltway.h about structs.
// Their names are those of the tool's JSON. beltway/options.hpp says at more length what each option means.
#ifndef BELTWAY_C_OPTIONS_H
#define BELTWAY_C_OPTIONS_H

#include "beltway/c/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/// How publishers and sleepers order their memory against each other.
typedef enum beltway_fence {
  BELTWAY_FENCE_ASYMMETRIC = 0,  ///< sleepers pay, publishers do not
  BELTWAY_FENCE_SYMMETRIC = 1    ///< every publish pays a locked instruction; for isolated cores
} beltway_fence;

/// Whether producers stamp each message with the time of its publish (beltway_message_age_us()).
typedef enum beltway_stamps {
  BELTWAY_STAMPS_OFF = 0,
  BELTWAY_STAMPS_COARSE = 1,  ///< by a clock that the kernel renews each few milliseconds
  BELTWAY_STAMPS_FINE = 2     ///< exact to a microsecond
} beltway_stamps;

/// What a blocking call does before its endpoint sleeps in the kernel.
typedef enum beltway_wait_strategy {
  BELTWAY_WAIT_ADAPTIVE = 0,  ///< spins for at most 50 us, then sleeps
  BELTWAY_WAIT_SPIN = 1,      ///< never sleeps: one core at 100 %
  BELTWAY_WAIT_SLEEP = 2      ///< sleeps at once
} beltway_wait_strategy;

/// Where a new group starts to read.
typedef enum beltway_start {
  BELTWAY_START_LATEST = 0,  ///< with the next message that is published
  BELTWAY_START_OLDEST = 1   ///< with the oldest message still in the ring
} beltway_start;

/// How a message of a named group is acknowledged.
typedef enum beltway_ack_mode {
  BELTWAY_ACK_EXPLICIT = 0,  ///< by beltway_ack(); a message dropped without it goes back to the group
  BELTWAY_ACK_AUTOMATIC = 1  ///< when the message is released
} beltway_ack_mode;

/// When a consumer that finds no message is told BELTWAY_END_OF_STREAM. All messages were delivered before.
typedef enum beltway_end_of_stream {
  BELTWAY_END_BY_GROUP = 0,        ///< named groups: never. Private groups: BELTWAY_END_AFTER_PRODUCER
  BELTWAY_END_NEVER = 1,           ///< the consumer waits for producers yet to come
  BELTWAY_END_AFTER_PRODUCER = 2,  ///< a producer was attached while this consumer was, and none is attached now
  BELTWAY_END_DRAINED = 3          ///< a producer was attached at any time, and none is attached now
} beltway_end_of_stream;

typedef struct beltway_connection_options {
  size_t size;         ///< sizeof(beltway_connection_options)
  const char* socket;  ///< the daemon's; NULL: $BELTWAY_SOCKET, else the user's own, else /run/beltway/beltwayd.sock
  int64_t timeout_ms;  ///< how long to wait for the daemon's answer
  bool start_daemon;   ///< start the user's own daemon if none answers and no socket is named
  uint8_t reserved[7];
  /// How long to wait, instead of `timeout_ms` if this is shorter, while the daemon's process is stopped by a signal or a
  /// debugger. A daemon that is only busy gets `timeout_ms`. BELTWAY_FOREVER: `timeout_ms` counts alone.
  int64_t stopped_timeout_ms;
} beltway_connection_options;
#define BELTWAY_CONNECTION_OPTIONS_INIT \
  {sizeof(beltway_connection_options), NULL, 10000, true, {0, 0, 0, 0, 0, 0, 0}, BELTWAY_FOREVER}

/// A named group, and what it has of its own. BELTWAY_UNSET, and a NULL `dead_letter`: as the queue has it. Only the queue's
/// owner and root may set these.
typedef struct beltway_group {
  size_t size;       ///< sizeof(beltway_group)
  const char* name;  ///< required
  int64_t evict_after_ms;
  int64_t retry_delay_ms;
  int64_t retry_delay_max_ms;
  int64_t max_deliveries;
  int64_t discard;          ///< 0, 1 or BELTWAY_UNSET
  const char* dead_letter;  ///< "": none
  int64_t ttl_ms;
  int64_t lease_timeout_ms;
  int64_t drop_oldest;
} beltway_group;
/// `name`: a string that lives as long as the struct.
#define BELTWAY_GROUP_INIT(name) {sizeof(beltway_group), (name), -1, -1, -1, -1, -1, NULL, -1, -1, -1}

/// Fixed when a queue is declared, unless it says otherwise. NULL texts are empty.
typedef struct beltway_queue_options {
  size_t size;             ///< sizeof(beltway_queue_options)
  uint32_t slots;          ///< messages in the ring: a power of two, 2 to 2^20
  uint32_t slot_bytes;     ///< 32, 64 or a multiple of 64 up to 65536; payload: 16 less
  uint64_t lane_bytes;     ///< each producer's room for messages beyond a slot; 0: none, no loans
  uint32_t max_producers;  ///< 1 to 64; 1 makes the faster single-producer ring
  uint32_t max_consumers;  ///< 1 to 64
  uint32_t max_groups;     ///< named groups, 0 to 64
  uint32_t mode;           ///< as a file has it: w produces, r consumes and inspects
  /// Named groups made with the queue: `group_count` of them, one after the other, each of the size that the first one says.
  const beltway_group* groups;
  size_t group_count;
  beltway_fence fence;
  beltway_stamps stamps;       ///< may be changed later by the owner
  int64_t evict_after_ms;      ///< a consumer that blocks producers for so long is evicted; 0: never. 10 ms to 24 days
  int64_t retry_delay_ms;      ///< a message that failed waits so long, doubled each time. At most a day
  int64_t retry_delay_max_ms;  ///< the longest of these waits
  uint32_t max_deliveries;     ///< 0: no limit; at most 255. Requires `dead_letter` or `discard`
  uint32_t drop_oldest;        ///< a named group keeps so many of its newest messages; 0: all
  const char* dead_letter;     ///< the queue that messages go to which failed for good
  int64_t ttl_ms;              ///< an older message is not delivered; 0: never expires. 1 ms to 24 days
  int64_t lease_timeout_ms;    ///< a message held for longer goes to another consumer; 0: never. 10 ms to 24 days
  int64_t max_parked;          ///< slots whose messages may be parked; BELTWAY_UNSET: half of `slots`
  const char* type_name;       ///< of a typed queue; NULL: untyped
  uint32_t type_size;          ///< bytes of its messages
  uint32_t type_alignment;     ///< bytes
  const char* description;     ///< for people: at most 128 bytes of UTF-8
  int64_t expire_after_ms;     ///< removed when it was unused for so long; 0: never. 1 s to 24 days
  bool discard;                ///< messages that failed for good are dropped and counted
  bool exclusive;              ///< the queue is removed when the process that makes it has ended
  uint8_t reserved[6];
} beltway_queue_options;
#define BELTWAY_QUEUE_OPTIONS_INIT \
  {sizeof(beltway_queue_options),  \
   1024,                           \
   128,                            \
   1048576,                        \
   8,                              \
   16,                             \
   8,                              \
   0600,                           \
   NULL,                           \
   0,                              \
   BELTWAY_FENCE_ASYMMETRIC,       \
   BELTWAY_STAMPS_OFF,             \
   0,                              \
   1,                              \
   1000,                           \
   0,                              \
   0,                              \
   NULL,                           \
   0,                              \
   0,                              \
   -1,                             \
   NULL,                           \
   0,                              \
   0,                              \
   NULL,                           \
   0,                              \
   false,                          \
   false,                          \
   {0, 0, 0, 0, 0, 0}}

typedef struct beltway_producer_options {
  size_t size;       ///< sizeof(beltway_producer_options)
  const char* name;  ///< makes sequence numbers possible (beltway_publish_options); NULL: no name
  beltway_wait_strategy wait;
  bool populate;     ///< touch the mappings at attach, so that the first lap takes no page faults
  bool lock_memory;  ///< mlock the mappings; an error if RLIMIT_MEMLOCK forbids it
  uint8_t reserved[2];
} beltway_producer_options;
#define BELTWAY_PRODUCER_OPTIONS_INIT \
  {sizeof(beltway_producer_options), NULL, BELTWAY_WAIT_ADAPTIVE, true, false, {0, 0}}

typedef struct beltway_consumer_options {
  size_t size;          ///< sizeof(beltway_consumer_options)
  const char* group;    ///< NULL or "": a private group that sees every message
  beltway_start start;  ///< of a private group, and of a group that this makes
  beltway_end_of_stream end_of_stream;
  beltway_ack_mode ack;  ///< named groups only
  beltway_wait_strategy wait;
  /// Named groups: messages held unacknowledged at most; 0: as many as the ring has slots. A consumer leases only what a receive
  /// call returns, so the default is right for jobs. Make it small for batches, and for messages that are kept aside.
  uint32_t prefetch;
  bool create_group;      ///< make the named group if it is missing
  bool lossy;             ///< private only: producers overtake this consumer, which is told what it lost
  bool conflate;          ///< lossy only: each receive gives the newest message and skips the earlier ones
  bool follow;            ///< the same as BELTWAY_END_NEVER, which it overrules
  bool populate;          ///< as of a producer
  bool lock_memory;       ///< as of a producer
  bool spin_backoff;      ///< while it spins: pause for a moment if it outruns a stream
  bool speculative_spin;  ///< while it spins: poll so that the processor starts early on the next message
  bool reattach;          ///< after an eviction attach again and go on
  uint8_t reserved[3];
} beltway_consumer_options;
#define BELTWAY_CONSUMER_OPTIONS_INIT \
  {sizeof(beltway_consumer_options),  \
   NULL,                              \
   BELTWAY_START_LATEST,              \
   BELTWAY_END_BY_GROUP,              \
   BELTWAY_ACK_EXPLICIT,              \
   BELTWAY_WAIT_ADAPTIVE,             \
   0,                                 \
   false,                             \
   false,                             \
   false,                             \
   false,                             \
   true,                              \
   false,                             \
   true,                              \
   true,                              \
   false,                             \
   {0, 0, 0}}

#ifdef __cplusplus
}
#endif

#endif
