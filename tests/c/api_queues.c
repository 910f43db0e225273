// The C API as a C11 program has it: connections, queues, groups, descriptions, errors.
#include <pthread.h>
#include <unistd.h>

#include "check.h"

static void a_queue_is_declared_opened_listed_described_and_removed(void) {
  beltway_connection* link = NULL;
  beltway_queue* made = NULL;
  beltway_queue* opened = NULL;
  beltway_queue_info* info = NULL;
  beltway_queue_list* list = NULL;
  beltway_queue_options options = BELTWAY_QUEUE_OPTIONS_INIT;
  beltway_group groups[2] = {BELTWAY_GROUP_INIT("billing"), BELTWAY_GROUP_INIT("audit")};
  CHECK_OK(beltway_open(NULL, &link));
  groups[1].ttl_ms = 5000;
  groups[1].discard = 1;
  options.slots = 64;
  options.groups = groups;
  options.group_count = 2;
  options.description = "orders of the shop";
  options.retry_delay_ms = 20;
  options.max_parked = 7;
  CHECK_OK(beltway_declare(link, "orders", &options, &made));
  CHECK(strcmp(beltway_queue_name(made), "orders") == 0);
  CHECK_OK(beltway_open_queue(link, "orders", &opened));
  CHECK(beltway_queue_id(opened) == beltway_queue_id(made));

  CHECK_OK(beltway_describe(link, "orders", &info));
  CHECK(info->size == sizeof *info && info->id == beltway_queue_id(made));
  CHECK(info->options->slots == 64 && info->options->retry_delay_ms == 20 && info->options->max_parked == 7);
  CHECK(strcmp(info->options->description, "orders of the shop") == 0);
  CHECK(info->options->group_count == 2);
  CHECK(strcmp(info->options->groups[1].name, "audit") == 0 && info->options->groups[1].ttl_ms == 5000);
  CHECK(info->options->groups[1].discard == 1 && info->options->groups[0].discard == BELTWAY_UNSET);
  CHECK(info->endpoint_count == 0 && info->owner_uid == getuid() && info->expires_in_ms == BELTWAY_UNSET);
  // What was described may be declared again.
  beltway_queue_free(opened);
  CHECK_OK(beltway_declare(link, "orders", info->options, &opened));
  beltway_queue_info_free(info);

  CHECK_OK(beltway_list(link, &list));
  CHECK(list->count == 1 && strcmp(list->queues[0]->name, "orders") == 0);
  beltway_queue_list_free(list);
  CHECK_OK(beltway_remove(link, "orders", 0));
  CHECK_STATUS(beltway_queue_describe(made, &info), BELTWAY_REMOVED);
  beltway_queue_free(opened);
  beltway_queue_free(made);
  beltway_close(link);
}

static void some_options_are_declared_and_others_left(void) {
  const char* const said[] = {"slots"};
  beltway_connection* link = NULL;
  beltway_queue* queue = NULL;
  bool created = false;
  beltway_queue_options options = BELTWAY_QUEUE_OPTIONS_INIT;
  CHECK_OK(beltway_open(NULL, &link));
  options.slots = 32;
  options.max_consumers = 2;
  CHECK_OK(beltway_declare_some(link, "some", &options, said, 1, &queue, &created));
  CHECK(created);
  beltway_queue_free(queue);
  options.max_consumers = 3;
  CHECK_OK(beltway_declare_some(link, "some", &options, said, 1, &queue, &created));
  CHECK(!created);
  beltway_queue_free(queue);
  options.slots = 16;
  CHECK_FAILS(beltway_declare_some(link, "some", &options, said, 1, &queue, NULL), BELTWAY_ERRC_ALREADY_EXISTS,
              "slots 32, not 16");
  CHECK_OK(beltway_remove(link, "some", 0));
  beltway_close(link);
}

