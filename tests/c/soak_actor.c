/* A producer or a worker of the soak, which kills it at any moment. What it did is in its log, one write() a line.
 *
 *   soak_actor_c producer SOCKET QUEUE ID FIRST LOG
 *   soak_actor_c worker SOCKET QUEUE GROUP LOG
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "beltway/beltway.h"

enum { MOST_MESSAGES = 1000000, MOST_BYTES = 3001, ROOM = MOST_BYTES + 64 };

static volatile sig_atomic_t stopped = 0;

static void stop(int number) {
  (void)number;
  stopped = 1;
}

static void fail(const char* what) {
  fprintf(stderr, "%s: %s\n", what, beltway_last_error());
  exit(2);
}

/* A signal ends a wait as BELTWAY_INTERRUPTED: then the caller looks at `stopped`. */
static void need(beltway_status status, const char* what) {
  if (status != BELTWAY_OK && status != BELTWAY_INTERRUPTED) fail(what);
}

static void write_line(int log, const char* line) {
  if (write(log, line, strlen(line)) < 0) {
    perror("log");
    exit(2);
  }
}

/* Message `number` of a producer; returns its size. */
static size_t build(char* bytes, long producer, long number) {
  const int head = sprintf(bytes, "%ld %ld ", producer, number);
  memset(bytes + head, 'a' + (int)(number % 26), (size_t)(number % MOST_BYTES));
  return (size_t)head + (size_t)(number % MOST_BYTES);
}

/* Every seventh message by a loan. */
static beltway_status publish(beltway_producer* out, const char* bytes, size_t size, long number) {
  beltway_loan loan = BELTWAY_LOAN_INIT;
  beltway_status status;
  if (number % 7 != 0) return beltway_publish(out, bytes, size);
  status = beltway_lend(out, size, NULL, &loan);
  if (status != BELTWAY_OK) return status;
  memcpy(loan.data, bytes, size);
  status = beltway_commit(&loan, size, NULL);
  beltway_loan_drop(&loan);
  return status;
}

static void produce(const beltway_queue* queue, long producer, long first, int log) {
  static char bytes[ROOM];
  char line[64];
  beltway_producer* out = NULL;
  long number;
  need(beltway_producer_new(queue, NULL, &out), "attach");
  for (number = first; number < MOST_MESSAGES && !stopped; ++number) {
    beltway_status status;
    const size_t size = build(bytes, producer, number);
    sprintf(line, "b %ld\n", number);
    write_line(log, line);
    do {
      status = publish(out, bytes, size, number);
      need(status, "publish");
    } while (status != BELTWAY_OK && !stopped);
    if (status != BELTWAY_OK) break;
    line[0] = 'c';
    write_line(log, line);
  }
  while (!stopped) sleep(1);
  beltway_producer_free(out);
}

static void work(const beltway_queue* queue, const char* group, int log) {
  static char expected[ROOM];
  char line[96];
  beltway_consumer* in = NULL;
  beltway_consumer_options options = BELTWAY_CONSUMER_OPTIONS_INIT;
  beltway_message message = BELTWAY_MESSAGE_INIT;
  options.group = group;
  need(beltway_consumer_new(queue, &options, &in), "attach");
  while (!stopped) {
    long producer = 0;
    long number = 0;
    const beltway_status status = beltway_receive(in, &message);
    need(status, "receive");
    if (status != BELTWAY_OK) continue;
    memcpy(expected, message.data, message.size < 48 ? message.size : 48); /* so that the numbers end with a zero */
    expected[message.size < 48 ? message.size : 48] = 0;
    if (sscanf(expected, "%ld %ld ", &producer, &number) != 2 || build(expected, producer, number) != message.size ||
        memcmp(expected, message.data, message.size) != 0) {
      fprintf(stderr, "position %llu is torn\n", (unsigned long long)message.position);
      exit(3);
    }
    sprintf(line, "s %ld %ld %u\n", producer, number, (unsigned)beltway_message_deliveries(&message));
    write_line(log, line);
    if (number % 67 == 0 && beltway_message_deliveries(&message) == 1) {
      beltway_nack(&message);
    } else {
      beltway_ack(&message);
    }
  }
  beltway_consumer_free(in);
}

int main(int argc, char** argv) {
  beltway_connection_options options = BELTWAY_CONNECTION_OPTIONS_INIT;
  beltway_connection* link = NULL;
  beltway_queue* queue = NULL;
  struct sigaction action;
  int log;
  if (argc < 6) return 64;
  memset(&action, 0, sizeof action);
  action.sa_handler = stop; /* without SA_RESTART: waits end */
  sigaction(SIGTERM, &action, NULL);
  log = open(argv[argc - 1], O_WRONLY | O_APPEND | O_CREAT, 0600);
  if (log < 0) return 64;
  options.socket = argv[2];
  need(beltway_open(&options, &link), "connect");
  need(beltway_open_queue(link, argv[3], &queue), "open");
  if (strcmp(argv[1], "producer") == 0) {
    produce(queue, atol(argv[4]), atol(argv[5]), log);
  } else {
    work(queue, argv[4], log);
  }
  beltway_queue_free(queue);
  beltway_close(link);
  close(log);
  return 0;
}
