// Checks of the C test programs. A program is a table of cases; each has a daemon at $BELTWAY_SOCKET and a queue name of its own.
// It compiles as C11 and as C++.
#ifndef BELTWAY_TESTS_C_CHECK_H
#define BELTWAY_TESTS_C_CHECK_H

#include <beltway/beltway.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_failures = 0;

#define CHECK(condition)                                                        \
  do {                                                                          \
    if (!(condition)) {                                                         \
      ++check_failures;                                                         \
      fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
    }                                                                           \
  } while (0)

/// The status of a call; on a difference also the last error.
#define CHECK_STATUS(call, wanted)                                                                \
  do {                                                                                            \
    const beltway_status check_got = (call);                                                      \
    if (check_got != (wanted)) {                                                                  \
      ++check_failures;                                                                           \
      fprintf(stderr, "%s:%d: %s: %s, not %s; last error: %s\n", __FILE__, __LINE__, #call,       \
              beltway_status_name(check_got), beltway_status_name(wanted), beltway_last_error()); \
    }                                                                                             \
  } while (0)
#define CHECK_OK(call) CHECK_STATUS(call, BELTWAY_OK)

/// A call that fails for that reason, with a text that has this part.
#define CHECK_FAILS(call, reason, part)                                                                         \
  do {                                                                                                          \
    CHECK_STATUS(call, BELTWAY_ERROR);                                                                          \
    CHECK(beltway_last_errc() == (reason));                                                                     \
    if (strstr(beltway_last_error(), (part)) == NULL) {                                                         \
      ++check_failures;                                                                                         \
      fprintf(stderr, "%s:%d: \"%s\" does not say \"%s\"\n", __FILE__, __LINE__, beltway_last_error(), (part)); \
    }                                                                                                           \
  } while (0)

static inline bool text_is(beltway_text text, const char* wanted) {
  return text.size == strlen(wanted) && (text.size == 0 || memcmp(text.data, wanted, text.size) == 0);
}
static inline bool message_is(const beltway_message* message, const char* wanted) {
  return message->size == strlen(wanted) && memcmp(message->data, wanted, message->size) == 0;
}

/// A connection, a queue, a producer and a consumer.
typedef struct stage {
  beltway_connection* link;
  beltway_queue* queue;
  beltway_producer* out;
  beltway_consumer* in;
} stage;

/// `group`: NULL for a private consumer.
static inline stage set_stage(const char* name, const beltway_queue_options* options, const char* group) {
  stage made = {NULL, NULL, NULL, NULL};
  beltway_consumer_options consumer = BELTWAY_CONSUMER_OPTIONS_INIT;
  consumer.group = group;
  consumer.create_group = group != NULL;
  if (beltway_open(NULL, &made.link) != BELTWAY_OK ||
      beltway_declare(made.link, name, options, &made.queue) != BELTWAY_OK ||
      beltway_producer_new(made.queue, NULL, &made.out) != BELTWAY_OK ||
      beltway_consumer_new(made.queue, &consumer, &made.in) != BELTWAY_OK) {
    fprintf(stderr, "%s: %s\n", name, beltway_last_error());
    exit(2);
  }
  return made;
}
static inline void strike_stage(stage* made) {
  beltway_consumer_free(made->in);
  beltway_producer_free(made->out);
  CHECK_OK(beltway_remove(made->link, beltway_queue_name(made->queue), BELTWAY_REMOVE_FORCE));
  beltway_queue_free(made->queue);
  beltway_close(made->link);
}

typedef struct test_case {
  const char* name;
  void (*run)(void);
} test_case;

/// Runs all cases. 0 if all is well.
static inline int run_cases(const test_case* cases, size_t count) {
  size_t i;
  for (i = 0; i < count; ++i) {
    const int before = check_failures;
    cases[i].run();
    printf("%s %s\n", check_failures == before ? "ok" : "FAILED", cases[i].name);
  }
  return check_failures == 0 && count != 0 ? 0 : 1;
}
#define RUN_CASES(cases) run_cases((cases), sizeof(cases) / sizeof *(cases))

#endif
