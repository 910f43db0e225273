// The C API as a C11 program has it: properties, dead letters, stamps.
#include "check.h"

static beltway_properties all_properties(const beltway_header* headers) {
  beltway_properties properties = BELTWAY_PROPERTIES_INIT;
  properties.key = beltway_text_of("customer 7");
  properties.correlation_id = beltway_text_of("request 12");
  properties.reply_to = beltway_text_of("answers");
  properties.content_type = beltway_text_of("application/json");
  properties.trace_id = beltway_text_of("00-1-2-01");
  properties.headers = headers;
  properties.header_count = 2;
  properties.publish_time_ns = 1234567890123456789;
  properties.ttl_us = 60000000;
  return properties;
}

static void expect_all_properties(const beltway_message* message) {
  beltway_received_properties got;
  got.size = sizeof got;
  CHECK(message_is(message, "payload") && beltway_message_has_properties(message));
  CHECK_OK(beltway_message_properties(message, &got));
  CHECK(text_is(got.key, "customer 7") && text_is(got.correlation_id, "request 12"));
  CHECK(text_is(got.reply_to, "answers") && text_is(got.content_type, "application/json"));
  CHECK(text_is(got.trace_id, "00-1-2-01") && got.publish_time_ns == 1234567890123456789);
  CHECK(got.expires_at_ns > 0 && !got.is_damaged && !got.is_dead_letter && got.header_count == 2);
  CHECK(beltway_find_header(&got, "color") != NULL && text_is(*beltway_find_header(&got, "color"), "red"));
  CHECK(beltway_find_header(&got, "size")->size == 3 && beltway_find_header(&got, "missing") == NULL);
}

static void properties_pass_by_each_way_to_publish(void) {
  const beltway_header headers[2] = {{{"color", 5}, {"red", 3}}, {{"size", 4}, {"\0\1\2", 3}}};
  const beltway_bytes parts[2] = {{"pay", 3}, {"load", 4}};
  const beltway_properties properties = all_properties(headers);
  beltway_publish_options options = BELTWAY_PUBLISH_OPTIONS_INIT;
  beltway_loan loan = BELTWAY_LOAN_INIT;
  beltway_message message = BELTWAY_MESSAGE_INIT;
  int i;
  stage s = set_stage("properties", NULL, NULL);
  options.properties = &properties;
  CHECK_OK(beltway_publish_with(s.out, "payload", 7, &options, NULL));
  CHECK_OK(beltway_try_publish_with(s.out, "payload", 7, &options));
  CHECK_OK(beltway_publish_with_until(s.out, "payload", 7, &options, 1000000, NULL));
  CHECK_OK(beltway_publish_parts(s.out, parts, 2, &properties, NULL));
  CHECK_OK(beltway_try_publish_parts(s.out, parts, 2, &properties));
  CHECK_OK(beltway_publish_parts_until(s.out, parts, 2, &properties, 1000000, NULL));
  CHECK_OK(beltway_lend(s.out, 7, &properties, &loan));
  memcpy(loan.data, "payload", 7);
  CHECK_OK(beltway_commit(&loan, 7, NULL));
  for (i = 0; i < 7; ++i) {
    CHECK_OK(beltway_receive_until(s.in, &message, 1000000, NULL));
    expect_all_properties(&message);
    beltway_ack(&message);
  }
  strike_stage(&s);
}

static void a_message_without_properties_has_empty_ones(void) {
  beltway_received_properties got;
  beltway_message message = BELTWAY_MESSAGE_INIT;
  stage s = set_stage("without", NULL, NULL);
  got.size = sizeof got;
  CHECK_OK(beltway_publish(s.out, "payload", 7));
  CHECK_OK(beltway_receive(s.in, &message));
  CHECK(!beltway_message_has_properties(&message));
  CHECK_OK(beltway_message_properties(&message, &got));
  CHECK(got.key.size == 0 && got.header_count == 0 && got.publish_time_ns == 0 && got.expires_at_ns == BELTWAY_UNSET);
  got.size = 0;
  CHECK_FAILS(beltway_message_properties(&message, &got), BELTWAY_ERRC_INVALID_OPTION, "sizeof");
  beltway_ack(&message);
  strike_stage(&s);
}

static void properties_beyond_their_limits_are_refused(void) {
  static char text[300];
  beltway_properties properties = BELTWAY_PROPERTIES_INIT;
  beltway_publish_options options = BELTWAY_PUBLISH_OPTIONS_INIT;
  stage s = set_stage("limits", NULL, NULL);
  options.properties = &properties;
  properties.key.data = text;
  properties.key.size = sizeof text;
  CHECK_STATUS(beltway_publish_with(s.out, "x", 1, &options, NULL), BELTWAY_TOO_LARGE);
  CHECK(strstr(beltway_last_error(), "key") != NULL && strstr(beltway_last_error(), "255") != NULL);
  properties.key.size = 0;
  properties.header_count = BELTWAY_MAX_HEADERS + 1;
  CHECK_STATUS(beltway_try_publish_with(s.out, "x", 1, &options), BELTWAY_TOO_LARGE);
  properties.header_count = 1;
  CHECK_FAILS(beltway_try_publish_with(s.out, "x", 1, &options), BELTWAY_ERRC_INVALID_OPTION, "`headers` is NULL");
  properties.header_count = 0;
  properties.size = 1;
  CHECK_FAILS(beltway_try_publish_with(s.out, "x", 1, &options), BELTWAY_ERRC_INVALID_OPTION, "beltway_properties");
  strike_stage(&s);
}

