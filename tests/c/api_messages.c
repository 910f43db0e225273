// The C API as a C11 program has it: every way to publish and to receive. It compiles as C++, too: see api_messages_as_cpp.cpp.
#include "check.h"

static void write_name(void* context, void* place, size_t size) { memcpy(place, context, size); }

static void messages_pass_by_each_way_to_publish(void) {
  const beltway_bytes parts[2] = {{"one ", 4}, {"message", 7}};
  const beltway_bytes batch[3] = {{"batch a", 7}, {"batch b", 7}, {NULL, 0}};
  const char* const wanted[] = {"plain",
                                "tried",
                                "timed",
                                "with",
                                "one message",
                                "one message",
                                "one message",
                                "writer",
                                "writer",
                                "writer",
                                "batch a",
                                "batch b",
                                "",
                                "batch a",
                                "batch b",
                                "",
                                "batch a",
                                "batch b",
                                ""};
  char name[] = "writer";
  uint64_t position = 99;
  size_t published = 0;
  size_t i;
  beltway_message message = BELTWAY_MESSAGE_INIT;
  stage s = set_stage("ways", NULL, NULL);
  CHECK_OK(beltway_publish(s.out, "plain", 5));
  CHECK_OK(beltway_try_publish(s.out, "tried", 5));
  CHECK_OK(beltway_publish_until(s.out, "timed", 5, 1000000, NULL));
  CHECK_OK(beltway_publish_with(s.out, "with", 4, NULL, &position));
  CHECK(position == 3);
  CHECK_OK(beltway_publish_parts(s.out, parts, 2, NULL, &position));
  CHECK(position == 4);
  CHECK_OK(beltway_try_publish_parts(s.out, parts, 2, NULL));
  CHECK_OK(beltway_publish_parts_until(s.out, parts, 2, NULL, 1000000, NULL));
  CHECK_OK(beltway_publish_writer(s.out, 6, &write_name, name, NULL, &position));
  CHECK(position == 7);
  CHECK_OK(beltway_try_publish_writer(s.out, 6, &write_name, name, NULL));
  CHECK_OK(beltway_publish_writer_until(s.out, 6, &write_name, name, NULL, 1000000, NULL));
  CHECK_OK(beltway_publish_batch(s.out, batch, 3, &published));
  CHECK(published == 3);
  CHECK_OK(beltway_try_publish_batch(s.out, batch, 3, &published));
  CHECK(published == 3);
  CHECK_OK(beltway_publish_batch_until(s.out, batch, 3, &published, 1000000, NULL));
  for (i = 0; i < sizeof wanted / sizeof *wanted; ++i) {
    CHECK_OK(beltway_try_receive(s.in, &message));
    CHECK(message_is(&message, wanted[i]));
    CHECK(message.position == i && message.producer == 0 && message.lost == 0);
    CHECK(beltway_message_deliveries(&message) == 1 && !beltway_message_has_properties(&message));
    CHECK(beltway_ack(&message) == 1);
    CHECK(message.data == NULL && message.size == 0 && beltway_ack(&message) == 0);
  }
  CHECK_STATUS(beltway_try_receive(s.in, &message), BELTWAY_EMPTY);
  strike_stage(&s);
}

static void a_full_queue_refuses_and_a_timed_wait_ends(void) {
  const beltway_bytes batch[6] = {{"1", 1}, {"2", 1}, {"3", 1}, {"4", 1}, {"5", 1}, {"6", 1}};
  size_t published = 9;
  beltway_queue_options options = BELTWAY_QUEUE_OPTIONS_INIT;
  beltway_producer_counters counters;
  stage s;
  options.slots = 4;
  options.lane_bytes = 4096;
  s = set_stage("full", &options, NULL);
  CHECK_OK(beltway_try_publish_batch(s.out, batch, 6, &published));
  CHECK(published == 4);
  CHECK_STATUS(beltway_try_publish(s.out, "x", 1), BELTWAY_FULL);
  CHECK_STATUS(beltway_try_publish_batch(s.out, batch, 6, &published), BELTWAY_FULL);
  CHECK(published == 0);
  CHECK_STATUS(beltway_publish_until(s.out, "x", 1, 1000, NULL), BELTWAY_TIMEOUT);
  CHECK_STATUS(beltway_publish_batch_until(s.out, batch, 6, &published, 1000, NULL), BELTWAY_TIMEOUT);
  counters.size = sizeof counters;
  CHECK_OK(beltway_producer_get_counters(s.out, &counters));
  CHECK(counters.messages == 4 && counters.bytes == 4 && counters.refused >= 4);
  counters.size = 8;
  CHECK_FAILS(beltway_producer_get_counters(s.out, &counters), BELTWAY_ERRC_INVALID_OPTION, "size");
  strike_stage(&s);
}

