// The C API: what the daemon has seen, in order. See beltway.h.
#ifndef BELTWAY_C_EVENTS_H
#define BELTWAY_C_EVENTS_H

#include "beltway/c/base.h"
#include "beltway/c/connection.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Events that one call looks at, at most.
#define BELTWAY_MAX_EVENTS_PER_REQUEST 512

/// One thing that happened. A member that does not apply is "" or 0. Later versions may add kinds.
typedef struct beltway_event {
  size_t size;
  uint64_t sequence;      ///< 1 for the first one of a journal, then one more each time
  uint64_t time_ns;       ///< since 1970, CLOCK_REALTIME
  uint64_t monotonic_ns;  ///< CLOCK_MONOTONIC
  /// "started", "taken_over": the daemon. "declared", "changed", "removed", "expired": a queue. "attached", "left", "died",
  /// "repaired", "evicted": an endpoint. "full", "room": producers wait, and wait no more. "dead_lettered", "purged",
  /// "acknowledged", "moved": messages. "group_added", "group_removed", "group_paused", "group_resumed", "group_reset".
  const char* kind;
  const char* queue;
  uint64_t queue_id;
  const char* group;    ///< a named group
  const char* role;     ///< "producer" or "consumer", if the event is about an endpoint
  const char* command;  ///< the name of the program of `pid`
  const char* text;     ///< what happened, for people: a sentence without its end
  uint32_t index;       ///< of that endpoint, among producers or among consumers
  int32_t pid;          ///< the endpoint's process, otherwise the process that asked for it; 0: none, or not known
  uint32_t uid;         ///< that process's user; only if there is a pid
  uint8_t reserved[4];
  uint64_t voided;    ///< "repaired": claims without a message that were ended
  uint64_t released;  ///< "repaired": messages that were given back to their groups
  uint64_t messages;  ///< "dead_lettered", "purged": how many
} beltway_event;

/// Some events that follow each other.
typedef struct beltway_event_page {
  size_t size;
  uint64_t
      journal;  ///< what the sequence numbers belong to; another number: a daemon began anew with sequence number 1
  const beltway_event* const* events;  ///< those that the caller may see, the oldest first
  size_t event_count;
  uint64_t first;  ///< sequence number of the oldest event that the daemon remembers
  uint64_t last;   ///< of the newest one; 0: there is none yet
  uint64_t next;   ///< ask for the events from here on next
  bool more;       ///< there are more already
  uint8_t reserved[7];
} beltway_event_page;

/// What the daemon has seen, from the sequence number `since` on (0: from the oldest): at most `count` events; one call
/// looks at BELTWAY_MAX_EVENTS_PER_REQUEST. The daemon remembers the last 4096, also if it is started again. It shows the events
/// of the queues that the caller may read or write. Asks once and does not wait for events: to follow them, ask again now and
/// then with the member `next` of the page. Free the page by beltway_event_page_free().
/// Fails with protocol if the daemon is older and has no events, and as all calls of a connection.
BELTWAY_C_CALL beltway_status beltway_events(const beltway_connection* connection, uint64_t since, uint32_t count,
                                             beltway_event_page** page);
/// NULL: no effect.
BELTWAY_C_CALL void beltway_event_page_free(beltway_event_page* page);

#ifdef __cplusplus
}
#endif

#endif