static void a_dead_letter_says_where_it_failed_and_is_forwarded(void) {
  beltway_group operators = BELTWAY_GROUP_INIT("operators");
  beltway_queue_options options = BELTWAY_QUEUE_OPTIONS_INIT;
  beltway_consumer_options consumer = BELTWAY_CONSUMER_OPTIONS_INIT;
  beltway_publish_options again = BELTWAY_PUBLISH_OPTIONS_INIT;
  beltway_properties forwarded;
  beltway_received_properties got;
  beltway_message message = BELTWAY_MESSAGE_INIT;
  beltway_connection* link = NULL;
  beltway_queue* dead = NULL;
  beltway_consumer* reader = NULL;
  stage s;
  got.size = sizeof got;
  CHECK_OK(beltway_open(NULL, &link));
  options.groups = &operators;
  options.group_count = 1;
  options.lane_bytes = 2 << 20;
  CHECK_OK(beltway_declare(link, "dead", &options, &dead));
  options.group_count = 0;
  options.lane_bytes = 1 << 20;
  options.dead_letter = "dead";
  s = set_stage("failing", &options, "workers");
  consumer.group = "operators";
  CHECK_OK(beltway_consumer_new(dead, &consumer, &reader));
  CHECK_OK(beltway_publish(s.out, "poison", 6));
  CHECK_OK(beltway_receive(s.in, &message));
  CHECK(beltway_reject(&message) == 1);
  CHECK_OK(beltway_receive_until(reader, &message, 5000000, NULL));
  CHECK_OK(beltway_message_properties(&message, &got));
  CHECK(message_is(&message, "poison") && got.is_dead_letter && got.dead_letter.reason == BELTWAY_REJECTED);
  CHECK(text_is(got.dead_letter.queue, "failing") && text_is(got.dead_letter.group, "workers"));
  CHECK(got.dead_letter.deliveries == 1 && got.dead_letter.position == 0 && got.dead_letter.first_time_ns > 0);
  // Back to where it failed, as a dead letter still.
  forwarded = beltway_forwarded(&got);
  again.properties = &forwarded;
  CHECK_OK(beltway_publish_with(s.out, message.data, message.size, &again, NULL));
  CHECK(beltway_ack(&message) == 1);
  CHECK_OK(beltway_receive(s.in, &message));
  CHECK_OK(beltway_message_properties(&message, &got));
  CHECK(message_is(&message, "poison") && got.is_dead_letter && text_is(got.dead_letter.queue, "failing"));
  beltway_ack(&message);
  strike_stage(&s);
  beltway_consumer_free(reader);
  beltway_queue_free(dead);
  CHECK_OK(beltway_remove(link, "dead", 0));
  beltway_close(link);
}

static void a_text_and_a_part_need_their_bytes(void) {
  beltway_publish_options options = BELTWAY_PUBLISH_OPTIONS_INIT;
  beltway_properties properties = BELTWAY_PROPERTIES_INIT;
  const beltway_bytes parts[] = {{"begin", 5}, {NULL, 3}};
  const beltway_header header = {{NULL, 4}, {"value", 5}};
  stage s = set_stage("no-bytes", NULL, NULL);
  options.properties = &properties;
  properties.key.size = 5;
  CHECK_FAILS(beltway_publish_with(s.out, "x", 1, &options, NULL), BELTWAY_ERRC_INVALID_OPTION, "`data` is NULL");
  properties.key.size = 0;
  properties.headers = &header;
  properties.header_count = 1;
  CHECK_FAILS(beltway_publish_with(s.out, "x", 1, &options, NULL), BELTWAY_ERRC_INVALID_OPTION, "`data` is NULL");
  CHECK_FAILS(beltway_publish_parts(s.out, parts, 2, NULL, NULL), BELTWAY_ERRC_MISUSE, "`data` is NULL");
  CHECK_FAILS(beltway_try_publish_parts(s.out, parts, 2, NULL), BELTWAY_ERRC_MISUSE, "`data` is NULL");
  CHECK_FAILS(beltway_publish_parts_until(s.out, parts, 2, NULL, 0, NULL), BELTWAY_ERRC_MISUSE, "`data` is NULL");
  CHECK_OK(beltway_publish_parts(s.out, parts, 1, NULL, NULL));
  strike_stage(&s);
}

static void a_stamped_message_knows_its_age(void) {
  beltway_queue_options options = BELTWAY_QUEUE_OPTIONS_INIT;
  beltway_message message = BELTWAY_MESSAGE_INIT;
  stage s;
  options.stamps = BELTWAY_STAMPS_FINE;
  s = set_stage("stamps", &options, NULL);
  CHECK_OK(beltway_publish(s.out, "now", 3));
  CHECK_OK(beltway_receive(s.in, &message));
  CHECK(beltway_message_age_us(&message) >= 0 && beltway_message_age_us(&message) < 60000000);
  CHECK(beltway_message_published_at_ns(&message) > 1600000000000000000);
  beltway_ack(&message);
  CHECK(beltway_message_age_us(&message) == BELTWAY_UNSET);
  strike_stage(&s);
}

int main(void) {
  static const test_case cases[] = {
      {"properties pass by each way to publish", &properties_pass_by_each_way_to_publish},
      {"a message without properties has empty ones", &a_message_without_properties_has_empty_ones},
      {"properties beyond their limits are refused", &properties_beyond_their_limits_are_refused},
      {"a dead letter says where it failed, and is forwarded", &a_dead_letter_says_where_it_failed_and_is_forwarded},
      {"a text and a part need their bytes", &a_text_and_a_part_need_their_bytes},
      {"a stamped message knows its age", &a_stamped_message_knows_its_age},
  };
  return RUN_CASES(cases);
}
