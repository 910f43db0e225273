// The C API as a C11 program has it: waits and what ends them, descriptors, event loops, forks.
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { k_long_us = 20000000 };

static void pause_ms(long ms) {
  const struct timespec time = {ms / 1000, ms % 1000 * 1000000};
  nanosleep(&time, NULL);
}

static void* request_soon(void* stop) {
  pause_ms(20);
  beltway_stop_request((beltway_stop*)stop);
  return NULL;
}

static void a_requested_stop_ends_waits_and_later_calls(void) {
  beltway_stop* stop = NULL;
  beltway_message message = BELTWAY_MESSAGE_INIT;
  pthread_t thread;
  stage s = set_stage("stops", NULL, NULL);
  CHECK_OK(beltway_stop_new(&stop));
  CHECK(pthread_create(&thread, NULL, &request_soon, stop) == 0);
  CHECK_STATUS(beltway_receive_until(s.in, &message, k_long_us, stop), BELTWAY_STOPPED);
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK(beltway_stop_requested(stop) && beltway_stop_signal(stop) == 0);
  CHECK_STATUS(beltway_publish_until(s.out, "x", 1, k_long_us, stop), BELTWAY_STOPPED);
  CHECK_OK(beltway_publish(s.out, "x", 1));
  CHECK_STATUS(beltway_receive_until(s.in, &message, BELTWAY_FOREVER, stop), BELTWAY_STOPPED);
  CHECK_STATUS(beltway_wait_for_consumers(s.queue, 5, BELTWAY_FOREVER, stop), BELTWAY_STOPPED);
  CHECK_OK(beltway_wait_for_producers(s.queue, 1, k_long_us, NULL));
  beltway_stop_free(stop);
  strike_stage(&s);
}

static void* signal_soon(void* context) {
  pause_ms(20);
  kill(getpid(), SIGTERM);
  return context;
}

static void a_signal_requests_a_stop(void) {
  const int signals[2] = {SIGTERM, SIGUSR1};
  const int absent[1] = {SIGKILL};
  beltway_stop* stop = NULL;
  beltway_stop* second = NULL;
  beltway_message message = BELTWAY_MESSAGE_INIT;
  pthread_t thread;
  stage s = set_stage("signals", NULL, NULL);
  CHECK_FAILS(beltway_stop_on_signals(absent, 1, &stop), BELTWAY_ERRC_SYSTEM, "signal 9");
  CHECK_FAILS(beltway_stop_on_signals(signals, 0, &stop), BELTWAY_ERRC_INVALID_OPTION, "0 signals");
  CHECK_OK(beltway_stop_on_signals(signals, 2, &stop));
  CHECK_FAILS(beltway_stop_on_signals(signals, 2, &second), BELTWAY_ERRC_MISUSE, "another");
  CHECK(pthread_create(&thread, NULL, &signal_soon, NULL) == 0);
  CHECK_STATUS(beltway_receive_until(s.in, &message, k_long_us, stop), BELTWAY_STOPPED);
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK(beltway_stop_signal(stop) == SIGTERM);
  beltway_stop_free(stop);
  strike_stage(&s);
}

static void* interrupt_soon(void* consumer) {
  pause_ms(20);
  beltway_consumer_interrupt((beltway_consumer*)consumer);
  return NULL;
}

static void an_interrupt_ends_one_wait(void) {
  beltway_message message = BELTWAY_MESSAGE_INIT;
  pthread_t thread;
  stage s = set_stage("interrupts", NULL, NULL);
  CHECK(pthread_create(&thread, NULL, &interrupt_soon, s.in) == 0);
  CHECK_STATUS(beltway_receive_until(s.in, &message, k_long_us, NULL), BELTWAY_INTERRUPTED);
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK_STATUS(beltway_receive_until(s.in, &message, 1000, NULL), BELTWAY_TIMEOUT);
  beltway_producer_interrupt(s.out);
  CHECK_OK(beltway_publish(s.out, "x", 1));
  strike_stage(&s);
}

static void the_end_of_the_stream_comes_after_its_messages(void) {
  beltway_message message = BELTWAY_MESSAGE_INIT;
  stage s = set_stage("end", NULL, NULL);
  CHECK_OK(beltway_publish(s.out, "last", 4));
  beltway_producer_free(s.out);
  s.out = NULL;
  CHECK_OK(beltway_receive(s.in, &message));
  beltway_ack(&message);
  CHECK_STATUS(beltway_receive(s.in, &message), BELTWAY_END_OF_STREAM);
  strike_stage(&s);
}

static bool is_readable(int fd) {
  struct pollfd wanted = {fd, POLLIN, 0};
  return poll(&wanted, 1, 0) == 1;
}

