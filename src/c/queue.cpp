// The calls of a queue's handle: waits for endpoints, groups, and single messages of groups.
#include "beltway/queue.hpp"

#include <chrono>
#include <mutex>

#include "c/handles.hpp"
#include "c/last_error.hpp"
#include "c/shown.hpp"
#include "c/structs.hpp"

using beltway::c::fail_by_null;
using beltway::c::guarded;

namespace beltway::c {

namespace {

/// `call(queue)`, which returns nothing.
template <class Call>
beltway_status with(const char* name, const beltway_queue* queue, const char* group, const Call& call) {
  if (queue == nullptr) return fail_by_null(name, "queue");
  if (group == nullptr) return fail_by_null(name, "group");
  return guarded([&] {
    call(queue->queue);
    return BELTWAY_OK;
  });
}

/// `reset(queue)`, whose result is told.
template <class Reset>
beltway_status reset_group(const char* name, const beltway_queue* queue, const char* group,
                           beltway_reset_result* result, const Reset& reset) {
  beltway_reset_result unwanted{};
  unwanted.size = sizeof unwanted;
  return with(name, queue, group, [&](const Queue& at) {
    fill_known(result == nullptr ? &unwanted : result, "beltway_reset_result", [&](beltway_reset_result& to) {
      const ResetResult done = reset(at);
      to.position = done.position;
      to.acknowledged = done.acknowledged;
      to.restored = done.restored;
      to.held = done.held;
    });
  });
}

beltway_purge_report* show_report(const PurgeResult& from) {
  return make_shown<beltway_purge_report>([&](beltway_purge_report& to, Arena& arena) {
    to.purged = from.purged;
    to.left = from.left;
    to.used = from.used;
    to.holders = arena.array(from.holders, [&](const PurgeHolder& each) -> const beltway_purge_holder* {
      return &arena.keep(beltway_purge_holder{.size = sizeof(beltway_purge_holder),
                                              .messages = each.messages,
                                              .oldest = each.oldest,
                                              .pid = each.pid,
                                              .index = each.index,
                                              .producer = each.producer,
                                              .reserved = {}});
    });
    to.holder_count = from.holders.size();
  });
}

}  // namespace

}  // namespace beltway::c

using beltway::c::with;

void beltway_queue_free(beltway_queue* queue) { delete queue; }

const char* beltway_queue_name(const beltway_queue* queue) {
  return queue == nullptr ? "" : queue->queue.name().c_str();
}
uint64_t beltway_queue_id(const beltway_queue* queue) { return queue == nullptr ? 0 : queue->queue.id(); }

beltway_status beltway_queue_get_options(const beltway_queue* queue, const beltway_queue_options** options) {
  if (queue == nullptr) return fail_by_null("beltway_queue_get_options", "queue");
  if (options == nullptr) return fail_by_null("beltway_queue_get_options", "options");
  return guarded([&] {
    std::call_once(queue->shows_options,
                   [&] { queue->options = beltway::c::show(queue->queue.options(), queue->arena); });
    *options = queue->options;
    return BELTWAY_OK;
  });
}

beltway_status beltway_wait_for_consumers(const beltway_queue* queue, uint32_t count, int64_t timeout_us,
                                          const beltway_stop* stop) {
  if (queue == nullptr) return fail_by_null("beltway_wait_for_consumers", "queue");
  return guarded([&] {
    return beltway::c::status_of(queue->queue.wait_for_consumers(count, beltway::c::until(timeout_us, stop)));
  });
}

beltway_status beltway_wait_for_producers(const beltway_queue* queue, uint32_t count, int64_t timeout_us,
                                          const beltway_stop* stop) {
  if (queue == nullptr) return fail_by_null("beltway_wait_for_producers", "queue");
  return guarded([&] {
    return beltway::c::status_of(queue->queue.wait_for_producers(count, beltway::c::until(timeout_us, stop)));
  });
}

beltway_status beltway_add_group(const beltway_queue* queue, const beltway_group* group, beltway_start start) {
  if (group == nullptr) return fail_by_null("beltway_add_group", "group");
  return with("beltway_add_group", queue, "",
              [&](const beltway::Queue& at) { at.add_group(beltway::c::cpp(*group), beltway::c::start(start)); });
}

