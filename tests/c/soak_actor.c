// A producer or a worker of the soak of languages, which kills it at any moment. What it did is in its log, one write() a line.
//
//   soak_actor_c producer SOCKET QUEUE ID FIRST LOG
//   soak_actor_c worker SOCKET QUEUE GROUP LOG
//
// tests/e2e says what the lines are. SIGTERM ends it with exit code 0.
#include <beltway/beltway.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { k_most_messages = 1000000, k_most_bytes = 3001, k_batch = 4, k_head_bytes = 64 };

static beltway_stop* stop = NULL;
static int log_file = -1;

/// Ends the program unless the call was done. A requested stop is a good end.
static void must(beltway_status status, const char* call) {
  if (status == BELTWAY_OK) return;
  if (beltway_stop_requested(stop)) exit(0);
  fprintf(stderr, "%s: %s: %s\n", call, beltway_status_name(status), beltway_last_error());
  exit(2);
}

static void write_line(const char* line, int size) {
  if (write(log_file, line, (size_t)size) == size) return;
  perror("log");
  exit(2);
}

/// Message `number` of `producer`. Returns its bytes.
static size_t build(uint64_t producer, uint64_t number, char* message) {
  const int head = snprintf(message, k_head_bytes, "%" PRIu64 " %" PRIu64 " ", producer, number);
  const size_t filler = number % k_most_bytes;
  memset(message + head, (int)('a' + number % 26), filler);
  return (size_t)head + filler;
}

typedef struct text {
  const char* bytes;
} text;
static void copy_text(void* context, void* place, size_t size) { memcpy(place, ((const text*)context)->bytes, size); }

static void publish(beltway_producer* out, const char* message, size_t size, uint64_t number) {
  const beltway_bytes parts[2] = {{message, size / 2}, {message + size / 2, size - size / 2}};
  beltway_loan loan = BELTWAY_LOAN_INIT;
  text whole = {message};
  switch (number % 7) {
    case 0:
      must(beltway_lend_until(out, size, NULL, &loan, BELTWAY_FOREVER, stop), "lend");
      memcpy(loan.data, message, size);
      must(beltway_commit_until(&loan, size, BELTWAY_FOREVER, stop), "commit");
      break;
    case 1: must(beltway_publish_parts_until(out, parts, 2, NULL, BELTWAY_FOREVER, stop), "publish parts"); break;
    case 2:
      must(beltway_publish_writer_until(out, size, copy_text, &whole, NULL, BELTWAY_FOREVER, stop), "publish writer");
      break;
    default: must(beltway_publish_until(out, message, size, BELTWAY_FOREVER, stop), "publish"); break;
  }
}

static void produce(const beltway_queue* queue, uint64_t producer, uint64_t first) {
  static char message[k_head_bytes + k_most_bytes];
  beltway_producer* out = NULL;
  uint64_t number;
  char line[k_head_bytes];
  must(beltway_producer_new(queue, NULL, &out), "attach");
  for (number = first; number < k_most_messages; ++number) {
    const size_t size = build(producer, number, message);
    write_line(line, snprintf(line, sizeof line, "b %" PRIu64 "\n", number));
    publish(out, message, size, number);
    write_line(line, snprintf(line, sizeof line, "c %" PRIu64 "\n", number));
  }
  while (!beltway_stop_requested(stop)) sleep(1);
}

static void handle(beltway_message* message) {
  static char expected[k_head_bytes + k_most_bytes];
  const uint32_t deliveries = beltway_message_deliveries(message);
  uint64_t producer = 0;
  uint64_t number = 0;
  char head[k_head_bytes] = "";
  memcpy(head, message->data, message->size < sizeof head ? message->size : sizeof head - 1);
  if (sscanf(head, "%" SCNu64 " %" SCNu64, &producer, &number) != 2 ||
      build(producer, number, expected) != message->size || memcmp(expected, message->data, message->size) != 0) {
    fprintf(stderr, "position %" PRIu64 " is torn\n", message->position);
    exit(3);
  }
  write_line(head,
             snprintf(head, sizeof head, "s %" PRIu64 " %" PRIu64 " %u\n", producer, number, (unsigned)deliveries));
  if (number % 67 == 0 && deliveries == 1) {
    beltway_nack(message);
  } else {
    beltway_ack(message);
  }
}

static void work(const beltway_queue* queue, const char* group) {
  beltway_consumer_options options = BELTWAY_CONSUMER_OPTIONS_INIT;
  beltway_consumer* in = NULL;
  beltway_message batch[k_batch] = {BELTWAY_MESSAGE_INIT};
  options.group = group;
  must(beltway_consumer_new(queue, &options, &in), "attach");
  for (;;) {
    size_t count = 0;
    size_t i;
    must(beltway_receive_batch_until(in, batch, k_batch, &count, BELTWAY_FOREVER, stop), "receive");
    for (i = 0; i < count; ++i) handle(&batch[i]);
  }
}

int main(int argc, char** argv) {
  const int signals[] = {SIGTERM};
  const bool is_producer = argc == 7 && strcmp(argv[1], "producer") == 0;
  beltway_connection_options options = BELTWAY_CONNECTION_OPTIONS_INIT;
  beltway_connection* link = NULL;
  beltway_queue* queue = NULL;
  if (!is_producer && (argc != 6 || strcmp(argv[1], "worker") != 0)) {
    fprintf(stderr, "soak_actor_c producer SOCKET QUEUE ID FIRST LOG | worker SOCKET QUEUE GROUP LOG\n");
    return 2;
  }
  must(beltway_stop_on_signals(signals, 1, &stop), "stop");
  log_file = open(argv[argc - 1], O_WRONLY | O_APPEND | O_CREAT, 0600);
  options.socket = argv[2];
  must(beltway_open(&options, &link), "open");
  must(beltway_open_queue(link, argv[3], &queue), "open queue");
  if (is_producer) {
    produce(queue, strtoull(argv[4], NULL, 10), strtoull(argv[5], NULL, 10));
  } else {
    work(queue, argv[4]);
  }
  return 0;
}
