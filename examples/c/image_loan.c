// Zero copies: an image of 8 MB is drawn straight into shared memory, and looked at where it lies.
#include <beltway/beltway.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { k_image_bytes = 1920 * 1080 * 4, k_frames = 10 };

static void must(beltway_status status) {
  if (status == BELTWAY_OK) return;
  fprintf(stderr, "%s\n", beltway_last_error());
  exit(1);
}

int main(void) {
  beltway_queue_options options = BELTWAY_QUEUE_OPTIONS_INIT;
  beltway_connection* link = NULL;
  beltway_queue* images = NULL;
  beltway_producer* camera = NULL;
  beltway_consumer* viewer = NULL;
  beltway_message message = BELTWAY_MESSAGE_INIT;
  beltway_loan loan = BELTWAY_LOAN_INIT;
  int frame, good = 0;

  must(beltway_open(NULL, &link));
  options.slots = 8;
  options.lane_bytes = 32U << 20;  // a producer's lane holds the large messages: here three images
  options.max_producers = 1;
  must(beltway_declare(link, "c_images", &options, &images));
  must(beltway_producer_new(images, NULL, &camera));
  must(beltway_consumer_new(images, NULL, &viewer));
  for (frame = 0; frame < k_frames; ++frame) {
    must(beltway_lend(camera, k_image_bytes, NULL, &loan));  // waits while the lane is full
    memset(loan.data, frame, loan.size);                     // stands for a camera or a renderer
    must(beltway_commit(&loan, loan.size, NULL));            // now it has its place in the queue

    must(beltway_receive(viewer, &message));
    const unsigned char* const image = message.data;
    if (message.size == k_image_bytes && image[0] == frame && image[k_image_bytes - 1] == frame) ++good;
    beltway_ack(&message);  // its memory may be lent again
  }
  printf("%d of %d images arrived as drawn\n", good, k_frames);
  beltway_consumer_free(viewer);
  beltway_producer_free(camera);
  beltway_queue_free(images);
  beltway_close(link);
  return good == k_frames ? 0 : 1;
}
