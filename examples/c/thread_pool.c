// Receiving in one thread, handling in a pool. A message is a struct, so a pipe hands it over to the next free worker, which
// acknowledges it. `thread_pool [JOBS]` ends after them, or at SIGTERM or Ctrl-C.
#define _GNU_SOURCE  // O_DIRECT: a read gets one message
#include <beltway/beltway.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { k_workers = 4 };
static atomic_long sum;
static int ends[2], jobs;
static beltway_stop* stop;
static beltway_producer* out;
static void must(bool ok) {
  if (!ok) fprintf(stderr, "%s\n", beltway_last_error()), exit(1);
}
static void* work(void* nothing) {
  beltway_message job;
  while (read(ends[0], &job, sizeof job) == sizeof job) {  // it is ours now
    sum += *(const int*)job.data;
    beltway_ack(&job);
  }
  return nothing;
}
static void* send_jobs(void* nothing) {
  for (int i = 1; i <= jobs && beltway_publish_until(out, &i, sizeof i, BELTWAY_FOREVER, stop) == BELTWAY_OK;) ++i;
  beltway_producer_free(out);
  return nothing;
}
int main(int argc, char** argv) {
  beltway_group pool = BELTWAY_GROUP_INIT("pool");
  beltway_queue_options options = BELTWAY_QUEUE_OPTIONS_INIT;
  beltway_consumer_options consumer = BELTWAY_CONSUMER_OPTIONS_INIT;
  beltway_connection* link = NULL;
  beltway_queue* queue = NULL;
  beltway_consumer* in = NULL;
  beltway_message job = BELTWAY_MESSAGE_INIT;
  pthread_t threads[k_workers + 1];
  jobs = argc > 1 ? atoi(argv[1]) : 10000;
  must(beltway_stop_on_signals((const int[]){SIGINT, SIGTERM}, 2, &stop) == BELTWAY_OK);
  must(pipe2(ends, O_CLOEXEC | O_DIRECT) == 0);
  options.groups = &pool, options.group_count = 1;
  consumer.group = "pool", consumer.end_of_stream = BELTWAY_END_AFTER_PRODUCER;
  must(beltway_open(NULL, &link) == BELTWAY_OK && beltway_declare(link, "c_pool", &options, &queue) == BELTWAY_OK);
  must(beltway_consumer_new(queue, &consumer, &in) == BELTWAY_OK);
  must(beltway_producer_new(queue, NULL, &out) == BELTWAY_OK);
  for (int i = 0; i <= k_workers; ++i) must(pthread_create(&threads[i], NULL, i == 0 ? send_jobs : work, NULL) == 0);
  while (beltway_receive_until(in, &job, BELTWAY_FOREVER, stop) == BELTWAY_OK &&
         write(ends[1], &job, sizeof job) == sizeof job)
    memset(&job, 0, sizeof job);  // a worker has it
  close(ends[1]);
  for (int i = 0; i <= k_workers; ++i) pthread_join(threads[i], NULL);
  printf("sum: %ld\n", (long)sum);
}
