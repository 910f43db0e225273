// A job queue with retries and dead letters: a job that fails is tried again after a pause. A job that failed three times, or
// that its worker rejects, goes to another queue, with the reason.
#include <beltway/beltway.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(beltway_status status) {
  if (status == BELTWAY_OK) return;
  fprintf(stderr, "%s\n", beltway_last_error());
  exit(1);
}
static bool is(const beltway_message* job, const char* name) {
  return job->size == strlen(name) && memcmp(job->data, name, job->size) == 0;
}

int main(void) {
  beltway_group operators = BELTWAY_GROUP_INIT("operators"), workers = BELTWAY_GROUP_INIT("workers");
  beltway_queue_options options = BELTWAY_QUEUE_OPTIONS_INIT;
  beltway_consumer_options worker = BELTWAY_CONSUMER_OPTIONS_INIT, reader = BELTWAY_CONSUMER_OPTIONS_INIT;
  const beltway_bytes jobs[] = {{"broken", 6}, {"not a job", 9}, {"resize a.png", 12}};
  beltway_message job = BELTWAY_MESSAGE_INIT;
  beltway_connection* link = NULL;
  beltway_queue *queue = NULL, *failed = NULL;
  beltway_producer* out = NULL;
  beltway_consumer *in = NULL, *letters = NULL;
  must(beltway_open(NULL, &link));
  options.groups = &operators, options.group_count = 1;
  must(beltway_declare(link, "c_jobs/failed", &options, &failed));
  workers.retry_delay_ms = 10, workers.max_deliveries = 3, workers.dead_letter = "c_jobs/failed";
  options.groups = &workers, options.slots = 256, options.lane_bytes = 16384;
  must(beltway_declare(link, "c_jobs", &options, &queue));
  must(beltway_producer_new(queue, NULL, &out));
  must(beltway_publish_batch(out, jobs, 3, NULL));
  beltway_producer_free(out);

  worker.group = "workers", worker.end_of_stream = BELTWAY_END_DRAINED;  // after the jobs that wait for a retry
  must(beltway_consumer_new(queue, &worker, &in));
  while (beltway_receive(in, &job) == BELTWAY_OK) {
    if (is(&job, "not a job")) {
      if (beltway_reject(&job) < 0) must(BELTWAY_ERROR);  // no later delivery can succeed
    } else if (is(&job, "broken")) {
      beltway_nack(&job);  // again after 10 ms, then 20 ms
    } else {
      printf("%.*s: done\n", (int)job.size, (const char*)job.data);
      beltway_ack(&job);
    }
  }
  reader.group = "operators";
  must(beltway_consumer_new(failed, &reader, &letters));
  while (beltway_receive_until(letters, &job, 100000, NULL) == BELTWAY_OK) {
    beltway_received_properties properties = {.size = sizeof properties};
    must(beltway_message_properties(&job, &properties));
    printf("%.*s: reason %d, deliveries %u\n", (int)job.size, (const char*)job.data, (int)properties.dead_letter.reason,
           (unsigned)properties.dead_letter.deliveries);
    beltway_ack(&job);
  }
  return 0;  // the end of the process frees all that is left
}
