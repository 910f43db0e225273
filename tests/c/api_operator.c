// The C API as a C11 program has it: what an operator asks for: events, single messages, a daemon that is stopped. Second user: a
// child that has become "nobody", if this program is root's.
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum { k_nobody = 65534 };

static beltway_queue* declare_in_group(const stage* s, const char* name, uint32_t slots, uint32_t mode) {
  beltway_queue* queue = NULL;
  beltway_queue_options options = BELTWAY_QUEUE_OPTIONS_INIT;
  beltway_group group = BELTWAY_GROUP_INIT("g");
  options.slots = slots;
  options.mode = mode;
  options.groups = &group;
  options.group_count = 1;
  CHECK_OK(beltway_declare(s->link, name, &options, &queue));
  return queue;
}

/// The first event of that kind and queue on the page; NULL: none.
static const beltway_event* find_event(const beltway_event_page* page, const char* kind, const char* queue) {
  size_t i;
  for (i = 0; i < page->event_count; ++i)
    if (strcmp(page->events[i]->kind, kind) == 0 && strcmp(page->events[i]->queue, queue) == 0) return page->events[i];
  return NULL;
}

static void events_tell_what_happened_in_pages(void) {
  beltway_event_page* page = NULL;
  beltway_event_page* rest = NULL;
  const beltway_event* event = NULL;
  stage s = set_stage("told", NULL, "workers");
  CHECK_OK(beltway_events(s.link, 0, BELTWAY_MAX_EVENTS_PER_REQUEST, &page));
  CHECK(page->size == sizeof *page && page->journal != 0 && page->first == 1 && !page->more);
  CHECK(page->last == page->event_count && page->next == page->last + 1);
  CHECK(page->event_count != 0 && page->events[0]->size == sizeof(beltway_event));
  CHECK(page->event_count != 0 && strcmp(page->events[0]->kind, "started") == 0 && page->events[0]->sequence == 1);
  event = find_event(page, "declared", "told");
  CHECK(event != NULL && event->queue_id == beltway_queue_id(s.queue) && event->time_ns > event->monotonic_ns);
  event = find_event(page, "attached", "told");
  CHECK(event != NULL && strcmp(event->role, "producer") == 0 && event->pid == getpid() && event->uid == getuid());
  CHECK(event != NULL && strlen(event->command) != 0 && strcmp(event->group, "") == 0);
  CHECK_OK(beltway_events(s.link, page->events[0]->sequence, 2, &rest));
  CHECK(rest->event_count == 2 && rest->more && rest->next == 3 && rest->journal == page->journal);
  beltway_event_page_free(rest);
  CHECK_OK(beltway_events(s.link, page->next, 2, &rest));
  CHECK(rest->event_count == 0 && !rest->more && rest->next == page->next);
  beltway_event_page_free(rest);
  beltway_event_page_free(page);
  beltway_event_page_free(NULL);
  CHECK_FAILS(beltway_events(NULL, 0, 1, &page), BELTWAY_ERRC_MISUSE, "`connection` is NULL");
  CHECK_FAILS(beltway_events(s.link, 0, 1, NULL), BELTWAY_ERRC_MISUSE, "`page` is NULL");
  strike_stage(&s);
}

static void one_message_is_acknowledged_and_the_others_stay(void) {
  beltway_message message = BELTWAY_MESSAGE_INIT;
  stage s = set_stage("acked", NULL, "workers");
  CHECK_OK(beltway_publish(s.out, "first", 5));
  CHECK_OK(beltway_publish(s.out, "second", 6));
  CHECK_OK(beltway_publish(s.out, "third", 5));
  CHECK_OK(beltway_ack_message(s.queue, "workers", 1));
  CHECK_FAILS(beltway_ack_message(s.queue, "workers", 1), BELTWAY_ERRC_NOT_FOUND, "position 1");
  CHECK_FAILS(beltway_ack_message(s.queue, "nobody", 0), BELTWAY_ERRC_NOT_FOUND, "nobody");
  CHECK_OK(beltway_try_receive(s.in, &message));
  CHECK(message_is(&message, "first"));
  CHECK_FAILS(beltway_ack_message(s.queue, "workers", 0), BELTWAY_ERRC_MISUSE, "is held by consumer 0");
  CHECK(beltway_ack(&message) == 1);
  CHECK_OK(beltway_try_receive(s.in, &message));
  CHECK(message_is(&message, "third") && beltway_ack(&message) == 1);
  CHECK_STATUS(beltway_try_receive(s.in, &message), BELTWAY_EMPTY);
  CHECK_FAILS(beltway_ack_message(NULL, "workers", 0), BELTWAY_ERRC_MISUSE, "`queue` is NULL");
  CHECK_FAILS(beltway_ack_message(s.queue, NULL, 0), BELTWAY_ERRC_MISUSE, "`group` is NULL");
  strike_stage(&s);
}