static void a_declare_tells_which_options_it_has_changed(void) {
  const char* const said[] = {"ttl_ms", "retry_delay_ms"};
  beltway_connection* link = NULL;
  beltway_queue* queue = NULL;
  beltway_declared* declared = NULL;
  beltway_group workers = BELTWAY_GROUP_INIT("workers");
  beltway_queue_options options = BELTWAY_QUEUE_OPTIONS_INIT;
  options.groups = &workers;
  options.group_count = 1;
  CHECK_OK(beltway_open(NULL, &link));
  CHECK_OK(beltway_declare_some_told(link, "told", &options, said, 2, &queue, &declared));
  CHECK(declared->size == sizeof *declared && declared->created && declared->change_count == 0);
  beltway_declared_free(declared);
  beltway_queue_free(queue);
  options.ttl_ms = 500;
  workers.retry_delay_ms = 7;
  CHECK_OK(beltway_declare_some_told(link, "told", &options, said, 2, &queue, &declared));
  CHECK(!declared->created && declared->change_count == 2);
  if (declared->change_count == 2) {
    CHECK(strcmp(declared->changes[0]->option, "ttl_ms") == 0 && strcmp(declared->changes[0]->group, "") == 0);
    CHECK(strcmp(declared->changes[0]->from, "0") == 0 && strcmp(declared->changes[0]->to, "500") == 0);
    CHECK(strcmp(declared->changes[1]->option, "retry_delay_ms") == 0);
    CHECK(strcmp(declared->changes[1]->group, "workers") == 0 && strcmp(declared->changes[1]->to, "7") == 0);
  }
  beltway_declared_free(declared);
  beltway_declared_free(NULL);
  beltway_queue_free(queue);
  queue = NULL;
  CHECK_FAILS(beltway_declare_some_told(link, "told", &options, said, 2, &queue, NULL), BELTWAY_ERRC_MISUSE,
              "`declared` is NULL");
  CHECK(queue == NULL);
  CHECK_OK(beltway_remove(link, "told", 0));
  beltway_close(link);
}

static void a_purge_tells_all_who_hold_what_it_left(void) {
  beltway_purge_report* report = NULL;
  beltway_message mine = BELTWAY_MESSAGE_INIT;
  beltway_message theirs = BELTWAY_MESSAGE_INIT;
  beltway_consumer_options options = BELTWAY_CONSUMER_OPTIONS_INIT;
  beltway_consumer* other = NULL;
  int i;
  stage s = set_stage("holders", NULL, "workers");
  options.group = "workers";
  CHECK_OK(beltway_consumer_new(s.queue, &options, &other));
  for (i = 0; i < 5; ++i) CHECK_OK(beltway_publish(s.out, "message", 7));
  CHECK_OK(beltway_try_receive(other, &theirs));
  CHECK_OK(beltway_try_receive(s.in, &mine));
  CHECK_OK(beltway_purge_told(s.queue, "workers", &report));
  CHECK(report->size == sizeof *report && report->purged == 3 && report->left == 2 && report->used == 5);
  CHECK(report->holder_count == 2);
  if (report->holder_count == 2) {
    CHECK(report->holders[0]->oldest == 0 && report->holders[0]->index == 1 && !report->holders[0]->producer);
    CHECK(report->holders[1]->oldest == 1 && report->holders[1]->index == 0 && report->holders[1]->messages == 1);
    CHECK(report->holders[0]->pid == getpid());
  }
  beltway_purge_report_free(report);
  CHECK(beltway_ack(&mine) == 1 && beltway_ack(&theirs) == 1);
  CHECK_OK(beltway_purge_told(s.queue, "workers", &report));
  CHECK(report->left == 0 && report->holder_count == 0);
  beltway_purge_report_free(report);
  CHECK_FAILS(beltway_purge_told(s.queue, "workers", NULL), BELTWAY_ERRC_MISUSE, "`report` is NULL");
  beltway_consumer_free(other);
  strike_stage(&s);
}

