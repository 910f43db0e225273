// Newest value only: a sensor publishes faster than the display draws. The display draws the newest value each time, and the
// sensor never waits for it.
#include <beltway/beltway.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { k_values = 2000, k_patience_us = 5000000 };

static void must(beltway_status status) {
  if (status == BELTWAY_OK) return;
  fprintf(stderr, "%s\n", beltway_last_error());
  exit(1);
}

static void* measure(void* producer) {
  int value;
  for (value = 1; value <= k_values; ++value) {
    must(beltway_publish((beltway_producer*)producer, &value, sizeof value));
    usleep(20);
  }
  beltway_producer_free((beltway_producer*)producer);
  return NULL;
}

int main(void) {
  beltway_queue_options options = BELTWAY_QUEUE_OPTIONS_INIT;
  beltway_consumer_options newest = BELTWAY_CONSUMER_OPTIONS_INIT;
  beltway_message value = BELTWAY_MESSAGE_INIT;
  beltway_connection* link = NULL;
  beltway_queue* speed = NULL;
  beltway_producer* out = NULL;
  beltway_consumer* display = NULL;
  pthread_t sensor;
  int drawn = 0, shown = 0;
  unsigned long long skipped = 0;
  must(beltway_open(NULL, &link));
  options.slots = 16, options.max_producers = 1;
  must(beltway_declare(link, "c_speed", &options, &speed));
  newest.lossy = true, newest.conflate = true;
  must(beltway_consumer_new(speed, &newest, &display));
  must(beltway_producer_new(speed, NULL, &out));
  if (pthread_create(&sensor, NULL, measure, out) != 0) return 1;
  while (beltway_receive_until(display, &value, k_patience_us, NULL) == BELTWAY_OK) {  // until the sensor has gone
    shown = *(const int*)value.data;  // payloads are aligned; valid until the next receive
    skipped += value.lost;
    ++drawn;
    usleep(1000);  // drawing takes its time
  }
  pthread_join(sensor, NULL);
  printf("drawn %d, skipped %llu, the last value is %d\n", drawn, skipped, shown);
  return drawn + (int)skipped == k_values ? 0 : 1;
}
