// The state of a queue in shared memory.
#include "c/handles.hpp"
#include "c/last_error.hpp"
#include "c/shown.hpp"
#include "c/shown_counters.hpp"

namespace beltway::c {

namespace {

beltway_message_ages show(const MessageAges& from) {
  return {.oldest_us = or_unset(from.oldest),
          .delivered = from.delivered,
          .p50_us = from.p50.count(),
          .p99_us = from.p99.count(),
          .max_us = from.max.count()};
}

template <class Shown, class Counters>
const Shown* show_counters(const Counters& from, Arena& arena) {
  Shown& shown = arena.keep(Shown{});
  shown.size = sizeof shown;
  fill(shown, from);
  return &shown;
}

const beltway_producer_state* show(const ProducerState& from, Arena& arena) {
  return &arena.keep(beltway_producer_state{.size = sizeof(beltway_producer_state),
                                            .endpoint = show(from.endpoint, arena),
                                            .counters = show_counters<beltway_producer_counters>(from.counters, arena),
                                            .sleep = static_cast<beltway_sleep_state>(from.sleep),
                                            .waits_for = static_cast<beltway_waits_for>(from.waits_for),
                                            .waits_past = from.waits_past,
                                            .waits_since_ns = from.waits_since_ns,
                                            .claimed = from.claimed,
                                            .oldest_claim = from.oldest_claim,
                                            .lane_messages = from.lane_messages,
                                            .lane_used = from.lane_used,
                                            .place_in_line = from.place_in_line});
}

const beltway_consumer_state* show(const ConsumerState& from, Arena& arena) {
  return &arena.keep(beltway_consumer_state{.size = sizeof(beltway_consumer_state),
                                            .endpoint = show(from.endpoint, arena),
                                            .counters = show_counters<beltway_consumer_counters>(from.counters, arena),
                                            .sleep = static_cast<beltway_sleep_state>(from.sleep),
                                            .waits_since_ns = from.waits_since_ns,
                                            .held = from.held,
                                            .lag = from.lag,
                                            .floor = from.floor,
                                            .ages = show(from.ages)});
}

const beltway_group_state* show(const GroupState& from, Arena& arena) {
  const std::vector<unsigned>& consumers = arena.keep(from.consumers);
  return &arena.keep(beltway_group_state{.size = sizeof(beltway_group_state),
                                         .name = arena.text(from.name),
                                         .dead_letter = arena.text(from.dead_letter),
                                         .floor = from.floor,
                                         .depth = from.depth,
                                         .holder = or_unset(from.holder),
                                         .tries = from.tries,
                                         .available = from.available,
                                         .leased = from.leased,
                                         .retry = from.retry,
                                         .delayed = from.delayed,
                                         .due_in_us = or_unset(from.due_in),
                                         .parked = from.parked,
                                         .oldest_parked = or_unset(from.oldest_parked),
                                         .parked_holder = or_unset(from.parked_holder),
                                         .evict_after_ms = from.evict_after.count(),
                                         .retry_delay_ms = from.retry_delay.count(),
                                         .retry_delay_max_ms = from.retry_delay_max.count(),
                                         .ttl_ms = from.ttl.count(),
                                         .lease_timeout_ms = from.lease_timeout.count(),
                                         .max_deliveries = from.max_deliveries,
                                         .drop_oldest = from.drop_oldest,
                                         .discarded = from.discarded,
                                         .dead_lettered = from.dead_lettered,
                                         .expired = from.expired,
                                         .timed_out = from.timed_out,
                                         .dropped = from.dropped,
                                         .to_move = from.to_move,
                                         .overdue = from.overdue,
                                         .paused_for_ms = or_unset(from.paused_for),
                                         .ages = show(from.ages),
                                         .consumers = consumers.data(),
                                         .consumer_count = consumers.size(),
                                         .discard = from.discard,
                                         .reserved = {}});
}

const beltway_leaving_group* show(const LeavingGroup& from, Arena& arena) {
  return &arena.keep(beltway_leaving_group{.size = sizeof(beltway_leaving_group),
                                           .name = arena.text(from.name),
                                           .floor = from.floor,
                                           .leased = from.leased,
                                           .holds = from.holds,
                                           .reserved = {}});
}

const beltway_queue_totals* show(const QueueTotals& from, Arena& arena) {
  return &arena.keep(beltway_queue_totals{.size = sizeof(beltway_queue_totals),
                                          .repairs = from.repairs,
                                          .voided = from.voided,
                                          .released = from.released,
                                          .messages_in = from.messages_in,
                                          .bytes_in = from.bytes_in,
                                          .messages_out = from.messages_out,
                                          .bytes_out = from.bytes_out,
                                          .refused = from.refused,
                                          .lost = from.lost,
                                          .redelivered = from.redelivered,
                                          .wakes = from.wakes,
                                          .sleeps = from.sleeps,
                                          .unread = from.unread,
                                          .discarded = from.discarded,
                                          .expired = from.expired,
                                          .dead_lettered = from.dead_lettered,
                                          .timed_out = from.timed_out});
}

void show_state(beltway_snapshot& to, const QueueSnapshot& from, Arena& arena) {
  beltway_queue_info& info = arena.keep(beltway_queue_info{});
  show(info, from.info, arena);
  to.info = &info;
  to.position = from.position;
  to.used = from.used;
  to.parked = from.parked;
  to.max_parked = from.max_parked;
  to.broken = from.broken;
  to.totals = show(from.totals, arena);
  to.producers = arena.array(from.producers, [&](const ProducerState& each) { return show(each, arena); });
  to.producer_count = from.producers.size();
  to.consumers = arena.array(from.consumers, [&](const ConsumerState& each) { return show(each, arena); });
  to.consumer_count = from.consumers.size();
  to.groups = arena.array(from.groups, [&](const GroupState& each) { return show(each, arena); });
  to.group_count = from.groups.size();
  to.leaving = arena.array(from.leaving, [&](const LeavingGroup& each) { return show(each, arena); });
  to.leaving_count = from.leaving.size();
  to.symmetric_fences = from.symmetric_fences;
  to.removed = from.removed;
}

}  // namespace

}  // namespace beltway::c

beltway_status beltway_queue_snapshot(const beltway_queue* queue, beltway_snapshot** snapshot) {
  if (queue == nullptr) return beltway::c::fail_by_null("beltway_queue_snapshot", "queue");
  if (snapshot == nullptr) return beltway::c::fail_by_null("beltway_queue_snapshot", "snapshot");
  return beltway::c::guarded([&] {
    const beltway::QueueSnapshot from = queue->queue.snapshot();
    *snapshot = beltway::c::make_shown<beltway_snapshot>(
        [&](beltway_snapshot& to, beltway::c::Arena& arena) { beltway::c::show_state(to, from, arena); });
    return BELTWAY_OK;
  });
}

void beltway_snapshot_free(beltway_snapshot* snapshot) { beltway::c::free_shown(snapshot); }
