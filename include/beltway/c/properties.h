// The C API: what a message says about itself beside its payload. See beltway.h.
#ifndef BELTWAY_C_PROPERTIES_H
#define BELTWAY_C_PROPERTIES_H

#include "beltway/c/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Headers of one message, at most.
#define BELTWAY_MAX_HEADERS 32

/// An application header: any bytes.
typedef struct beltway_header {
  beltway_text name;
  beltway_text value;
} beltway_header;

/// Why a message was moved to a dead letter queue.
typedef enum beltway_dead_letter_reason {
  BELTWAY_REJECTED = 1,             ///< by beltway_reject()
  BELTWAY_TOO_MANY_DELIVERIES = 2,  ///< it failed max_deliveries times
  BELTWAY_EXPIRED = 3,              ///< it was older than its ttl
  BELTWAY_LEASE_OVER = 4            ///< it failed max_deliveries times, at last since it was held beyond lease_timeout
} beltway_dead_letter_reason;

/// What a message in a dead letter queue says about its failure. Times: CLOCK_REALTIME, ns since 1970.
typedef struct beltway_dead_letter {
  beltway_dead_letter_reason reason;
  uint32_t deliveries;    ///< how often it was delivered in that group; above 255: 255
  uint64_t position;      ///< in that queue
  int64_t first_time_ns;  ///< when it first became a dead letter
  int64_t last_time_ns;   ///< when it last became one
  beltway_text queue;     ///< where it failed
  beltway_text group;
} beltway_dead_letter;

/// `publish_time_ns`: the time of the publish, or of a loan's commit.
#define BELTWAY_PUBLISH_TIME_NOW INT64_MAX

/// What a producer says about a message. The texts must live until the call that takes them returns. An empty field is absent.
/// Each text has at most 255 bytes. There are at most BELTWAY_MAX_HEADERS headers, and all their names and values together have
/// at most 4096 bytes. Larger ones get BELTWAY_TOO_LARGE.
typedef struct beltway_properties {
  size_t size;                  ///< sizeof(beltway_properties)
  beltway_text key;             ///< what the message is about: a customer, a device, a topic
  beltway_text correlation_id;  ///< which request the message answers
  beltway_text reply_to;        ///< the queue that an answer goes to
  beltway_text content_type;    ///< of the payload
  beltway_text trace_id;        ///< the trace that the message belongs to, as text
  const beltway_header* headers;
  size_t header_count;
  int64_t publish_time_ns;                 ///< CLOCK_REALTIME; 0: none; or BELTWAY_PUBLISH_TIME_NOW
  int64_t ttl_us;                          ///< an older message is not delivered; 0: no time of its own
  const beltway_dead_letter* dead_letter;  ///< not NULL: the message is a dead letter
} beltway_properties;
#define BELTWAY_PROPERTIES_INIT \
  {sizeof(beltway_properties), {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, NULL, 0, 0, 0, NULL}

/// The properties of a received message. Its texts lie in the message, and are valid as long as that is held.
typedef struct beltway_received_properties {
  size_t size;  ///< sizeof(beltway_received_properties): set it before the call that fills the struct
  beltway_text key;
  beltway_text correlation_id;
  beltway_text reply_to;
  beltway_text content_type;
  beltway_text trace_id;
  int64_t publish_time_ns;  ///< CLOCK_REALTIME; 0: none
  int64_t expires_at_ns;    ///< CLOCK_MONOTONIC, by the message's own ttl; BELTWAY_UNSET: it does not expire
  bool is_damaged;          ///< the block made no sense from some field on: that one and those behind it are absent
  bool is_dead_letter;      ///< then `dead_letter` says why
  uint8_t reserved[6];
  beltway_dead_letter dead_letter;  ///< only if `is_dead_letter`
  size_t header_count;
  beltway_header headers[BELTWAY_MAX_HEADERS];  ///< only `header_count` of them are written
} beltway_received_properties;

/// The same fields without the ttl, to be published again. They point into `received`, which must live until then.
static inline beltway_properties beltway_forwarded(const beltway_received_properties* received) {
  beltway_properties properties = BELTWAY_PROPERTIES_INIT;
  properties.key = received->key;
  properties.correlation_id = received->correlation_id;
  properties.reply_to = received->reply_to;
  properties.content_type = received->content_type;
  properties.trace_id = received->trace_id;
  properties.headers = received->headers;
  properties.header_count = received->header_count;
  properties.publish_time_ns = received->publish_time_ns;
  properties.dead_letter = received->is_dead_letter ? &received->dead_letter : NULL;
  return properties;
}

/// The first header of that name; NULL: there is none.
static inline const beltway_text* beltway_find_header(const beltway_received_properties* received, const char* name) {
  size_t i;
  for (i = 0; i < received->header_count; ++i) {
    const beltway_header* header = &received->headers[i];
    if (header->name.size == strlen(name) && memcmp(header->name.data, name, header->name.size) == 0) {
      return &header->value;
    }
  }
  return NULL;
}

#ifdef __cplusplus
}
#endif

#endif
