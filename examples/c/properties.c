// Request and reply by properties: a question names the queue for its answer, and an answer names its question.
#include <beltway/beltway.h>
#include <stdio.h>
#include <stdlib.h>

static void must(beltway_status status) {
  if (status == BELTWAY_OK) return;
  fprintf(stderr, "%s\n", beltway_last_error());
  exit(1);
}

int main(void) {
  const beltway_header headers[] = {{{"lang", 4}, {"en", 2}}};
  beltway_properties properties = BELTWAY_PROPERTIES_INIT;
  beltway_publish_options with = BELTWAY_PUBLISH_OPTIONS_INIT;
  beltway_received_properties got = {.size = sizeof got};
  beltway_message message = BELTWAY_MESSAGE_INIT;
  beltway_connection* link = NULL;
  beltway_queue *questions = NULL, *answers = NULL;
  beltway_producer *ask = NULL, *reply = NULL;
  beltway_consumer *server = NULL, *client = NULL;
  char text[256];

  must(beltway_open(NULL, &link));
  must(beltway_declare(link, "c_questions", NULL, &questions));
  must(beltway_declare(link, "c_answers", NULL, &answers));
  must(beltway_consumer_new(questions, NULL, &server));
  must(beltway_consumer_new(answers, NULL, &client));
  must(beltway_producer_new(questions, NULL, &ask));
  properties.correlation_id = beltway_text_of("question 1");
  properties.reply_to = beltway_text_of("c_answers");
  properties.headers = headers, properties.header_count = 1;
  properties.ttl_us = 5000000;  // nobody waits for the answer any longer
  with.properties = &properties;
  must(beltway_publish_with(ask, "what time is it?", 16, &with, NULL));

  // The server. Texts of a message lie in the message: copy what must outlive it.
  must(beltway_receive(server, &message));
  must(beltway_message_properties(&message, &got));
  snprintf(text, sizeof text, "%.*s", (int)got.reply_to.size, got.reply_to.data);
  must(beltway_open_queue(link, text, &answers));
  must(beltway_producer_new(answers, NULL, &reply));
  properties = (beltway_properties)BELTWAY_PROPERTIES_INIT;
  properties.correlation_id = got.correlation_id;
  must(beltway_publish_with(reply, "noon", 4, &with, NULL));
  printf("asked in %.*s\n", (int)beltway_find_header(&got, "lang")->size, beltway_find_header(&got, "lang")->data);
  beltway_ack(&message);

  must(beltway_receive(client, &message));
  must(beltway_message_properties(&message, &got));
  printf("answer to %.*s: %.*s\n", (int)got.correlation_id.size, got.correlation_id.data, (int)message.size,
         (const char*)message.data);
  beltway_ack(&message);
  return 0;
}
