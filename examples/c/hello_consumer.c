// Prints what hello_producer says, with a callback, until Ctrl-C.
#include <beltway/beltway.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static void must(beltway_status status) {
  if (status == BELTWAY_OK) return;
  fprintf(stderr, "%s\n", beltway_last_error());
  exit(1);
}

static int print(void* context, beltway_message* message) {
  (void)context;
  printf("%.*s\n", (int)message->size, (const char*)message->data);
  fflush(stdout);
  return 0;  // go on; the message is acknowledged when this returns, as the options say
}

int main(void) {
  const int signals[] = {SIGINT, SIGTERM};
  const beltway_group listeners = BELTWAY_GROUP_INIT("listeners");
  beltway_queue_options options = BELTWAY_QUEUE_OPTIONS_INIT;
  beltway_consumer_options consumer = BELTWAY_CONSUMER_OPTIONS_INIT;
  beltway_stop* stop = NULL;
  beltway_connection* link = NULL;
  beltway_queue* queue = NULL;
  beltway_consumer* in = NULL;

  must(beltway_stop_on_signals(signals, 2, &stop));  // Ctrl-C and SIGTERM end the wait below, whenever they come
  must(beltway_open(NULL, &link));
  options.groups = &listeners;
  options.group_count = 1;
  must(beltway_declare(link, "hello", &options, &queue));
  consumer.group = "listeners";  // it goes on when the last producer leaves: it waits for producers yet to come
  consumer.ack = BELTWAY_ACK_AUTOMATIC;
  must(beltway_consumer_new(queue, &consumer, &in));
  printf("ended: %s\n", beltway_status_name(beltway_consume(in, print, NULL, BELTWAY_FOREVER, stop)));
  beltway_consumer_free(in);
  beltway_queue_free(queue);
  beltway_close(link);
  beltway_stop_free(stop);
  return 0;
}
