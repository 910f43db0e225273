// Beltway's own event loop, for programs that have none: callbacks for messages and for other descriptors, here a pipe that
// stands for your sockets.
#include <beltway/beltway.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct server {
  beltway_loop* loop;
  int orders;
} server;

static void must(beltway_status status) {
  if (status == BELTWAY_OK) return;
  fprintf(stderr, "%s\n", beltway_last_error());
  exit(1);
}

static void on_order(void* context, beltway_status status, beltway_message* message) {
  server* const self = context;
  if (status != BELTWAY_OK) {
    printf("%d orders, then: %s\n", self->orders, beltway_status_name(status));  // no message comes any more
    return;
  }
  printf("order %.*s\n", (int)message->size, (const char*)message->data);
  ++self->orders;
  beltway_ack(message);
}

static void on_line(void* context, int fd) {
  server* const self = context;
  char line[64];
  const ssize_t size = read(fd, line, sizeof line);
  printf("pipe says %.*s\n", (int)size, line);
  beltway_loop_forget(self->loop, fd);
}

int main(void) {
  server self = {NULL, 0};
  beltway_connection* link = NULL;
  beltway_queue* queue = NULL;
  beltway_producer* out = NULL;
  beltway_consumer* in = NULL;
  int ends[2];
  must(beltway_open(NULL, &link));
  must(beltway_declare(link, "c_orders", NULL, &queue));
  must(beltway_consumer_new(queue, NULL, &in));
  must(beltway_producer_new(queue, NULL, &out));
  must(beltway_loop_new(&self.loop));
  must(beltway_loop_on_message(self.loop, in, on_order, &self));
  if (pipe(ends) != 0 || write(ends[1], "hello", 5) != 5) return 1;
  must(beltway_loop_on_readable(self.loop, ends[0], on_line, &self));
  must(beltway_publish(out, "7", 1));
  must(beltway_publish(out, "8", 1));
  beltway_producer_free(out);                                // the last producer leaves: the stream ends
  must(beltway_loop_run(self.loop, BELTWAY_FOREVER, NULL));  // until there is nothing left to wait for
  beltway_loop_free(self.loop);
  return 0;
}
