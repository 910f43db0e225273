// A worker that leaves in order when it is told to (SIGTERM or Ctrl-C): it takes no more jobs, finishes and acknowledges those
// that it has in hand, and goes. What it has not taken stays for others.
#include <beltway/beltway.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { k_workers = 3 };
static beltway_stop* stop;

static void must(bool done) {
  if (done) return;
  fprintf(stderr, "%s\n", beltway_last_error());
  exit(1);
}

static void* work(void* consumer) {
  const struct timespec effort = {.tv_nsec = 20000000};
  beltway_message job = BELTWAY_MESSAGE_INIT;
  beltway_status status;
  // The stop ends the wait for a job, and no message is lost by that. What is in hand goes on.
  while ((status = beltway_receive_until(consumer, &job, BELTWAY_FOREVER, stop)) == BELTWAY_OK) {
    nanosleep(&effort, NULL);
    printf("done %.*s\n", (int)job.size, (const char*)job.data);
    fflush(stdout);
    beltway_ack(&job);
  }
  must(status == BELTWAY_STOPPED);
  return NULL;
}

int main(void) {
  beltway_group group = BELTWAY_GROUP_INIT("workers");
  beltway_queue_options options = BELTWAY_QUEUE_OPTIONS_INIT;
  beltway_consumer_options worker = BELTWAY_CONSUMER_OPTIONS_INIT;
  beltway_connection* link = NULL;
  beltway_queue* queue = NULL;
  beltway_consumer* in[k_workers] = {NULL};
  pthread_t threads[k_workers];
  must(beltway_stop_on_signals((const int[]){SIGINT, SIGTERM}, 2, &stop) ==
       BELTWAY_OK);  // from here on they are handled
  options.groups = &group, options.group_count = 1;
  must(beltway_open(NULL, &link) == BELTWAY_OK && beltway_declare(link, "c_shutdown", &options, &queue) == BELTWAY_OK);
  worker.group = "workers";
  for (int i = 0; i < k_workers; ++i) {
    must(beltway_consumer_new(queue, &worker, &in[i]) == BELTWAY_OK);
    must(pthread_create(&threads[i], NULL, work, in[i]) == 0);
  }
  for (int i = 0; i < k_workers; ++i) {
    pthread_join(threads[i], NULL);
    beltway_consumer_free(in[i]);
  }
  puts("left in order");
  return 0;
}
