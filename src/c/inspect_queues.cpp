// Descriptions of queues and of the daemon, and copies of messages.
#include <string>

#include "c/handles.hpp"
#include "c/last_error.hpp"
#include "c/publish_options.hpp"
#include "c/shown.hpp"

using beltway::c::Arena;
using beltway::c::fail_by_null;
using beltway::c::free_shown;
using beltway::c::guarded;

namespace beltway::c {

namespace {

const beltway_peeked_message* show_peeked(const PeekedMessage& from, Arena& arena) {
  const std::vector<std::byte>& bytes = arena.keep(from.bytes);
  const bool has_properties = !from.properties_block.empty();
  const beltway_received_properties* properties = nullptr;
  if (has_properties) {
    // The texts point into the block, which must stay where it is.
    const PropertiesView view(arena.keep(from.properties_block));
    beltway_received_properties& shown = arena.keep(beltway_received_properties{});
    shown.size = sizeof shown;
    fill(shown, view);
    properties = &shown;
  }
  return &arena.keep(beltway_peeked_message{.size = sizeof(beltway_peeked_message),
                                            .position = from.position,
                                            .bytes = {bytes.data(), bytes.size()},
                                            .whole_bytes = from.size,
                                            .age_us = from.age ? from.age->count() : BELTWAY_UNSET,
                                            .producer = from.producer,
                                            .has_properties = has_properties,
                                            .properties = properties,
                                            .deliveries = or_unset(from.deliveries),
                                            .holder = or_unset(from.holder)});
}

beltway_queue_info* describe(const QueueInfo& from) {
  return make_shown<beltway_queue_info>([&](beltway_queue_info& to, Arena& arena) { show(to, from, arena); });
}

void show_daemon(beltway_daemon_info& to, const Connection::DaemonInfo& from, Arena& arena) {
  to.version = arena.text(from.version);
  to.layout = arena.text(from.layout);
  to.socket = arena.text(from.socket);
  to.asked = arena.text(from.asked);
  to.log = arena.text(from.log);
  to.passed_over = arena.text(from.passed_over);
  to.log_lost = from.log_lost;
  to.pid = from.pid;
  to.uid = from.uid;
  to.other_sockets = arena.array(from.others, [&](const OtherDaemon& each) { return arena.text(each.socket); });
  to.other_socket_count = from.others.size();
  to.held_queues = arena.array(
      from.held, [&](const Connection::HeldQueue& each) { return arena.text(each.name + ": " + each.why); });
  to.held_queue_count = from.held.size();
  to.others = arena.array(from.others, [&](const OtherDaemon& each) -> const beltway_other_daemon* {
    return &arena.keep(beltway_other_daemon{
        .size = sizeof(beltway_other_daemon), .socket = arena.text(each.socket), .pid = each.pid, .reserved = {}});
  });
  to.other_count = from.others.size();
  to.held = arena.array(from.held, [&](const Connection::HeldQueue& each) -> const beltway_held_queue* {
    return &arena.keep(beltway_held_queue{.size = sizeof(beltway_held_queue),
                                          .name = arena.text(each.name),
                                          .layout = arena.text(each.layout),
                                          .why = arena.text(each.why)});
  });
  to.held_count = from.held.size();
}

beltway_status peek(const char* call, const beltway_queue* queue, const char* group, PeekOptions options,
                    beltway_peek_result** result) {
  if (queue == nullptr) return fail_by_null(call, "queue");
  if (result == nullptr) return fail_by_null(call, "result");
  return guarded([&] {
    if (group != nullptr) options.group = group;
    const auto messages = queue->queue.peek(options);
    *result = make_shown<beltway_peek_result>([&](beltway_peek_result& to, Arena& arena) {
      to.messages = arena.array(messages, [&](const PeekedMessage& each) { return show_peeked(each, arena); });
      to.count = messages.size();
    });
    return BELTWAY_OK;
  });
}

}  // namespace

}  // namespace beltway::c

beltway_status beltway_describe(const beltway_connection* connection, const char* name, beltway_queue_info** info) {
  if (connection == nullptr) return fail_by_null("beltway_describe", "connection");
  if (name == nullptr) return fail_by_null("beltway_describe", "name");
  if (info == nullptr) return fail_by_null("beltway_describe", "info");
  return guarded([&] {
    *info = beltway::c::describe(connection->link.describe(name));
    return BELTWAY_OK;
  });
}

beltway_status beltway_queue_describe(const beltway_queue* queue, beltway_queue_info** info) {
  if (queue == nullptr) return fail_by_null("beltway_queue_describe", "queue");
  if (info == nullptr) return fail_by_null("beltway_queue_describe", "info");
  return guarded([&] {
    *info = beltway::c::describe(queue->queue.describe());
    return BELTWAY_OK;
  });
}

void beltway_queue_info_free(beltway_queue_info* info) { free_shown(info); }

beltway_status beltway_list(const beltway_connection* connection, beltway_queue_list** list) {
  if (connection == nullptr) return fail_by_null("beltway_list", "connection");
  if (list == nullptr) return fail_by_null("beltway_list", "list");
  return guarded([&] {
    const auto queues = connection->link.list();
    *list = beltway::c::make_shown<beltway_queue_list>([&](beltway_queue_list& to, Arena& arena) {
      to.queues = arena.array(queues, [&](const beltway::QueueInfo& each) -> const beltway_queue_info* {
        beltway_queue_info& shown = arena.keep(beltway_queue_info{});
        beltway::c::show(shown, each, arena);
        return &shown;
      });
      to.count = queues.size();
    });
    return BELTWAY_OK;
  });
}

void beltway_queue_list_free(beltway_queue_list* list) { free_shown(list); }

beltway_status beltway_ping(const beltway_connection* connection, beltway_daemon_info** info) {
  if (connection == nullptr) return fail_by_null("beltway_ping", "connection");
  if (info == nullptr) return fail_by_null("beltway_ping", "info");
  return guarded([&] {
    const auto from = connection->link.ping();
    *info = beltway::c::make_shown<beltway_daemon_info>(
        [&](beltway_daemon_info& to, Arena& arena) { beltway::c::show_daemon(to, from, arena); });
    return BELTWAY_OK;
  });
}

void beltway_daemon_info_free(beltway_daemon_info* info) { free_shown(info); }

beltway_status beltway_peek(const beltway_queue* queue, const char* group, size_t count, size_t max_bytes,
                            beltway_peek_result** result) {
  return beltway::c::peek("beltway_peek", queue, group, {.count = count, .max_bytes = max_bytes}, result);
}

beltway_status beltway_peek_from(const beltway_queue* queue, const char* group, uint64_t from, size_t count,
                                 size_t max_bytes, beltway_peek_result** result) {
  return beltway::c::peek("beltway_peek_from", queue, group, {.count = count, .max_bytes = max_bytes, .from = from},
                          result);
}

void beltway_peek_result_free(beltway_peek_result* result) { free_shown(result); }