static void a_failure_names_operation_object_and_remedy(void) {
  beltway_connection* link = NULL;
  beltway_queue* queue = NULL;
  beltway_queue_options options = BELTWAY_QUEUE_OPTIONS_INIT;
  beltway_consumer_options consumer = BELTWAY_CONSUMER_OPTIONS_INIT;
  beltway_consumer* in = NULL;
  CHECK_OK(beltway_open(NULL, &link));
  CHECK_FAILS(beltway_open_queue(link, "missing", &queue), BELTWAY_ERRC_NOT_FOUND, "\"missing\"");
  CHECK(queue == NULL);
  options.slots = 100;
  CHECK_FAILS(beltway_declare(link, "odd", &options, &queue), BELTWAY_ERRC_INVALID_OPTION, "power of two");
  options.slots = 128;
  options.fence = (beltway_fence)7;
  CHECK_FAILS(beltway_declare(link, "odd", &options, &queue), BELTWAY_ERRC_INVALID_OPTION, "fence: no such value");
  options.fence = BELTWAY_FENCE_ASYMMETRIC;
  options.max_parked = -2;
  CHECK_FAILS(beltway_declare(link, "odd", &options, &queue), BELTWAY_ERRC_INVALID_OPTION, "BELTWAY_UNSET");
  options.max_parked = BELTWAY_UNSET;
  options.size = 0;
  CHECK_FAILS(beltway_declare(link, "odd", &options, &queue), BELTWAY_ERRC_INVALID_OPTION, "by its macro");
  options.size = sizeof options;
  options.reserved[5] = 1;
  CHECK_FAILS(beltway_declare(link, "odd", &options, &queue), BELTWAY_ERRC_INVALID_OPTION, "`reserved`");
  options.reserved[5] = 0;
  CHECK_OK(beltway_declare(link, "odd", &options, &queue));
  consumer.group = "nobody";
  CHECK_FAILS(beltway_consumer_new(queue, &consumer, &in), BELTWAY_ERRC_NOT_FOUND, "nobody");
  CHECK_FAILS(beltway_remove(link, "odd", 6), BELTWAY_ERRC_INVALID_OPTION, "BELTWAY_REMOVE_FORCE");
  CHECK_FAILS(beltway_declare(NULL, "odd", NULL, &queue), BELTWAY_ERRC_MISUSE, "`connection` is NULL");
  CHECK_FAILS(beltway_publish(NULL, "x", 1), BELTWAY_ERRC_MISUSE, "`producer` is NULL");
  CHECK(strcmp(beltway_errc_name(BELTWAY_ERRC_MISUSE), "misuse") == 0);
  CHECK_OK(beltway_remove(link, "odd", 0));
  beltway_queue_free(queue);
  beltway_close(link);
}

/// A struct of a later version: it has a member that this library does not know.
typedef struct later_options {
  beltway_queue_options known;
  uint64_t added;
} later_options;

static void structs_of_other_versions_are_taken_as_far_as_they_are_known(void) {
  beltway_connection* link = NULL;
  beltway_queue* queue = NULL;
  beltway_queue_options defaults = BELTWAY_QUEUE_OPTIONS_INIT;
  later_options later;
  memset(&later, 0, sizeof later);
  later.known = defaults;
  later.known.size = sizeof later;
  CHECK_OK(beltway_open(NULL, &link));
  CHECK_OK(beltway_declare(link, "later", &later.known, &queue));
  beltway_queue_free(queue);
  later.added = 1;
  CHECK_FAILS(beltway_declare(link, "later", &later.known, &queue), BELTWAY_ERRC_INCOMPATIBLE, "install a newer one");
  CHECK_OK(beltway_remove(link, "later", 0));
  beltway_close(link);
}

static void sizes_and_counts_that_nobody_has_set_are_failures(void) {
  beltway_connection* link = NULL;
  beltway_queue* queue = NULL;
  beltway_queue_options options = BELTWAY_QUEUE_OPTIONS_INIT;
  beltway_group group = BELTWAY_GROUP_INIT("g");
  const char* said[] = {"slots", NULL};
  CHECK_OK(beltway_open(NULL, &link));
  options.size = SIZE_MAX;
  CHECK_FAILS(beltway_declare(link, "unset", &options, &queue), BELTWAY_ERRC_INVALID_OPTION, "by its macro");
  options.size = (size_t)1 << 40;
  CHECK_FAILS(beltway_declare(link, "unset", &options, &queue), BELTWAY_ERRC_INVALID_OPTION, "by its macro");
  options.size = sizeof options;
  options.groups = &group;
  options.group_count = SIZE_MAX;
  CHECK_FAILS(beltway_declare(link, "unset", &options, &queue), BELTWAY_ERRC_INVALID_OPTION, "at most 64");
  options.group_count = 1;
  group.size = sizeof group + 1;
  CHECK_FAILS(beltway_declare(link, "unset", &options, &queue), BELTWAY_ERRC_INVALID_OPTION, "by its macro");
  CHECK_FAILS(beltway_declare_some(link, "unset", NULL, said, 2, &queue, NULL), BELTWAY_ERRC_MISUSE, "`said[...]`");
  CHECK(queue == NULL);
  beltway_close(link);
}

static void* fail_elsewhere(void* context) {
  CHECK(strcmp(beltway_last_error(), "") == 0 && beltway_last_errc() == BELTWAY_ERRC_NONE);
  CHECK_FAILS(beltway_publish(NULL, "x", 1), BELTWAY_ERRC_MISUSE, "producer");
  return context;
}