/// Gives up what `context`, a list of texts, has no text for.
static void write_next(void* context, void* place, size_t size) {
  const char*** next = (const char***)context;
  const char* text = *(*next)++;
  if (text == NULL) {
    beltway_give_up();
  } else {
    memcpy(place, text, size);
  }
}

static void a_writer_that_gives_up_publishes_nothing(void) {
  const char* texts[] = {NULL, "one", NULL, NULL, "two", NULL};
  const char** next = texts;
  static char large[4096];
  beltway_publish_options options = BELTWAY_PUBLISH_OPTIONS_INIT;
  beltway_properties properties = BELTWAY_PROPERTIES_INIT;
  beltway_message message = BELTWAY_MESSAGE_INIT;
  stage s = set_stage("givers", NULL, "workers");
  properties.key = beltway_text_of("k");
  options.properties = &properties;
  beltway_give_up();  // no effect
  CHECK_STATUS(beltway_publish_writer(s.out, 3, &write_next, &next, NULL, NULL), BELTWAY_STOPPED);
  CHECK_OK(beltway_publish_writer(s.out, 3, &write_next, &next, NULL, NULL));
  CHECK_STATUS(beltway_try_publish_writer(s.out, sizeof large, &write_next, &next, NULL), BELTWAY_STOPPED);
  CHECK_STATUS(beltway_publish_writer_until(s.out, 3, &write_next, &next, &options, 1000000, NULL), BELTWAY_STOPPED);
  CHECK_OK(beltway_try_publish_writer(s.out, 3, &write_next, &next, NULL));
  CHECK_OK(beltway_receive(s.in, &message));
  CHECK(message_is(&message, "one") && beltway_ack(&message) == 1);
  CHECK_OK(beltway_receive(s.in, &message));
  CHECK(message_is(&message, "two") && beltway_ack(&message) == 1);
  CHECK_STATUS(beltway_try_receive(s.in, &message), BELTWAY_EMPTY);
  strike_stage(&s);
}

static void a_batch_with_a_message_without_bytes_is_refused_as_a_whole(void) {
  const beltway_bytes batch[2] = {{"fine", 4}, {NULL, 1}};
  beltway_message message = BELTWAY_MESSAGE_INIT;
  size_t published = 9;
  stage s = set_stage("nulls", NULL, NULL);
  CHECK_FAILS(beltway_publish_batch(s.out, batch, 2, &published), BELTWAY_ERRC_MISUSE, "`messages[...].data` is NULL");
  CHECK_FAILS(beltway_try_publish_batch(s.out, batch, 2, &published), BELTWAY_ERRC_MISUSE, "`messages[...].data`");
  CHECK_FAILS(beltway_publish_batch_until(s.out, batch, 2, &published, 0, NULL), BELTWAY_ERRC_MISUSE, "messages");
  CHECK(published == 0);
  CHECK_STATUS(beltway_try_receive(s.in, &message), BELTWAY_EMPTY);
  strike_stage(&s);
}