static void one_message_moves_to_another_queue_with_its_properties(void) {
  beltway_message message = BELTWAY_MESSAGE_INIT;
  beltway_received_properties received;
  beltway_properties properties = BELTWAY_PROPERTIES_INIT;
  beltway_publish_options with = BELTWAY_PUBLISH_OPTIONS_INIT;
  beltway_consumer_options options = BELTWAY_CONSUMER_OPTIONS_INIT;
  beltway_consumer* moved = NULL;
  stage s = set_stage("origin", NULL, "workers");
  beltway_queue* target = declare_in_group(&s, "target", 16, 0600);
  options.group = "g";
  properties.key = beltway_text_of("k-7");
  with.properties = &properties;
  CHECK_OK(beltway_publish(s.out, "good", 4));
  CHECK_OK(beltway_publish_with(s.out, "poison", 6, &with, NULL));
  CHECK_OK(beltway_move_message(s.queue, "workers", 1, target, BELTWAY_FOREVER, NULL));
  CHECK_FAILS(beltway_move_message(s.queue, "workers", 1, target, 0, NULL), BELTWAY_ERRC_NOT_FOUND, "position 1");
  CHECK_FAILS(beltway_move_message(s.queue, "workers", 0, s.queue, 0, NULL), BELTWAY_ERRC_INVALID_OPTION, "same queue");
  CHECK_FAILS(beltway_move_message(s.queue, "workers", 0, NULL, 0, NULL), BELTWAY_ERRC_MISUSE, "`target` is NULL");
  CHECK_OK(beltway_consumer_new(target, &options, &moved));
  CHECK_OK(beltway_try_receive(moved, &message));
  received.size = sizeof received;
  CHECK_OK(beltway_message_properties(&message, &received));
  CHECK(message_is(&message, "poison") && text_is(received.key, "k-7") && beltway_ack(&message) == 1);
  CHECK_OK(beltway_try_receive(s.in, &message));
  CHECK(message_is(&message, "good") && beltway_ack(&message) == 1);
  CHECK_STATUS(beltway_try_receive(s.in, &message), BELTWAY_EMPTY);
  beltway_consumer_free(moved);
  beltway_queue_free(target);
  strike_stage(&s);
}

static void a_move_to_a_full_queue_ends_by_time_or_stop_and_the_message_stays(void) {
  beltway_message message = BELTWAY_MESSAGE_INIT;
  beltway_producer* filler = NULL;
  beltway_stop* stop = NULL;
  stage s = set_stage("stays", NULL, "workers");
  beltway_queue* full = declare_in_group(&s, "full", 2, 0600);
  CHECK_OK(beltway_producer_new(full, NULL, &filler));
  while (beltway_try_publish(filler, "x", 1) == BELTWAY_OK) continue;
  CHECK_OK(beltway_publish(s.out, "stays", 5));
  CHECK_STATUS(beltway_move_message(s.queue, "workers", 0, full, 20000, NULL), BELTWAY_TIMEOUT);
  CHECK_OK(beltway_stop_new(&stop));
  beltway_stop_request(stop);
  CHECK_STATUS(beltway_move_message(s.queue, "workers", 0, full, BELTWAY_FOREVER, stop), BELTWAY_STOPPED);
  CHECK_OK(beltway_receive_until(s.in, &message, 20000000, NULL));
  CHECK(message_is(&message, "stays") && beltway_message_deliveries(&message) == 1 && beltway_ack(&message) == 1);
  beltway_stop_free(stop);
  beltway_producer_free(filler);
  beltway_queue_free(full);
  strike_stage(&s);
}

static void a_queue_handle_tells_its_options_without_the_daemon(void) {
  const beltway_queue_options* first = NULL;
  const beltway_queue_options* again = NULL;
  stage s = set_stage("options", NULL, NULL);
  beltway_queue* queue = declare_in_group(&s, "named", 32, 0640);
  CHECK_OK(beltway_remove(s.link, "named", 0));
  CHECK_OK(beltway_queue_get_options(queue, &first));
  CHECK(first->size == sizeof *first && first->slots == 32 && first->mode == 0640 && first->max_consumers == 16);
  CHECK(first->group_count == 1 && strcmp(first->groups[0].name, "g") == 0);
  CHECK_OK(beltway_queue_get_options(queue, &again));
  CHECK(first == again);
  CHECK_FAILS(beltway_queue_get_options(NULL, &first), BELTWAY_ERRC_MISUSE, "`queue` is NULL");
  CHECK_FAILS(beltway_queue_get_options(queue, NULL), BELTWAY_ERRC_MISUSE, "`options` is NULL");
  beltway_queue_free(queue);
  strike_stage(&s);
}

