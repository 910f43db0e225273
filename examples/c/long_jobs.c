// Long jobs beside short ones: a job of a second stops neither the other worker nor the producer. The ring has 16 slots only.
#include <beltway/beltway.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { k_jobs = 1000, k_patience_us = 10000000 };
static atomic_bool long_job_runs;
static atomic_int beside, done;

static void must(beltway_status status) {
  if (status == BELTWAY_OK) return;
  fprintf(stderr, "%s\n", beltway_last_error());
  exit(1);
}

static void* work(void* queue) {
  beltway_consumer_options options = BELTWAY_CONSUMER_OPTIONS_INIT;
  beltway_message job = BELTWAY_MESSAGE_INIT;
  beltway_consumer* in = NULL;
  options.group = "workers", options.end_of_stream = BELTWAY_END_AFTER_PRODUCER;
  // The default prefetch is right for jobs: a worker leases only the job that it receives.
  must(beltway_consumer_new((beltway_queue*)queue, &options, &in));
  for (; beltway_receive_until(in, &job, k_patience_us, NULL) == BELTWAY_OK; ++done) {
    if (job.size == 4) {  // "long"
      long_job_runs = true;
      sleep(1);
      long_job_runs = false;
    } else if (long_job_runs) {
      ++beside;
    }
    beltway_ack(&job);
  }
  beltway_consumer_free(in);
  return NULL;
}

int main(void) {
  beltway_group workers = BELTWAY_GROUP_INIT("workers");
  beltway_queue_options options = BELTWAY_QUEUE_OPTIONS_INIT;
  beltway_connection* link = NULL;
  beltway_queue* jobs = NULL;
  beltway_producer* out = NULL;
  pthread_t pool[2];
  int i;
  must(beltway_open(NULL, &link));
  options.slots = 16, options.groups = &workers, options.group_count = 1;
  must(beltway_declare(link, "c_long_jobs", &options, &jobs));
  for (i = 0; i < 2; ++i) must(pthread_create(&pool[i], NULL, work, jobs) == 0 ? BELTWAY_OK : BELTWAY_ERROR);
  must(beltway_wait_for_consumers(jobs, 2, k_patience_us, NULL));
  must(beltway_producer_new(jobs, NULL, &out));
  for (i = 0; i < k_jobs; ++i) must(beltway_publish(out, i == 10 ? "long" : "short", i == 10 ? 4 : 5));
  beltway_producer_free(out);
  for (i = 0; i < 2; ++i) pthread_join(pool[i], NULL);
  printf("%d jobs done, %d of them beside the long one\n", (int)done, (int)beside);
  return done == k_jobs ? 0 : 1;
}