static void what_is_too_large_is_refused_with_its_limit(void) {
  static char large[8192];
  const beltway_bytes batch[2] = {{"fits", 4}, {large, sizeof large}};
  size_t published = 9;
  beltway_queue_options options = BELTWAY_QUEUE_OPTIONS_INIT;
  stage s;
  options.lane_bytes = 4096;
  s = set_stage("large", &options, NULL);
  CHECK(beltway_producer_max_inline_bytes(s.out) == 112);
  CHECK(beltway_producer_max_message_bytes(s.out) < sizeof large);
  CHECK_STATUS(beltway_try_publish(s.out, large, sizeof large), BELTWAY_TOO_LARGE);
  CHECK_STATUS(beltway_publish(s.out, large, sizeof large), BELTWAY_TOO_LARGE);
  CHECK(beltway_last_errc() == BELTWAY_ERRC_TOO_LARGE && strstr(beltway_last_error(), "8192") != NULL);
  CHECK_STATUS(beltway_publish_batch(s.out, batch, 2, &published), BELTWAY_TOO_LARGE);
  CHECK(published == 1 && strstr(beltway_last_error(), "the first 1 of the batch of 2") != NULL);
  strike_stage(&s);
}

static void a_named_group_leases_acks_nacks_and_rejects(void) {
  beltway_queue_options options = BELTWAY_QUEUE_OPTIONS_INIT;
  beltway_message message = BELTWAY_MESSAGE_INIT;
  beltway_consumer_counters counters;
  stage s;
  options.discard = true;
  options.retry_delay_ms = 0;
  s = set_stage("jobs", &options, "workers");
  CHECK(strcmp(beltway_consumer_group(s.in), "workers") == 0);
  CHECK_OK(beltway_publish(s.out, "job", 3));
  CHECK_OK(beltway_receive(s.in, &message));
  CHECK(beltway_still_held(&message) && beltway_extend(&message));
  CHECK(beltway_nack(&message) == 1 && message.data == NULL);
  CHECK_OK(beltway_receive(s.in, &message));
  CHECK(message_is(&message, "job") && beltway_message_deliveries(&message) == 2);
  CHECK(beltway_nack_after(&message, -1) == -1 && beltway_last_errc() == BELTWAY_ERRC_INVALID_OPTION);
  CHECK(beltway_still_held(&message));
  CHECK(beltway_nack_after(&message, 30000) == 1);
  CHECK_STATUS(beltway_try_receive(s.in, &message), BELTWAY_EMPTY);
  CHECK_OK(beltway_receive_until(s.in, &message, 5000000, NULL));
  CHECK(beltway_message_deliveries(&message) == 3);
  // A struct that still holds a message drops it: it comes again.
  CHECK_OK(beltway_receive(s.in, &message));
  CHECK(beltway_message_deliveries(&message) == 4);
  CHECK(beltway_reject(&message) == 1 && beltway_reject(&message) == 0);
  CHECK_STATUS(beltway_try_receive(s.in, &message), BELTWAY_EMPTY);
  counters.size = sizeof counters;
  CHECK_OK(beltway_consumer_get_counters(s.in, &counters));
  CHECK(counters.messages == 4 && counters.redelivered == 3 && counters.nacks == 4 && counters.discarded == 1);
  strike_stage(&s);
}

static void a_rejected_message_needs_a_place_to_go(void) {
  beltway_message message = BELTWAY_MESSAGE_INIT;
  stage s = set_stage("strict", NULL, "workers");
  CHECK_OK(beltway_publish(s.out, "job", 3));
  CHECK_OK(beltway_receive(s.in, &message));
  CHECK(beltway_reject(&message) == -1 && beltway_last_errc() == BELTWAY_ERRC_MISUSE);
  CHECK(strstr(beltway_last_error(), "discard") != NULL);
  CHECK_OK(beltway_receive(s.in, &message));
  CHECK(beltway_message_deliveries(&message) == 2 && beltway_ack(&message) == 1);
  strike_stage(&s);
}

