// The C API: what the daemon knows of queues and of itself, and the state of a queue in shared memory. See beltway.h.
//
// Each call gives one struct, which the program frees by the call named beside it; all that it points to belongs to it. Members
// may be added at the ends: a program that is newer than its library tests `size` before it reads one that was added.
#ifndef BELTWAY_C_INFO_H
#define BELTWAY_C_INFO_H

#include "beltway/c/base.h"
#include "beltway/c/connection.h"
#include "beltway/c/consumer.h"
#include "beltway/c/options.h"
#include "beltway/c/producer.h"
#include "beltway/c/properties.h"

#ifdef __cplusplus
extern "C" {
#endif

/// One attached process end.
typedef struct beltway_endpoint_info {
  size_t size;
  uint32_t index;     ///< among producers or among consumers
  int32_t pid;        ///< of the process that attached
  uint32_t uid;       ///< its user
  uint32_t prefetch;  ///< consumers of a named group: messages that it holds at most; 0: not known
  const char* group;  ///< consumers: the named group; "": private
  const char* name;   ///< producers: their name; "": none
  bool producer;
  bool lossy;
  bool evicted;    ///< and its process has not detached yet
  bool evictable;  ///< consumers: may be evicted
  bool orphan;     ///< no connection answers for it any more, but its memory is still mapped
  bool leaving;    ///< consumers: `group` was removed while it was attached
} beltway_endpoint_info;

/// A name that producers of a queue publish under, or have.
typedef struct beltway_producer_name {
  size_t size;
  const char* name;
  uint64_t last_sequence;  ///< the highest sequence number that it has published; 0: none
} beltway_producer_name;

/// A named group whose consumers get no messages until it is resumed.
typedef struct beltway_paused_group {
  size_t size;
  const char* name;
  int64_t paused_for_ms;
} beltway_paused_group;

typedef struct beltway_queue_info {
  size_t size;
  const char* name;
  uint64_t id;  ///< never used again
  uint32_t owner_uid;
  uint32_t owner_gid;
  const beltway_queue_options* options;  ///< `groups`: all named groups that there are now
  uint64_t shared_bytes;                 ///< bytes of its memory segments
  const beltway_endpoint_info* const* endpoints;
  size_t endpoint_count;
  const beltway_producer_name* const* producer_names;
  size_t producer_name_count;
  const beltway_paused_group* const* paused;
  size_t paused_count;
  const char* const* missing_dead_letter_queues;  ///< named by `dead_letter`, and removed by force
  size_t missing_dead_letter_queue_count;
  int64_t owner_pid;      ///< of an exclusive queue; 0: none
  int64_t expires_in_ms;  ///< BELTWAY_UNSET: an endpoint is attached, or the queue does not expire
} beltway_queue_info;
/// What the daemon knows now. Free it by beltway_queue_info_free().
BELTWAY_C_CALL beltway_status beltway_describe(const beltway_connection* connection, const char* name,
                                               beltway_queue_info** info);
BELTWAY_C_CALL beltway_status beltway_queue_describe(const beltway_queue* queue, beltway_queue_info** info);
BELTWAY_C_CALL void beltway_queue_info_free(beltway_queue_info* info);

typedef struct beltway_queue_list {
  size_t size;
  const beltway_queue_info* const* queues;
  size_t count;
} beltway_queue_list;
/// The queues that the caller may read or write, by name. Free it by beltway_queue_list_free().
BELTWAY_C_CALL beltway_status beltway_list(const beltway_connection* connection, beltway_queue_list** list);
BELTWAY_C_CALL void beltway_queue_list_free(beltway_queue_list* list);

/// Another daemon of the caller's user: what is published there does not come here.
typedef struct beltway_other_daemon {
  size_t size;
  const char* socket;  ///< where it listens first
  int32_t pid;         ///< 0: not known
  uint8_t reserved[4];
} beltway_other_daemon;

/// A queue that the daemon keeps for another version of beltwayd: no process can attach to it meanwhile.
typedef struct beltway_held_queue {
  size_t size;
  const char* name;    ///< "": not even that can be read
  const char* layout;  ///< of its memory, e.g. "1.1"
  const char* why;     ///< why the daemon that runs cannot use it
} beltway_held_queue;

typedef struct beltway_daemon_info {
  size_t size;
  const char* version;
  const char* layout;       ///< of the shared memory that it makes
  const char* socket;       ///< where it listens first
  const char* asked;        ///< the socket that this connection uses
  const char* log;          ///< the file that it logs to; "": its standard error
  const char* passed_over;  ///< the newer program that was to run in its place, and why it does not; "": none
  uint64_t log_lost;        ///< lines of its log that were dropped
  int32_t pid;
  uint32_t uid;                      ///< 0xffffffff: not known
  const char* const* other_sockets;  ///< those of `others`
  size_t other_socket_count;
  const char* const* held_queues;  ///< those of `held` as texts: name and reason
  size_t held_queue_count;
  const beltway_other_daemon* const* others;
  size_t other_count;
  const beltway_held_queue* const* held;  ///< those that the caller may see, at most 32
  size_t held_count;
} beltway_daemon_info;
/// Asks the daemon for a sign of life. Free it by beltway_daemon_info_free().
BELTWAY_C_CALL beltway_status beltway_ping(const beltway_connection* connection, beltway_daemon_info** info);
BELTWAY_C_CALL void beltway_daemon_info_free(beltway_daemon_info* info);

/// A copy of a message that was not taken.
typedef struct beltway_peeked_message {
  size_t size;
  uint64_t position;
  beltway_bytes bytes;   ///< at most the limit that was asked for
  uint64_t whole_bytes;  ///< of the whole payload
  int64_t age_us;        ///< when it was copied; BELTWAY_UNSET: it has no stamp
  uint32_t producer;
  bool has_properties;
  const beltway_received_properties* properties;  ///< NULL unless `has_properties`
  int64_t deliveries;  ///< to `group`, with the one that has not ended yet; BELTWAY_UNSET: of the whole ring
  int64_t holder;      ///< the index of the consumer that holds it; BELTWAY_UNSET: none
} beltway_peeked_message;
typedef struct beltway_peek_result {
  size_t size;
  const beltway_peeked_message* const* messages;  ///< the oldest first
  size_t count;
} beltway_peek_result;
/// Copies of up to `count` messages of `group` that are still there (NULL or "": of the whole ring), each cut to `max_bytes`;
/// nothing is taken. Needs the right to read. Free it by beltway_peek_result_free().
BELTWAY_C_CALL beltway_status beltway_peek(const beltway_queue* queue, const char* group, size_t count,
                                           size_t max_bytes, beltway_peek_result** result);
/// As beltway_peek(), from a position on, as `beltway_message` has it. A position that the ring (or the group) has passed means
/// its oldest message; one that no message has yet gives none.
BELTWAY_C_CALL beltway_status beltway_peek_from(const beltway_queue* queue, const char* group, uint64_t from,
                                                size_t count, size_t max_bytes, beltway_peek_result** result);
BELTWAY_C_CALL void beltway_peek_result_free(beltway_peek_result* result);

typedef enum beltway_sleep_state { BELTWAY_AWAKE = 0, BELTWAY_ASLEEP = 1, BELTWAY_SIGNALLED = 2 } beltway_sleep_state;

/// What a producer that sleeps waits for.
typedef enum beltway_waits_for {
  BELTWAY_WAITS_FOR_NOTHING = 0,
  BELTWAY_WAITS_FOR_RING = 1,      ///< that reliable groups pass `waits_past`
  BELTWAY_WAITS_FOR_LANE = 2,      ///< that reliable groups pass `waits_past`: a message in its lane
  BELTWAY_WAITS_FOR_CLAIM = 3,     ///< that another producer finishes what it has claimed
  BELTWAY_WAITS_FOR_OWN_LOANS = 4  ///< open loans of its own fill its lane, or it is just being woken
} beltway_waits_for;

/// Ages of messages, in a queue with stamps. Times in us.
typedef struct beltway_message_ages {
  int64_t oldest_us;   ///< of the oldest message that is not finished; BELTWAY_UNSET: none, or it has no stamp
  uint64_t delivered;  ///< messages with a stamp that the attached consumers have got; their ages are below
  int64_t p50_us;
  int64_t p99_us;
  int64_t max_us;
} beltway_message_ages;

typedef struct beltway_producer_state {
  size_t size;
  const beltway_endpoint_info* endpoint;
  const beltway_producer_counters* counters;
  beltway_sleep_state sleep;
  beltway_waits_for waits_for;
  uint64_t waits_past;      ///< a position, with BELTWAY_WAITS_FOR_RING and BELTWAY_WAITS_FOR_LANE
  uint64_t waits_since_ns;  ///< CLOCK_MONOTONIC when its present wait began; 0: it does not wait
  uint64_t claimed;         ///< slots that it has claimed and not finished
  uint64_t oldest_claim;    ///< position of the oldest of them
  uint64_t lane_messages;   ///< messages in its lane that a reliable group still needs
  uint64_t lane_used;       ///< bytes of its lane that they take
  uint32_t place_in_line;   ///< 1: it claims first when room comes free; 0: it does not wait for room
} beltway_producer_state;

typedef struct beltway_consumer_state {
  size_t size;
  const beltway_endpoint_info* endpoint;
  const beltway_consumer_counters* counters;
  beltway_sleep_state sleep;
  uint64_t waits_since_ns;  ///< CLOCK_MONOTONIC when its present wait began; 0: it does not wait
  uint64_t held;            ///< messages that it holds unacknowledged
  uint64_t lag;             ///< private groups: positions behind the latest
  uint64_t floor;           ///< private groups: the first position that it still needs
  beltway_message_ages ages;
} beltway_consumer_state;

/// BELTWAY_UNSET: no such consumer, message or time.
typedef struct beltway_group_state {
  size_t size;
  const char* name;
  const char* dead_letter;  ///< its own or the queue's; "": none
  uint64_t floor;           ///< the first position that the group still needs
  uint64_t depth;           ///< positions from the floor to the latest
  int64_t holder;           ///< the index of the consumer that holds the message at `floor`
  uint64_t tries;           ///< deliveries of that message before this one
  uint64_t available;       ///< messages that no consumer holds and none has acknowledged, without the delayed ones
  uint64_t leased;          ///< messages that consumers hold
  uint64_t retry;           ///< of the available ones: given back
  uint64_t delayed;         ///< messages that failed and wait before they are delivered again
  int64_t due_in_us;        ///< time until the first of these, or of those that are parked, is due
  uint64_t parked;          ///< messages that are held or delayed, and do not hold producers back
  int64_t oldest_parked;    ///< position of the oldest of these
  int64_t parked_holder;    ///< the index of the consumer that holds that message
  int64_t evict_after_ms;   ///< its own or the queue's, as all options below
  int64_t retry_delay_ms;
  int64_t retry_delay_max_ms;
  int64_t ttl_ms;
  int64_t lease_timeout_ms;
  uint32_t max_deliveries;
  uint32_t drop_oldest;
  uint64_t discarded;  ///< by the consumers that are attached, as all counts below
  uint64_t dead_lettered;
  uint64_t expired;
  uint64_t timed_out;
  uint64_t dropped;  ///< since they were older than drop_oldest allows, by consumers and producers
  uint64_t to_move;  ///< messages that could not be moved to the dead letter queue yet
  uint64_t overdue;  ///< messages that consumers hold beyond lease_timeout
  int64_t paused_for_ms;
  beltway_message_ages ages;
  const uint32_t* consumers;  ///< their indexes
  size_t consumer_count;
  bool discard;
  uint8_t reserved[7];
} beltway_group_state;

/// A named group that was removed and whose place is not free yet.
typedef struct beltway_leaving_group {
  size_t size;
  const char* name;
  uint64_t floor;   ///< if it holds
  uint64_t leased;  ///< messages that consumers hold
  bool holds;       ///< its floor still holds producers back
  uint8_t reserved[7];
} beltway_leaving_group;

/// Kept by the daemon: what its repair did, and the sums of endpoints that are gone.
typedef struct beltway_queue_totals {
  size_t size;
  uint64_t repairs;      ///< endpoints that were detached or died, and were cleaned up
  uint64_t voided;       ///< claims of the dead that became VOID
  uint64_t released;     ///< leases of the dead that went back to their groups
  uint64_t messages_in;  ///< by producers that are gone
  uint64_t bytes_in;
  uint64_t messages_out;  ///< by consumers that are gone
  uint64_t bytes_out;
  uint64_t refused;
  uint64_t lost;
  uint64_t redelivered;
  uint64_t wakes;
  uint64_t sleeps;
  uint64_t unread;  ///< positions that were published while the queue had neither a named group nor a consumer
  uint64_t discarded;
  uint64_t expired;
  uint64_t dead_lettered;
  uint64_t timed_out;
} beltway_queue_totals;

/// The state of a queue at one moment. Each number is exact, all together only as far as the queue held still.
typedef struct beltway_snapshot {
  size_t size;
  const beltway_queue_info* info;
  uint64_t position;    ///< the next position to be published
  uint64_t used;        ///< positions that the slowest reliable group still holds
  uint64_t parked;      ///< slots whose messages are parked
  uint64_t max_parked;  ///< of these at most
  uint64_t broken;      ///< words that make no sense
  const beltway_queue_totals* totals;
  const beltway_producer_state* const* producers;
  size_t producer_count;
  const beltway_consumer_state* const* consumers;
  size_t consumer_count;
  const beltway_group_state* const* groups;
  size_t group_count;
  const beltway_leaving_group* const* leaving;
  size_t leaving_count;
  bool symmetric_fences;
  bool removed;
  uint8_t reserved[6];
} beltway_snapshot;
/// Reads description and state from the shared memory without taking part. Needs the right to read. Free it by
/// beltway_snapshot_free().
BELTWAY_C_CALL beltway_status beltway_queue_snapshot(const beltway_queue* queue, beltway_snapshot** snapshot);
BELTWAY_C_CALL void beltway_snapshot_free(beltway_snapshot* snapshot);

#ifdef __cplusplus
}
#endif

#endif
