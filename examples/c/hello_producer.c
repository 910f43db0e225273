// Says hello a few times: connect, declare, publish. Run hello_consumer beside it, before or afterwards.
//
//   hello_producer [COUNT]
#include <beltway/beltway.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static void must(beltway_status status) {
  if (status == BELTWAY_OK) return;
  fprintf(stderr, "%s\n", beltway_last_error());  // names the operation, the object and the remedy
  exit(1);
}

int main(int argc, char** argv) {
  const int signals[] = {SIGINT, SIGTERM};
  const int count = argc > 1 ? atoi(argv[1]) : 10;
  const beltway_group listeners = BELTWAY_GROUP_INIT("listeners");
  beltway_queue_options options = BELTWAY_QUEUE_OPTIONS_INIT;
  beltway_stop* stop = NULL;
  beltway_connection* link = NULL;
  beltway_queue* queue = NULL;
  beltway_producer* out = NULL;
  int sent = 0;

  must(beltway_stop_on_signals(signals, 2, &stop));
  must(beltway_open(NULL, &link));  // starts a daemon of yours if none runs
  options.groups = &listeners;      // a group keeps messages for its consumers even while none is there
  options.group_count = 1;
  must(beltway_declare(link, "hello", &options, &queue));
  must(beltway_producer_new(queue, NULL, &out));
  while (sent < count) {
    char text[32];
    const int size = snprintf(text, sizeof text, "hello %d", sent + 1);
    // Waits while the queue is full, or until somebody wants this program to end.
    if (beltway_publish_until(out, text, (size_t)size, BELTWAY_FOREVER, stop) != BELTWAY_OK) break;
    ++sent;
  }
  printf("sent %d messages\n", sent);
  beltway_producer_free(out);
  beltway_queue_free(queue);
  beltway_close(link);
  beltway_stop_free(stop);
  return 0;
}
