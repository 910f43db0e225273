// The C API: the way to the daemon, and queues. See beltway.h.
#ifndef BELTWAY_C_CONNECTION_H
#define BELTWAY_C_CONNECTION_H

#include "beltway/c/base.h"
#include "beltway/c/options.h"
#include "beltway/c/stop.h"

#ifdef __cplusplus
extern "C" {
#endif

/// A process's control socket to one daemon: declares, opens, lists and removes queues. Messages never go through it.
///
/// Queues and attached endpoints go on while the daemon is away. If the socket breaks, the next request connects anew.
/// Thread safety: all calls but beltway_close(), from several threads at once; requests take turns.
/// Blocking: each call waits for the daemon's answer, at most `timeout_ms`, also while the daemon restarts.
/// Failures of all calls: no_daemon, protocol, no_permission, limit_reached, system, forked, and what each call names.
typedef struct beltway_connection beltway_connection;

/// A handle of one queue: attaches producers and consumers, makes and removes groups, describes the queue. It names the queue by
/// a number that is never used again. It holds no shared memory; endpoints do not need it after their attach.
/// Thread safety and blocking: as a connection. After the queue's removal all calls return BELTWAY_REMOVED.
typedef struct beltway_queue beltway_queue;

/// Connects, and starts the user's own daemon if none answers. NULL options: the defaults.
BELTWAY_C_CALL beltway_status beltway_open(const beltway_connection_options* options, beltway_connection** connection);
/// Queues and endpoints keep the socket open as long as they live. NULL: no effect.
BELTWAY_C_CALL void beltway_close(beltway_connection* connection);

/// NULL options: opens the queue if it exists, whatever its options; makes it with the defaults if it does not.
/// With options: makes the queue, or opens it if it exists with these options; already_exists names all options that differ.
/// Missing groups are made.
BELTWAY_C_CALL beltway_status beltway_declare(const beltway_connection* connection, const char* name,
                                              const beltway_queue_options* options, beltway_queue** queue);
/// Declares by those options alone that `said` names ("slots", "ttl_ms"). A queue that does not exist is made with `options`. One
/// that exists is compared in the named options alone; its owner changes those that may change. `created`, if it is not NULL:
/// whether the queue was made.
BELTWAY_C_CALL beltway_status beltway_declare_some(const beltway_connection* connection, const char* name,
                                                   const beltway_queue_options* options, const char* const* said,
                                                   size_t said_count, beltway_queue** queue, bool* created);
/// An option that a declare has changed of a queue that existed. Values as text.
typedef struct beltway_option_change {
  size_t size;
  const char* option;  ///< "evict_after_ms"
  const char* group;   ///< the group whose own it is; "": the queue's
  const char* from;
  const char* to;
} beltway_option_change;
/// What a declare did.
typedef struct beltway_declared {
  size_t size;
  const beltway_option_change* const* changes;
  size_t change_count;
  bool created;  ///< the queue was made
  uint8_t reserved[7];
} beltway_declared;
/// As beltway_declare_some(), and tells what it did. Free that by beltway_declared_free().
BELTWAY_C_CALL beltway_status beltway_declare_some_told(const beltway_connection* connection, const char* name,
                                                        const beltway_queue_options* options, const char* const* said,
                                                        size_t said_count, beltway_queue** queue,
                                                        beltway_declared** declared);
BELTWAY_C_CALL void beltway_declared_free(beltway_declared* declared);
/// Opens an existing queue; not_found.
BELTWAY_C_CALL beltway_status beltway_open_queue(const beltway_connection* connection, const char* name,
                                                 beltway_queue** queue);
/// Waits until a process has declared the queue, then opens it. not_found when the time is over, no_daemon if the daemon did not
/// answer by then, BELTWAY_INTERRUPTED once `stop` (NULL: none) is requested.
BELTWAY_C_CALL beltway_status beltway_open_queue_until(const beltway_connection* connection, const char* name,
                                                       int64_t timeout_us, const beltway_stop* stop,
                                                       beltway_queue** queue);
/// The queue stays. NULL: no effect.
BELTWAY_C_CALL void beltway_queue_free(beltway_queue* queue);

/// Removes also what other queues need for their dead letters.
#define BELTWAY_REMOVE_FORCE 1U
/// Removes the queue: attached processes get BELTWAY_REMOVED, its memory is freed when the last one has detached. Owner and root
/// only. `flags`: 0 or BELTWAY_REMOVE_FORCE. misuse names the queues that send their dead letters to it.
BELTWAY_C_CALL beltway_status beltway_remove(const beltway_connection* connection, const char* name, uint32_t flags);

/// Valid as long as the handle.
BELTWAY_C_CALL const char* beltway_queue_name(const beltway_queue* queue);
/// Never used again, also not for a queue of the same name.
BELTWAY_C_CALL uint64_t beltway_queue_id(const beltway_queue* queue);
/// The queue's options when it was declared or opened: `options` gets them, valid as long as the handle. Does not ask the daemon;
/// beltway_queue_describe() tells the present ones.
BELTWAY_C_CALL beltway_status beltway_queue_get_options(const beltway_queue* queue,
                                                        const beltway_queue_options** options);

/// Wait until at least `count` consumers (producers) are attached, of all groups and processes: BELTWAY_OK, BELTWAY_TIMEOUT or
/// BELTWAY_STOPPED.
BELTWAY_C_CALL beltway_status beltway_wait_for_consumers(const beltway_queue* queue, uint32_t count, int64_t timeout_us,
                                                         const beltway_stop* stop);
BELTWAY_C_CALL beltway_status beltway_wait_for_producers(const beltway_queue* queue, uint32_t count, int64_t timeout_us,
                                                         const beltway_stop* stop);

/// Makes a named group that keeps messages from now on, consumers or not. No effect if it exists; already_exists if with other
/// options.
BELTWAY_C_CALL beltway_status beltway_add_group(const beltway_queue* queue, const beltway_group* group,
                                                beltway_start start);
/// Removes a named group; its consumers get BELTWAY_REMOVED. Owner and root only. `flags` and misuse: as beltway_remove().
BELTWAY_C_CALL beltway_status beltway_remove_group(const beltway_queue* queue, const char* group, uint32_t flags);
/// Pauses a named group: its consumers get no messages until beltway_resume_group(). Owner and root only; not_found.
BELTWAY_C_CALL beltway_status beltway_pause_group(const beltway_queue* queue, const char* group);
BELTWAY_C_CALL beltway_status beltway_resume_group(const beltway_queue* queue, const char* group);
/// Evicts a consumer, named by its index (beltway_endpoint_info): its messages go to the other consumers of its group, and its
/// calls give BELTWAY_EVICTED. Its process may be stopped. Owner and root only. not_found: there is no such consumer. misuse: it
/// attached while evict_after was 0; the error says what to do.
BELTWAY_C_CALL beltway_status beltway_evict(const beltway_queue* queue, uint32_t consumer);

/// Acknowledges one message of a named group that no consumer holds: the group loses it. Owner and root only. not_found: no such
/// group, or the group needs no message at that position. misuse: an endpoint holds it; the error names it.
BELTWAY_C_CALL beltway_status beltway_ack_message(const beltway_queue* queue, const char* group, uint64_t position);
/// Moves one message of a named group that no consumer holds to another queue, with its properties: publishes it there, then
/// acknowledges it here. Meanwhile no consumer gets it. Waits while the target is full: for `timeout_us`, 30 s at most, and until
/// `stop` (NULL: none). BELTWAY_OK; or BELTWAY_TIMEOUT, BELTWAY_STOPPED, BELTWAY_INTERRUPTED (a signal handler ran): the target
/// stayed full, and the message is where it was. If the process ends in between, the message stays, and may be in both queues.
/// Owner and root of `queue` only, with the right to write to `target`. Fails as beltway_ack_message() and as
/// beltway_producer_new() of the target, and with BELTWAY_TOO_LARGE, and invalid_option if both are the same queue.
BELTWAY_C_CALL beltway_status beltway_move_message(const beltway_queue* queue, const char* group, uint64_t position,
                                                   const beltway_queue* target, int64_t timeout_us,
                                                   const beltway_stop* stop);

/// What beltway_purge() did. It fills the struct as far as `size` says.
typedef struct beltway_purge_result {
  size_t size;             ///< sizeof(beltway_purge_result): set it before the call
  uint64_t purged;         ///< messages that were acknowledged
  uint64_t left;           ///< messages that consumers or producers hold: they were not acknowledged
  uint64_t used;           ///< positions that the slowest reliable group, of all, still holds afterwards
  int64_t holder_pid;      ///< of the process that holds the oldest of those that are left; 0: none is left
  uint64_t held_position;  ///< position of that message
} beltway_purge_result;
/// Acknowledges all messages of the group that no consumer holds, and heals the queue's shared memory. Owner and root only.
/// NULL result: none is told.
BELTWAY_C_CALL beltway_status beltway_purge(const beltway_queue* queue, const char* group,
                                            beltway_purge_result* result);
/// An endpoint that keeps messages of a group from being purged: a consumer that holds them, or a producer that is still writing
/// them.
typedef struct beltway_purge_holder {
  size_t size;
  uint64_t messages;  ///< that it holds of this group
  uint64_t oldest;    ///< position of the oldest of them
  int32_t pid;        ///< of the process that attached
  uint32_t index;     ///< among producers or among consumers
  bool producer;
  uint8_t reserved[7];
} beltway_purge_holder;
/// What a purge did, and all who hold what it left.
typedef struct beltway_purge_report {
  size_t size;
  uint64_t purged;  ///< messages that were acknowledged
  uint64_t left;    ///< messages that `holders` hold: they were not acknowledged
  uint64_t used;    ///< positions that the slowest reliable group, of all, still holds afterwards
  const beltway_purge_holder* const* holders;  ///< the one with the oldest message first
  size_t holder_count;
} beltway_purge_report;
/// As beltway_purge(), and tells all holders. Free the report by beltway_purge_report_free().
BELTWAY_C_CALL beltway_status beltway_purge_told(const beltway_queue* queue, const char* group,
                                                 beltway_purge_report** report);
BELTWAY_C_CALL void beltway_purge_report_free(beltway_purge_report* report);

/// What a reset of a group did.
typedef struct beltway_reset_result {
  size_t size;            ///< sizeof(beltway_reset_result): set it before the call
  uint64_t position;      ///< where the group begins now
  uint64_t acknowledged;  ///< messages before it that no consumer held
  uint64_t restored;      ///< messages from there on that were acknowledged, or older than the group: they come (again)
  uint64_t held;          ///< messages that consumers hold: they keep them
} beltway_reset_result;
/// Lets a named group begin elsewhere, with its consumers attached: at the oldest message in the ring, or behind the newest.
/// Messages before are acknowledged; messages from there on are delivered, also those that were acknowledged already. Owner and
/// root only; not_found. NULL result: none is told.
BELTWAY_C_CALL beltway_status beltway_reset_group(const beltway_queue* queue, const char* group, beltway_start to,
                                                  beltway_reset_result* result);
/// As above, at a position; invalid_option if the ring does not have it any more, or not yet.
BELTWAY_C_CALL beltway_status beltway_reset_group_to_position(const beltway_queue* queue, const char* group,
                                                              uint64_t position, beltway_reset_result* result);
/// As above, at the first message that was published at that time (ns since 1970) or later; invalid_option without stamps.
BELTWAY_C_CALL beltway_status beltway_reset_group_to_time(const beltway_queue* queue, const char* group,
                                                          int64_t published_ns, beltway_reset_result* result);

#ifdef __cplusplus
}
#endif

#endif