static void a_descriptor_is_readable_while_there_is_something(void) {
  beltway_queue_options options = BELTWAY_QUEUE_OPTIONS_INIT;
  beltway_message message = BELTWAY_MESSAGE_INIT;
  int in;
  int out;
  stage s;
  options.slots = 4;
  s = set_stage("descriptors", &options, NULL);
  in = beltway_consumer_poll_fd(s.in);
  out = beltway_producer_poll_fd(s.out);
  CHECK(in >= 0 && out >= 0 && in != out);
  CHECK_STATUS(beltway_try_receive(s.in, &message), BELTWAY_EMPTY);
  CHECK(!is_readable(in));
  while (beltway_try_publish(s.out, "x", 1) == BELTWAY_OK) continue;
  CHECK(is_readable(in) && !is_readable(out));
  while (beltway_try_receive(s.in, &message) == BELTWAY_OK) beltway_ack(&message);
  CHECK(!is_readable(in) && is_readable(out));
  CHECK(beltway_consumer_poll_fd(NULL) == -1 && beltway_last_errc() == BELTWAY_ERRC_MISUSE);
  strike_stage(&s);
}

typedef struct tally {
  beltway_loop* loop;
  beltway_consumer* in;
  int messages;
  int interrupts;
  int readable;
  beltway_status end;
} tally;

static void count_outcome(void* context, beltway_status status, beltway_message* message) {
  tally* const counted = (tally*)context;
  if (status == BELTWAY_OK) {
    CHECK(message != NULL && message_is(message, "x"));
    ++counted->messages;
    CHECK(beltway_ack(message) == 1);
    if (counted->messages == 3) beltway_consumer_interrupt(counted->in);
  } else {
    CHECK(message == NULL);
    if (status == BELTWAY_INTERRUPTED) ++counted->interrupts;
    counted->end = status;
  }
}

static void count_readable(void* context, int fd) {
  char byte;
  CHECK(read(fd, &byte, 1) == 1 && byte == 'b');
  ++((tally*)context)->readable;
  if (((tally*)context)->readable == 2) beltway_loop_forget(((tally*)context)->loop, fd);
}

static void a_loop_calls_back_for_messages_and_descriptors(void) {
  tally counted = {NULL, NULL, 0, 0, 0, BELTWAY_OK};
  int pipes[2];
  stage s = set_stage("loop", NULL, NULL);
  counted.in = s.in;
  CHECK_OK(beltway_loop_new(&counted.loop));
  CHECK_OK(beltway_loop_on_message(counted.loop, s.in, &count_outcome, &counted));
  CHECK(pipe(pipes) == 0 && write(pipes[1], "bbb", 3) == 3);
  CHECK_OK(beltway_loop_on_readable(counted.loop, pipes[0], &count_readable, &counted));
  CHECK_OK(beltway_publish(s.out, "x", 1));
  CHECK_OK(beltway_publish(s.out, "x", 1));
  CHECK_OK(beltway_publish(s.out, "x", 1));
  CHECK_STATUS(beltway_loop_run(counted.loop, 50000, NULL), BELTWAY_TIMEOUT);
  CHECK(counted.messages == 3 && counted.interrupts == 1 && counted.readable == 2);
  beltway_loop_stop(counted.loop);
  CHECK_STATUS(beltway_loop_run(counted.loop, k_long_us, NULL), BELTWAY_STOPPED);
  CHECK_OK(beltway_loop_when_readable(counted.loop, pipes[0], &count_readable, &counted));
  beltway_producer_free(s.out);
  s.out = NULL;
  CHECK_OK(beltway_loop_run(counted.loop, k_long_us, NULL));
  CHECK(counted.end == BELTWAY_END_OF_STREAM && counted.readable == 3);
  CHECK_FAILS(beltway_loop_on_readable(counted.loop, -1, &count_readable, &counted), BELTWAY_ERRC_SYSTEM, "-1");
  beltway_loop_free(counted.loop);
  close(pipes[0]);
  close(pipes[1]);
  strike_stage(&s);
}

static beltway_message kept = BELTWAY_MESSAGE_INIT;

static int keep_third(void* context, beltway_message* message) {
  if (++*(int*)context < 3) return beltway_ack(message) == 1 ? 0 : 1;
  beltway_message_move(message, &kept);
  return 1;
}

static void consume_calls_back_until_the_handler_ends_it(void) {
  int seen = 0;
  int i;
  stage s = set_stage("consume", NULL, "workers");
  for (i = 0; i < 5; ++i) CHECK_OK(beltway_publish(s.out, &i, sizeof i));
  CHECK_OK(beltway_consume(s.in, &keep_third, &seen, BELTWAY_FOREVER, NULL));
  CHECK(seen == 3 && kept.position == 2 && beltway_ack(&kept) == 1);
  seen = -10;
  CHECK_STATUS(beltway_consume(s.in, &keep_third, &seen, 1000, NULL), BELTWAY_TIMEOUT);
  CHECK(seen >= -9);
  strike_stage(&s);
}