static void batches_are_received_and_acknowledged(void) {
  enum { k_count = 10, k_batch = 4 };
  beltway_message batch[k_batch];
  size_t count = 0;
  size_t i;
  stage s = set_stage("batches", NULL, "workers");
  memset(batch, 0, sizeof batch);  // as BELTWAY_MESSAGE_INIT
  for (i = 0; i < k_count; ++i) CHECK_OK(beltway_publish(s.out, &i, sizeof i));
  CHECK_OK(beltway_try_receive_batch(s.in, batch, k_batch, &count));
  CHECK(count == k_batch && batch[3].position == 3 && memcmp(batch[3].data, &batch[3].position, 8) == 0);
  CHECK(beltway_ack_batch(batch, count) == k_batch && batch[0].data == NULL);
  CHECK_OK(beltway_receive_batch(s.in, batch, k_batch, &count));
  CHECK(count == k_batch && batch[0].position == 4 && beltway_ack_batch(batch, count) == k_batch);
  CHECK_OK(beltway_receive_batch_until(s.in, batch, k_batch, &count, 1000000, NULL));
  CHECK(count == 2 && beltway_ack_batch(batch, count) == 2);
  CHECK_STATUS(beltway_receive_batch_until(s.in, batch, k_batch, &count, 1000, NULL), BELTWAY_TIMEOUT);
  CHECK(count == 0);
  strike_stage(&s);
}

static void loans_are_written_in_place(void) {
  beltway_loan loan = BELTWAY_LOAN_INIT;
  beltway_message message = BELTWAY_MESSAGE_INIT;
  uint64_t position = 9;
  stage s = set_stage("loans", NULL, NULL);
  CHECK_OK(beltway_lend(s.out, 2000, NULL, &loan));
  CHECK(loan.size == 2000 && loan.data != NULL);
  memset(loan.data, 'l', loan.size);
  CHECK_OK(beltway_commit(&loan, 1500, &position));
  CHECK(position == 0 && loan.data == NULL);
  CHECK_FAILS(beltway_commit(&loan, 1, NULL), BELTWAY_ERRC_MISUSE, "before");
  CHECK_OK(beltway_try_lend(s.out, 300, NULL, &loan));
  memset(loan.data, 'm', loan.size);
  CHECK_FAILS(beltway_commit(&loan, 301, NULL), BELTWAY_ERRC_MISUSE, "301");
  CHECK_OK(beltway_try_commit(&loan, 300));
  CHECK_OK(beltway_lend_until(s.out, 300, NULL, &loan, 1000, NULL));
  beltway_loan_drop(&loan);
  beltway_loan_drop(&loan);
  CHECK(loan.data == NULL);
  CHECK_OK(beltway_lend_until(s.out, 300, NULL, &loan, 1000, NULL));
  memset(loan.data, 'n', loan.size);
  CHECK_OK(beltway_commit_until(&loan, 300, 1000, NULL));
  CHECK_STATUS(beltway_try_lend(s.out, 1U << 30, NULL, &loan), BELTWAY_TOO_LARGE);
  CHECK_OK(beltway_receive(s.in, &message));
  CHECK(message.size == 1500 && ((const char*)message.data)[1499] == 'l' && beltway_ack(&message) == 1);
  CHECK_OK(beltway_receive(s.in, &message));
  CHECK(message.size == 300 && ((const char*)message.data)[0] == 'm' && beltway_ack(&message) == 1);
  CHECK_OK(beltway_receive(s.in, &message));
  CHECK(message.size == 300 && ((const char*)message.data)[0] == 'n' && beltway_ack(&message) == 1);
  strike_stage(&s);
}

static void a_message_outlives_its_consumer_and_moves(void) {
  beltway_message message = BELTWAY_MESSAGE_INIT;
  beltway_message kept = BELTWAY_MESSAGE_INIT;
  stage s = set_stage("outlives", NULL, "workers");
  CHECK_OK(beltway_publish(s.out, "kept", 4));
  CHECK_OK(beltway_receive(s.in, &message));
  beltway_message_move(&message, &kept);
  CHECK(message.data == NULL && beltway_ack(&message) == 0);
  beltway_consumer_free(s.in);
  s.in = NULL;
  CHECK(message_is(&kept, "kept") && beltway_ack(&kept) == 1);
  strike_stage(&s);
}

