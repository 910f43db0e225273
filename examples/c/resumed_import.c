// A named producer: an import that is ended in the middle, and starts again from the beginning, stores nothing twice.
#include <beltway/beltway.h>
#include <stdio.h>
#include <stdlib.h>

static void must(beltway_status status) {
  if (status == BELTWAY_OK) return;
  fprintf(stderr, "%s\n", beltway_last_error());
  exit(1);
}

/// Publishes the lines 1 to `last` of a file that is always read from its beginning. Returns how many were stored before.
static int import_lines(const beltway_queue* lines, unsigned last) {
  beltway_producer_options importer = BELTWAY_PRODUCER_OPTIONS_INIT;
  beltway_publish_options options = BELTWAY_PUBLISH_OPTIONS_INIT;
  beltway_producer* out = NULL;
  char text[32];
  int skipped = 0;
  importer.name = "importer";  // one process at a time has the name
  must(beltway_producer_new(lines, &importer, &out));
  for (options.sequence = 1; options.sequence <= last; ++options.sequence) {
    const int size = snprintf(text, sizeof text, "line %llu", (unsigned long long)options.sequence);
    const beltway_status stored = beltway_publish_with(out, text, (size_t)size, &options, NULL);
    if (stored == BELTWAY_DUPLICATE) {
      ++skipped;
    } else {
      must(stored);
    }
  }
  beltway_producer_free(out);
  return skipped;
}

int main(void) {
  beltway_message line = BELTWAY_MESSAGE_INIT;
  beltway_connection* link = NULL;
  beltway_queue* lines = NULL;
  beltway_consumer* in = NULL;
  int received = 0, skipped;
  must(beltway_open(NULL, &link));
  must(beltway_declare(link, "c_lines", NULL, &lines));
  must(beltway_consumer_new(lines, NULL, &in));
  import_lines(lines, 60);  // the first run gets no further: its machine is short of power, say
  skipped = import_lines(lines, 100);
  while (beltway_try_receive(in, &line) == BELTWAY_OK) ++received;
  printf("%d lines received, %d not stored again\n", received, skipped);
  return received == 100 && skipped == 60 ? 0 : 1;
}