static void each_thread_has_its_own_last_error(void) {
  pthread_t thread;
  CHECK_FAILS(beltway_ack(NULL) == -1 ? BELTWAY_ERROR : BELTWAY_OK, BELTWAY_ERRC_MISUSE, "`message` is NULL");
  CHECK(pthread_create(&thread, NULL, &fail_elsewhere, NULL) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK(strstr(beltway_last_error(), "`message` is NULL") != NULL);
}

static void groups_are_added_paused_reset_purged_and_removed(void) {
  beltway_group group = BELTWAY_GROUP_INIT("late");
  beltway_queue_options options = BELTWAY_QUEUE_OPTIONS_INIT;
  beltway_purge_result purged;
  beltway_reset_result reset;
  beltway_message message = BELTWAY_MESSAGE_INIT;
  int i;
  stage s = set_stage("groups", &options, "early");
  purged.size = sizeof purged;
  reset.size = sizeof reset;
  for (i = 0; i < 5; ++i) CHECK_OK(beltway_publish(s.out, "message", 7));
  CHECK_OK(beltway_add_group(s.queue, &group, BELTWAY_START_OLDEST));
  CHECK_OK(beltway_purge(s.queue, "late", &purged));
  CHECK(purged.purged == 5 && purged.left == 0 && purged.used == 5 && purged.holder_pid == 0);
  CHECK_OK(beltway_reset_group(s.queue, "late", BELTWAY_START_OLDEST, &reset));
  CHECK(reset.restored == 5 && reset.acknowledged == 0);
  CHECK_FAILS(beltway_reset_group(s.queue, "late", (beltway_start)2, NULL), BELTWAY_ERRC_INVALID_OPTION, "start");
  CHECK_OK(beltway_reset_group_to_position(s.queue, "late", 3, &reset));
  CHECK(reset.position == 3 && reset.acknowledged == 3);
  CHECK_FAILS(beltway_reset_group_to_time(s.queue, "late", 1, NULL), BELTWAY_ERRC_INVALID_OPTION, "stamp");
  CHECK_OK(beltway_pause_group(s.queue, "early"));
  CHECK_STATUS(beltway_try_receive(s.in, &message), BELTWAY_EMPTY);
  CHECK_OK(beltway_resume_group(s.queue, "early"));
  CHECK_OK(beltway_try_receive(s.in, &message));
  CHECK_OK(beltway_purge(s.queue, "early", &purged));
  CHECK(purged.purged == 4 && purged.left == 1 && purged.holder_pid == getpid() && purged.held_position == 0);
  beltway_message_drop(&message);
  CHECK_OK(beltway_remove_group(s.queue, "early", 0));
  CHECK_STATUS(beltway_receive(s.in, &message), BELTWAY_REMOVED);
  CHECK_FAILS(beltway_evict(s.queue, 7), BELTWAY_ERRC_NOT_FOUND, "no consumer 7");
  CHECK_FAILS(beltway_evict(NULL, 0), BELTWAY_ERRC_MISUSE, "queue");
  CHECK_FAILS(beltway_pause_group(s.queue, "nobody"), BELTWAY_ERRC_NOT_FOUND, "nobody");
  strike_stage(&s);
}

static void a_snapshot_shows_endpoints_groups_and_counters(void) {
  beltway_queue_options options = BELTWAY_QUEUE_OPTIONS_INIT;
  beltway_snapshot* now = NULL;
  beltway_peek_result* peeked = NULL;
  beltway_message message = BELTWAY_MESSAGE_INIT;
  stage s = set_stage("snapshot", &options, "workers");
  CHECK_OK(beltway_publish(s.out, "first", 5));
  CHECK_OK(beltway_publish(s.out, "second", 6));
  CHECK_OK(beltway_receive(s.in, &message));
  CHECK_OK(beltway_queue_snapshot(s.queue, &now));
  CHECK(now->position == 2 && now->used == 2 && !now->removed && now->broken == 0);
  CHECK(now->producer_count == 1 && now->consumer_count == 1 && now->group_count == 1 && now->leaving_count == 0);
  CHECK(now->producers[0]->endpoint->pid == getpid() && now->producers[0]->counters->messages == 2);
  CHECK(now->consumers[0]->held == 1 && strcmp(now->consumers[0]->endpoint->group, "workers") == 0);
  CHECK(now->groups[0]->leased == 1 && now->groups[0]->available == 1 && now->groups[0]->holder == 0);
  CHECK(now->groups[0]->consumer_count == 1 && now->groups[0]->consumers[0] == 0);
  CHECK(now->groups[0]->due_in_us == BELTWAY_UNSET && now->groups[0]->ages.oldest_us == BELTWAY_UNSET);
  CHECK(strcmp(now->info->name, "snapshot") == 0 && now->info->endpoint_count == 2 && now->totals->repairs == 0);
  beltway_snapshot_free(now);
  CHECK_OK(beltway_peek(s.queue, NULL, 10, 3, &peeked));
  CHECK(peeked->count == 2 && peeked->messages[1]->whole_bytes == 6 && peeked->messages[1]->bytes.size == 3);
  CHECK(memcmp(peeked->messages[1]->bytes.data, "sec", 3) == 0 && !peeked->messages[1]->has_properties);
  CHECK(peeked->messages[0]->deliveries == BELTWAY_UNSET && peeked->messages[0]->holder == BELTWAY_UNSET);
  beltway_peek_result_free(peeked);
  CHECK_OK(beltway_peek(s.queue, "workers", 10, 3, &peeked));
  CHECK(peeked->count == 2 && peeked->messages[0]->deliveries == 1 && peeked->messages[0]->holder == 0);
  CHECK(peeked->messages[1]->deliveries == 0 && peeked->messages[1]->holder == BELTWAY_UNSET);
  beltway_peek_result_free(peeked);
  CHECK_OK(beltway_peek_from(s.queue, "workers", 1, 10, 3, &peeked));
  CHECK(peeked->count == 1 && peeked->messages[0]->position == 1);
  beltway_peek_result_free(peeked);
  CHECK_OK(beltway_peek_from(s.queue, NULL, 2, 10, 3, &peeked));
  CHECK(peeked->count == 0);
  beltway_peek_result_free(peeked);
  CHECK_FAILS(beltway_peek_from(NULL, NULL, 0, 1, 1, &peeked), BELTWAY_ERRC_MISUSE, "`queue` is NULL");
  beltway_ack(&message);
  strike_stage(&s);
}

static void a_daemon_says_which_one_it_is(void) {
  beltway_connection* link = NULL;
  beltway_daemon_info* daemon = NULL;
  size_t i;
  CHECK_OK(beltway_open(NULL, &link));
  CHECK_OK(beltway_ping(link, &daemon));
  CHECK(strcmp(daemon->version, beltway_version()) == 0 && daemon->pid > 0);
  CHECK(strcmp(daemon->asked, getenv("BELTWAY_SOCKET")) == 0);
  CHECK(daemon->held_count == 0 && daemon->held_queue_count == 0);
  CHECK(daemon->other_count == daemon->other_socket_count);
  for (i = 0; i < daemon->other_count; ++i)
    CHECK(strcmp(daemon->others[i]->socket, daemon->other_sockets[i]) == 0 && daemon->others[i]->pid > 0);
  beltway_daemon_info_free(daemon);
  beltway_close(link);
}

static void an_absent_daemon_is_a_failure(void) {
  beltway_connection* link = NULL;
  beltway_connection_options options = BELTWAY_CONNECTION_OPTIONS_INIT;
  options.socket = "/nonexistent/beltwayd.sock";
  options.timeout_ms = 100;
  CHECK_FAILS(beltway_open(&options, &link), BELTWAY_ERRC_NO_DAEMON, "/nonexistent/beltwayd.sock");
}

int main(void) {
  static const test_case cases[] = {
      {"a queue is declared, opened, listed, described and removed",
       &a_queue_is_declared_opened_listed_described_and_removed},
      {"some options are declared and others left", &some_options_are_declared_and_others_left},
      {"a declare tells which options it has changed", &a_declare_tells_which_options_it_has_changed},
      {"a purge tells all who hold what it left", &a_purge_tells_all_who_hold_what_it_left},
      {"a failure names operation, object and remedy", &a_failure_names_operation_object_and_remedy},
      {"structs of other versions are taken as far as they are known",
       &structs_of_other_versions_are_taken_as_far_as_they_are_known},
      {"sizes and counts that nobody has set are failures", &sizes_and_counts_that_nobody_has_set_are_failures},
      {"each thread has its own last error", &each_thread_has_its_own_last_error},
      {"groups are added, paused, reset, purged and removed", &groups_are_added_paused_reset_purged_and_removed},
      {"a snapshot shows endpoints, groups and counters", &a_snapshot_shows_endpoints_groups_and_counters},
      {"a daemon says which one it is", &a_daemon_says_which_one_it_is},
      {"an absent daemon is a failure", &an_absent_daemon_is_a_failure},
  };
  return RUN_CASES(cases);
}
