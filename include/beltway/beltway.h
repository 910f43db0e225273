// Beltway for C: message queues in shared memory for the processes of one machine. Link with -lbeltway-c.
//
//   beltway_connection *link = NULL;
//   beltway_queue *orders = NULL;
//   beltway_producer *out = NULL;
//   if (beltway_open(NULL, &link) != BELTWAY_OK || beltway_declare(link, "orders", NULL, &orders) != BELTWAY_OK ||
//       beltway_producer_new(orders, NULL, &out) != BELTWAY_OK || beltway_publish(out, "hello", 5) != BELTWAY_OK) {
//     fprintf(stderr, "%s\n", beltway_last_error());
//   }
//
// It is the C++ API in C: each call does what the C++ call of that name does, and the C++ headers say more of it. Differences:
// - Outcomes are a beltway_status. BELTWAY_ERROR stands for a beltway::Error: beltway_last_error() has its text, and
//   beltway_last_errc() its reason, for the thread that made the call. No exception leaves the library.
// - Objects are opaque handles: `_new` and `_free`. Out parameters are written if and only if the status is BELTWAY_OK, unless
//   a call says otherwise. Messages and loans are structs of the caller, so that no call allocates memory for a message.
// - Structs of options, and structs that calls fill, begin with their size. Initialise them by their macros
//   (BELTWAY_QUEUE_OPTIONS_INIT), which also hold the defaults. A program that was compiled with an older header goes on to
//   work with a newer library: the library takes and fills as many bytes as `size` says. `reserved` members must be 0.
// - Times of options are in ms, and named so; other times are in us or ns, and named so. Timeouts: BELTWAY_FOREVER, or us.
// - Names and other strings end with a zero, are UTF-8, and need only live until the call returns. Strings that a call returns
//   belong to the object that it was asked of.
// - A NULL handle is BELTWAY_ERROR (misuse). A handle that was freed must not be used.
// - After fork() a child uses no handle of its parent: BELTWAY_ERROR (forked). It opens its own connection.
//
// ABI: libbeltway-c.so.0 shows these calls alone. Calls, enumerators and members of versioned structs may be added; none changes.
#ifndef BELTWAY_BELTWAY_H
#define BELTWAY_BELTWAY_H

#include "beltway/c/base.h"
#include "beltway/c/connection.h"
#include "beltway/c/consumer.h"
#include "beltway/c/events.h"
#include "beltway/c/info.h"
#include "beltway/c/loop.h"
#include "beltway/c/options.h"
#include "beltway/c/producer.h"
#include "beltway/c/properties.h"
#include "beltway/c/stop.h"

#endif