beltway_status beltway_remove_group(const beltway_queue* queue, const char* group, uint32_t flags) {
  return with("beltway_remove_group", queue, group, [&](const beltway::Queue& at) {
    at.remove_group(group, beltway::c::remove_options(flags, "beltway_remove_group"));
  });
}

beltway_status beltway_pause_group(const beltway_queue* queue, const char* group) {
  return with("beltway_pause_group", queue, group, [&](const beltway::Queue& at) { at.pause_group(group); });
}

beltway_status beltway_resume_group(const beltway_queue* queue, const char* group) {
  return with("beltway_resume_group", queue, group, [&](const beltway::Queue& at) { at.resume_group(group); });
}

beltway_status beltway_evict(const beltway_queue* queue, uint32_t consumer) {
  if (queue == nullptr) return fail_by_null("beltway_evict", "queue");
  return guarded([&] {
    queue->queue.evict(consumer);
    return BELTWAY_OK;
  });
}

beltway_status beltway_ack_message(const beltway_queue* queue, const char* group, uint64_t position) {
  return with("beltway_ack_message", queue, group, [&](const beltway::Queue& at) { at.ack_message(group, position); });
}

beltway_status beltway_move_message(const beltway_queue* queue, const char* group, uint64_t position,
                                    const beltway_queue* target, int64_t timeout_us, const beltway_stop* stop) {
  constexpr const char* k_call = "beltway_move_message";
  if (queue == nullptr) return fail_by_null(k_call, "queue");
  if (group == nullptr) return fail_by_null(k_call, "group");
  if (target == nullptr) return fail_by_null(k_call, "target");
  return guarded([&] {
    return beltway::c::status_of(
        queue->queue.move_message(group, position, target->queue, beltway::c::until(timeout_us, stop)));
  });
}

beltway_status beltway_purge(const beltway_queue* queue, const char* group, beltway_purge_result* result) {
  beltway_purge_result unwanted{};
  unwanted.size = sizeof unwanted;
  return with("beltway_purge", queue, group, [&](const beltway::Queue& at) {
    beltway::c::fill_known(result == nullptr ? &unwanted : result, "beltway_purge_result",
                           [&](beltway_purge_result& to) {
                             const beltway::PurgeResult done = at.purge(group);
                             to.purged = done.purged;
                             to.left = done.left;
                             to.used = done.used;
                             to.holder_pid = done.holders.empty() ? 0 : done.holders.front().pid;
                             to.held_position = done.holders.empty() ? 0 : done.holders.front().oldest;
                           });
  });
}

beltway_status beltway_purge_told(const beltway_queue* queue, const char* group, beltway_purge_report** report) {
  if (report == nullptr) return fail_by_null("beltway_purge_told", "report");
  return with("beltway_purge_told", queue, group,
              [&](const beltway::Queue& at) { *report = beltway::c::show_report(at.purge(group)); });
}

void beltway_purge_report_free(beltway_purge_report* report) { beltway::c::free_shown(report); }

beltway_status beltway_reset_group(const beltway_queue* queue, const char* group, beltway_start to,
                                   beltway_reset_result* result) {
  return beltway::c::reset_group("beltway_reset_group", queue, group, result, [&](const beltway::Queue& at) {
    return at.reset_group(group, beltway::c::start(to));
  });
}

beltway_status beltway_reset_group_to_position(const beltway_queue* queue, const char* group, uint64_t position,
                                               beltway_reset_result* result) {
  return beltway::c::reset_group("beltway_reset_group_to_position", queue, group, result,
                                 [&](const beltway::Queue& at) { return at.reset_group(group, position); });
}

beltway_status beltway_reset_group_to_time(const beltway_queue* queue, const char* group, int64_t published_ns,
                                           beltway_reset_result* result) {
  return beltway::c::reset_group("beltway_reset_group_to_time", queue, group, result, [&](const beltway::Queue& at) {
    return at.reset_group(group, beltway::PublishTime(std::chrono::nanoseconds(published_ns)));
  });
}