static void a_named_producer_publishes_no_number_twice(void) {
  beltway_producer_options named = BELTWAY_PRODUCER_OPTIONS_INIT;
  beltway_publish_options options = BELTWAY_PUBLISH_OPTIONS_INIT;
  beltway_producer* out = NULL;
  beltway_producer* second = NULL;
  beltway_queue_info* info = NULL;
  stage s = set_stage("numbers", NULL, NULL);
  options.sequence = 5;
  CHECK_FAILS(beltway_publish_with(s.out, "x", 1, &options, NULL), BELTWAY_ERRC_MISUSE, "name");
  named.name = "importer";
  CHECK_OK(beltway_producer_new(s.queue, &named, &out));
  CHECK_STATUS(beltway_producer_new(s.queue, &named, &second), BELTWAY_ERROR);
  CHECK_OK(beltway_publish_with(out, "x", 1, &options, NULL));
  CHECK_STATUS(beltway_publish_with(out, "x", 1, &options, NULL), BELTWAY_DUPLICATE);
  CHECK_STATUS(beltway_try_publish_with(out, "x", 1, &options), BELTWAY_DUPLICATE);
  options.sequence = 6;
  CHECK_OK(beltway_publish_with_until(out, "x", 1, &options, 1000000, NULL));
  CHECK(beltway_producer_last_sequence(out) == 6 && beltway_producer_last_sequence(s.out) == 0);
  beltway_producer_free(out);
  CHECK_OK(beltway_queue_describe(s.queue, &info));
  CHECK(info->producer_name_count == 1 && info->producer_names[0]->last_sequence == 6);
  beltway_queue_info_free(info);
  strike_stage(&s);
}

static void a_lossy_consumer_learns_what_it_lost(void) {
  beltway_consumer_options lossy = BELTWAY_CONSUMER_OPTIONS_INIT;
  beltway_queue_options options = BELTWAY_QUEUE_OPTIONS_INIT;
  beltway_consumer* in = NULL;
  beltway_message message = BELTWAY_MESSAGE_INIT;
  int i;
  stage s;
  options.slots = 4;
  s = set_stage("lossy", &options, NULL);
  beltway_consumer_free(s.in);
  s.in = NULL;
  lossy.lossy = true;
  lossy.conflate = true;
  CHECK_OK(beltway_consumer_new(s.queue, &lossy, &in));
  for (i = 0; i < 20; ++i) CHECK_OK(beltway_publish(s.out, &i, sizeof i));
  CHECK_OK(beltway_try_receive(in, &message));
  CHECK(message.position == 19 && message.lost == 19);
  beltway_message_drop(&message);
  beltway_consumer_free(in);
  strike_stage(&s);
}

int main(void) {
  static const test_case cases[] = {
      {"messages pass by each way to publish", &messages_pass_by_each_way_to_publish},
      {"a full queue refuses, and a timed wait ends", &a_full_queue_refuses_and_a_timed_wait_ends},
      {"a writer that gives up publishes nothing", &a_writer_that_gives_up_publishes_nothing},
      {"a batch with a message without bytes is refused as a whole",
       &a_batch_with_a_message_without_bytes_is_refused_as_a_whole},
      {"what is too large is refused with its limit", &what_is_too_large_is_refused_with_its_limit},
      {"a named group leases, acks, nacks and rejects", &a_named_group_leases_acks_nacks_and_rejects},
      {"a rejected message needs a place to go", &a_rejected_message_needs_a_place_to_go},
      {"batches are received and acknowledged", &batches_are_received_and_acknowledged},
      {"loans are written in place", &loans_are_written_in_place},
      {"a message outlives its consumer, and moves", &a_message_outlives_its_consumer_and_moves},
      {"a named producer publishes no number twice", &a_named_producer_publishes_no_number_twice},
      {"a lossy consumer learns what it lost", &a_lossy_consumer_learns_what_it_lost},
  };
  return RUN_CASES(cases);
}
