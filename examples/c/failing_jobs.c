// Messages that fail: a job that fails is tried again after a pause, newer jobs go on meanwhile, and a job that never succeeds is
// dropped and counted.
#include <beltway/beltway.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static void must(bool done) {
  if (!done) fprintf(stderr, "%s\n", beltway_last_error()), exit(1);
}
static bool is(const beltway_message* job, const char* name) {
  return job->size == strlen(name) && memcmp(job->data, name, job->size) == 0;
}

static int work(void* done, beltway_message* job) {
  const uint32_t delivery = beltway_message_deliveries(job);
  printf("%.*s, delivery %" PRIu32 ": ", (int)job->size, (const char*)job->data, delivery);
  if (is(job, "not a job")) {
    puts("rejected");
    must(beltway_reject(job) >= 0);  // no later delivery can succeed
  } else if (is(job, "broken")) {
    puts("failed");
    beltway_nack(job);  // again after 10 ms, then 20 ms; after the third delivery it is dropped
  } else if (is(job, "server away") && delivery == 1) {
    puts("later");
    must(beltway_nack_after(job, 100000) >= 0);  // again after this pause
  } else {
    puts("done");
    ++*(int*)done;
    beltway_ack(job);
  }
  return 0;
}

int main(void) {
  beltway_group workers = BELTWAY_GROUP_INIT("workers");
  beltway_queue_options options = BELTWAY_QUEUE_OPTIONS_INIT;
  beltway_consumer_options worker = BELTWAY_CONSUMER_OPTIONS_INIT;
  beltway_consumer_counters counters = {.size = sizeof counters};
  const beltway_bytes jobs[] = {{"broken", 6}, {"server away", 11}, {"not a job", 9}, {"good", 4}};
  beltway_connection* link = NULL;
  beltway_queue* queue = NULL;
  beltway_producer* out = NULL;
  beltway_consumer* in = NULL;
  int done = 0;
  workers.retry_delay_ms = 10, workers.max_deliveries = 3, workers.discard = 1;
  options.groups = &workers, options.group_count = 1;
  must(beltway_open(NULL, &link) == BELTWAY_OK && beltway_declare(link, "c_failing", &options, &queue) == BELTWAY_OK);
  must(beltway_producer_new(queue, NULL, &out) == BELTWAY_OK);
  must(beltway_publish_batch(out, jobs, 4, NULL) == BELTWAY_OK);
  beltway_producer_free(out);
  // A delayed message is not delivered yet: the stream ends after it.
  worker.group = "workers", worker.end_of_stream = BELTWAY_END_DRAINED;
  must(beltway_consumer_new(queue, &worker, &in) == BELTWAY_OK);
  must(beltway_consume(in, work, &done, BELTWAY_FOREVER, NULL) == BELTWAY_END_OF_STREAM);
  must(beltway_consumer_get_counters(in, &counters) == BELTWAY_OK);
  printf("%d done, %" PRIu64 " dropped\n", done, counters.discarded);
  return 0;
}
