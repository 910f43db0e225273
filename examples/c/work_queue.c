// A work queue: each job goes to one worker, and is gone only when that worker acknowledges it. Start as many workers as you
// like; kill one in the middle of a job, and another gets the job again.
//
//   work_queue submit COUNT
//   work_queue work
#include <beltway/beltway.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static void must(beltway_status status) {
  if (status == BELTWAY_OK) return;
  fprintf(stderr, "%s\n", beltway_last_error());
  exit(1);
}
static int submit(const beltway_queue* jobs, int count, const beltway_stop* stop) {
  char job[32];
  beltway_producer* out = NULL;
  must(beltway_producer_new(jobs, NULL, &out));
  for (int i = 1; i <= count; ++i) {
    const int size = snprintf(job, sizeof job, "job %d", i);
    if (beltway_publish_until(out, job, (size_t)size, BELTWAY_FOREVER, stop) != BELTWAY_OK) break;  // told to end
  }
  beltway_producer_free(out);
  return 0;
}

static int work(const beltway_queue* jobs, const beltway_stop* stop) {
  beltway_consumer_options options = BELTWAY_CONSUMER_OPTIONS_INIT;
  beltway_message job = BELTWAY_MESSAGE_INIT;
  beltway_consumer* in = NULL;
  options.group =
      "workers";  // a worker leases only the job that it receives: the others stay for workers that have time
  must(beltway_consumer_new(jobs, &options, &in));
  while (beltway_receive_until(in, &job, 1000000, stop) == BELTWAY_OK) {
    // The first try of every tenth job goes wrong here, to show what happens then.
    const char* text = job.data;
    const bool fails = job.size != 0 && text[job.size - 1] == '0' && beltway_message_deliveries(&job) == 1;
    printf("%s %.*s\n", fails ? "failed" : "done", (int)job.size, text);
    (void)(fails ? beltway_nack(&job) : beltway_ack(&job));  // to a worker, after a pause; or it is done
  }
  return 0;  // the end of the process detaches
}

int main(int argc, char** argv) {
  beltway_group workers = BELTWAY_GROUP_INIT("workers");
  beltway_queue_options options = BELTWAY_QUEUE_OPTIONS_INIT;
  beltway_connection* link = NULL;
  beltway_queue* jobs = NULL;
  beltway_stop* stop = NULL;  // Ctrl-C and SIGTERM: whoever is told to end finishes the job in hand first
  options.groups = &workers, options.group_count = 1;
  must(beltway_stop_on_signals((const int[]){SIGINT, SIGTERM}, 2, &stop));
  must(beltway_open(NULL, &link));
  must(beltway_declare(link, "c_work", &options, &jobs));
  if (argc == 3 && strcmp(argv[1], "submit") == 0) return submit(jobs, atoi(argv[2]), stop);
  if (argc == 2 && strcmp(argv[1], "work") == 0) return work(jobs, stop);
  fprintf(stderr, "usage: work_queue submit COUNT | work_queue work\n");
  return 2;
}
