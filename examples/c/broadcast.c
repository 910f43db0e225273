// Broadcast: a consumer that names no group sees every message. A lossy one never holds the producer back; it is told what it
// missed.
#include <beltway/beltway.h>
#include <stdio.h>
#include <stdlib.h>

static void must(beltway_status status) {
  if (status == BELTWAY_OK) return;
  fprintf(stderr, "%s\n", beltway_last_error());
  exit(1);
}

static void publish(beltway_producer* out, int first, int last) {
  char headline[32];
  int i;
  for (i = first; i <= last; ++i) {
    const int size = snprintf(headline, sizeof headline, "headline %d", i);
    must(beltway_publish(out, headline, (size_t)size));
  }
}

static void drain(beltway_consumer* in, const char* who) {
  beltway_message message = BELTWAY_MESSAGE_INIT;
  int seen = 0;
  unsigned long long lost = 0;
  for (; beltway_try_receive(in, &message) == BELTWAY_OK; ++seen) lost += message.lost;
  printf("%s saw %d, lost %llu\n", who, seen, lost);
}

int main(void) {
  beltway_queue_options options = BELTWAY_QUEUE_OPTIONS_INIT;
  beltway_consumer_options lossy = BELTWAY_CONSUMER_OPTIONS_INIT;
  beltway_connection* link = NULL;
  beltway_queue* news = NULL;
  beltway_producer* out = NULL;
  beltway_consumer *first = NULL, *second = NULL, *tap = NULL;
  must(beltway_open(NULL, &link));
  options.slots = 16;
  must(beltway_declare(link, "c_news", &options, &news));
  must(beltway_producer_new(news, NULL, &out));
  must(beltway_consumer_new(news, NULL, &first));
  must(beltway_consumer_new(news, NULL, &second));
  lossy.lossy = true;
  must(beltway_consumer_new(news, &lossy, &tap));
  publish(out, 1, 10);
  drain(first, "first");
  drain(second, "second");
  publish(out, 11, 20);
  drain(first, "first");
  drain(second, "second");
  drain(tap, "tap");  // twenty messages went through a ring of sixteen: the oldest are gone for it
  // Reliable consumers hold the producer back instead: nothing is dropped, and it is told.
  publish(out, 21, 36);
  printf("a full queue answers: %s\n", beltway_status_name(beltway_try_publish(out, "one more", 8)));
  return 0;  // the end of the process frees all that is left
}