static void a_forked_child_is_told_to_open_its_own_connection(void) {
  beltway_message message = BELTWAY_MESSAGE_INIT;
  beltway_producer_counters sent = {sizeof sent, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  beltway_consumer_counters received = {sizeof received, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  pid_t child;
  int status = -1;
  stage s = set_stage("forks", NULL, NULL);
  fflush(NULL);
  child = fork();
  if (child == 0) {
    beltway_queue* queue = NULL;
    CHECK_FAILS(beltway_publish(s.out, "x", 1), BELTWAY_ERRC_FORKED, "connection");
    CHECK_FAILS(beltway_try_receive(s.in, &message), BELTWAY_ERRC_FORKED, "connection");
    CHECK_FAILS(beltway_open_queue(s.link, "forks", &queue), BELTWAY_ERRC_FORKED, "connection");
    CHECK_FAILS(beltway_producer_get_counters(s.out, &sent), BELTWAY_ERRC_FORKED, "connection");
    CHECK_FAILS(beltway_consumer_get_counters(s.in, &received), BELTWAY_ERRC_FORKED, "connection");
    CHECK(beltway_producer_last_sequence(s.out) == 0);
    beltway_producer_interrupt(s.out);
    beltway_consumer_interrupt(s.in);
    _exit(check_failures == 0 ? 0 : 1);
  }
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  CHECK_OK(beltway_publish(s.out, "x", 1));
  strike_stage(&s);
}

typedef struct looping {
  beltway_loop* loop;
  beltway_consumer* in;
  int calls;
} looping;

static void free_own_consumer(void* context, beltway_status status, beltway_message* message) {
  looping* with = (looping*)context;
  ++with->calls;
  CHECK(status == BELTWAY_OK && beltway_ack(message) == 1);
  CHECK_FAILS(beltway_loop_run(with->loop, 0, NULL), BELTWAY_ERRC_MISUSE, "it runs already");
  beltway_loop_forget(with->loop, beltway_consumer_poll_fd(with->in));
  beltway_consumer_free(with->in);
  with->in = NULL;
}

static void a_callback_may_free_its_consumer_and_may_not_run_its_loop(void) {
  looping with = {NULL, NULL, 0};
  stage s = set_stage("own", NULL, NULL);
  with.in = s.in;
  CHECK_OK(beltway_loop_new(&with.loop));
  CHECK_OK(beltway_loop_on_message(with.loop, s.in, &free_own_consumer, &with));
  CHECK_OK(beltway_publish(s.out, "1", 1));
  CHECK_OK(beltway_publish(s.out, "2", 1));
  CHECK_OK(beltway_loop_run(with.loop, k_long_us, NULL));
  CHECK(with.calls == 1);
  s.in = with.in;
  beltway_loop_free(with.loop);
  strike_stage(&s);
}

static void* declare_soon(void* link) {
  beltway_queue* queue = NULL;
  pause_ms(20);
  CHECK_OK(beltway_declare((beltway_connection*)link, "later", NULL, &queue));
  beltway_queue_free(queue);
  return NULL;
}

static void a_queue_is_awaited(void) {
  beltway_connection* link = NULL;
  beltway_queue* queue = NULL;
  pthread_t thread;
  CHECK_OK(beltway_open(NULL, &link));
  CHECK_FAILS(beltway_open_queue_until(link, "later", 1000, NULL, &queue), BELTWAY_ERRC_NOT_FOUND, "later");
  CHECK(pthread_create(&thread, NULL, &declare_soon, link) == 0);
  CHECK_OK(beltway_open_queue_until(link, "later", k_long_us, NULL, &queue));
  CHECK(pthread_join(thread, NULL) == 0);
  beltway_queue_free(queue);
  CHECK_OK(beltway_remove(link, "later", 0));
  beltway_close(link);
}

int main(void) {
  static const test_case cases[] = {
      {"a forked child is told to open its own connection", &a_forked_child_is_told_to_open_its_own_connection},
      {"a requested stop ends waits and later calls", &a_requested_stop_ends_waits_and_later_calls},
      {"a signal requests a stop", &a_signal_requests_a_stop},
      {"an interrupt ends one wait", &an_interrupt_ends_one_wait},
      {"the end of the stream comes after its messages", &the_end_of_the_stream_comes_after_its_messages},
      {"a descriptor is readable while there is something", &a_descriptor_is_readable_while_there_is_something},
      {"a loop calls back for messages and descriptors", &a_loop_calls_back_for_messages_and_descriptors},
      {"consume calls back until the handler ends it", &consume_calls_back_until_the_handler_ends_it},
      {"a callback may free its consumer, and may not run its loop",
       &a_callback_may_free_its_consumer_and_may_not_run_its_loop},
      {"a queue is awaited", &a_queue_is_awaited},
  };
  return RUN_CASES(cases);
}