static void a_stopped_daemon_is_given_up_after_its_own_time(void) {
  beltway_connection* link = NULL;
  beltway_daemon_info* daemon = NULL;
  beltway_queue_list* list = NULL;
  beltway_connection_options options = BELTWAY_CONNECTION_OPTIONS_INIT;
  CHECK(options.stopped_timeout_ms == BELTWAY_FOREVER);
  options.timeout_ms = 60000;
  options.stopped_timeout_ms = 10;
  CHECK_OK(beltway_open(&options, &link));
  CHECK_OK(beltway_ping(link, &daemon));
  CHECK(kill(daemon->pid, SIGSTOP) == 0);
  CHECK_FAILS(beltway_list(link, &list), BELTWAY_ERRC_NO_DAEMON, "is stopped");
  CHECK(kill(daemon->pid, SIGCONT) == 0);
  CHECK_OK(beltway_list(link, &list));
  beltway_queue_list_free(list);
  beltway_daemon_info_free(daemon);
  beltway_close(link);
  // A program that was compiled before there was this option has a shorter struct.
  options.size = offsetof(beltway_connection_options, stopped_timeout_ms);
  CHECK_OK(beltway_open(&options, &link));
  beltway_close(link);
}

/// As nobody: connects, and asks for what nobody may not have. The socket's folder may lie below others that are closed.
static int ask_as_nobody(void) {
  char folder[PATH_MAX];
  char file[PATH_MAX];
  char socket[PATH_MAX + 2];
  beltway_connection_options options = BELTWAY_CONNECTION_OPTIONS_INIT;
  beltway_connection* link = NULL;
  beltway_queue* queue = NULL;
  beltway_queue* target = NULL;
  beltway_event_page* page = NULL;
  const int failures_before = check_failures;
  snprintf(folder, sizeof folder, "%s", getenv("BELTWAY_SOCKET"));
  snprintf(file, sizeof file, "%s", getenv("BELTWAY_SOCKET"));
  snprintf(socket, sizeof socket, "./%s", basename(file));
  options.socket = socket;
  CHECK(chdir(dirname(folder)) == 0 && setgid(k_nobody) == 0 && setuid(k_nobody) == 0);
  CHECK_OK(beltway_open(&options, &link));
  CHECK_OK(beltway_open_queue(link, "shared", &queue));
  CHECK_OK(beltway_open_queue(link, "open", &target));
  CHECK_FAILS(beltway_ack_message(queue, "workers", 0), BELTWAY_ERRC_NO_PERMISSION, "shared");
  CHECK_FAILS(beltway_move_message(queue, "workers", 0, target, 0, NULL), BELTWAY_ERRC_NO_PERMISSION, "shared");
  CHECK_OK(beltway_events(link, 0, BELTWAY_MAX_EVENTS_PER_REQUEST, &page));
  CHECK(find_event(page, "declared", "shared") != NULL && find_event(page, "declared", "secret") == NULL);
  beltway_event_page_free(page);
  return check_failures - failures_before;
}

static void another_user_acknowledges_and_moves_nothing_and_sees_no_events_of_closed_queues(void) {
  int status = 0;
  pid_t child;
  beltway_message message = BELTWAY_MESSAGE_INIT;
  beltway_queue_options options = BELTWAY_QUEUE_OPTIONS_INIT;
  beltway_queue* others[2];
  stage s;
  if (getuid() != 0) {
    puts("skipped: only root can become another user");
    return;
  }
  options.mode = 0666;
  s = set_stage("shared", &options, "workers");
  others[0] = declare_in_group(&s, "open", 16, 0666);
  others[1] = declare_in_group(&s, "secret", 16, 0600);
  CHECK_OK(beltway_publish(s.out, "mine", 4));
  fflush(NULL);
  child = fork();
  if (child == 0) _exit(ask_as_nobody() == 0 ? 0 : 1);
  CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
  CHECK_OK(beltway_try_receive(s.in, &message));
  CHECK(message_is(&message, "mine") && beltway_ack(&message) == 1);
  beltway_queue_free(others[0]);
  beltway_queue_free(others[1]);
  strike_stage(&s);
}

int main(void) {
  static const test_case cases[] = {
      {"events tell what happened, in pages", &events_tell_what_happened_in_pages},
      {"one message is acknowledged, and the others stay", &one_message_is_acknowledged_and_the_others_stay},
      {"one message moves to another queue with its properties",
       &one_message_moves_to_another_queue_with_its_properties},
      {"a move to a full queue ends by time or stop, and the message stays",
       &a_move_to_a_full_queue_ends_by_time_or_stop_and_the_message_stays},
      {"a queue handle tells its options without the daemon", &a_queue_handle_tells_its_options_without_the_daemon},
      {"a stopped daemon is given up after its own time", &a_stopped_daemon_is_given_up_after_its_own_time},
      {"another user acknowledges and moves nothing, and sees no events of closed queues",
       &another_user_acknowledges_and_moves_nothing_and_sees_no_events_of_closed_queues},
  };
  return RUN_CASES(cases);
}
