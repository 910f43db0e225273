#include "c/shown.hpp"

namespace beltway::c {

namespace {

/// Groups lie one after the other, as a declare takes them.
const beltway_group* show(const std::vector<NamedGroup>& groups, Arena& arena) {
  std::vector<beltway_group> shown;
  for (const NamedGroup& each : groups) {
    const GroupOptions& own = each.options;
    shown.push_back({.size = sizeof(beltway_group),
                     .name = arena.text(each.name),
                     .evict_after_ms = or_unset(own.evict_after),
                     .retry_delay_ms = or_unset(own.retry_delay),
                     .retry_delay_max_ms = or_unset(own.retry_delay_max),
                     .max_deliveries = or_unset(own.max_deliveries),
                     .discard = or_unset(own.discard),
                     .dead_letter = own.dead_letter ? arena.text(*own.dead_letter) : nullptr,
                     .ttl_ms = or_unset(own.ttl),
                     .lease_timeout_ms = or_unset(own.lease_timeout),
                     .drop_oldest = or_unset(own.drop_oldest)});
  }
  return arena.keep(std::move(shown)).data();
}

}  // namespace

const beltway_queue_options* show(const QueueOptions& from, Arena& arena) {
  return &arena.keep(beltway_queue_options{.size = sizeof(beltway_queue_options),
                                           .slots = from.slots,
                                           .slot_bytes = from.slot_bytes,
                                           .lane_bytes = from.lane_bytes,
                                           .max_producers = from.max_producers,
                                           .max_consumers = from.max_consumers,
                                           .max_groups = from.max_groups,
                                           .mode = from.mode,
                                           .groups = show(from.groups, arena),
                                           .group_count = from.groups.size(),
                                           .fence = static_cast<beltway_fence>(from.fence),
                                           .stamps = static_cast<beltway_stamps>(from.stamps),
                                           .evict_after_ms = from.evict_after.count(),
                                           .retry_delay_ms = from.retry_delay.count(),
                                           .retry_delay_max_ms = from.retry_delay_max.count(),
                                           .max_deliveries = from.max_deliveries,
                                           .drop_oldest = from.drop_oldest,
                                           .dead_letter = arena.text(from.dead_letter),
                                           .ttl_ms = from.ttl.count(),
                                           .lease_timeout_ms = from.lease_timeout.count(),
                                           .max_parked = or_unset(from.max_parked),
                                           .type_name = arena.text(from.type.name),
                                           .type_size = from.type.size,
                                           .type_alignment = from.type.alignment,
                                           .description = arena.text(from.description),
                                           .expire_after_ms = from.expire_after.count(),
                                           .discard = from.discard,
                                           .exclusive = from.exclusive,
                                           .reserved = {}});
}

const beltway_endpoint_info* show(const EndpointInfo& from, Arena& arena) {
  return &arena.keep(beltway_endpoint_info{.size = sizeof(beltway_endpoint_info),
                                           .index = from.index,
                                           .pid = from.pid,
                                           .uid = from.uid,
                                           .prefetch = from.prefetch,
                                           .group = arena.text(from.group),
                                           .name = arena.text(from.name),
                                           .producer = from.producer,
                                           .lossy = from.lossy,
                                           .evicted = from.evicted,
                                           .evictable = from.evictable,
                                           .orphan = from.orphan,
                                           .leaving = from.leaving});
}

void show(beltway_queue_info& to, const QueueInfo& from, Arena& arena) {
  to.size = sizeof to;
  to.name = arena.text(from.name);
  to.id = from.id;
  to.owner_uid = from.owner_uid;
  to.owner_gid = from.owner_gid;
  to.options = show(from.options, arena);
  to.shared_bytes = from.shared_bytes;
  to.endpoints = arena.array(from.endpoints, [&](const EndpointInfo& each) { return show(each, arena); });
  to.endpoint_count = from.endpoints.size();
  to.producer_names = arena.array(from.producer_names, [&](const ProducerName& each) -> const beltway_producer_name* {
    return &arena.keep(beltway_producer_name{
        .size = sizeof(beltway_producer_name), .name = arena.text(each.name), .last_sequence = each.last_sequence});
  });
  to.producer_name_count = from.producer_names.size();
  to.paused = arena.array(from.paused, [&](const PausedGroup& each) -> const beltway_paused_group* {
    return &arena.keep(beltway_paused_group{
        .size = sizeof(beltway_paused_group), .name = arena.text(each.name), .paused_for_ms = each.paused_for.count()});
  });
  to.paused_count = from.paused.size();
  to.missing_dead_letter_queues =
      arena.array(from.missing_dead_letter_queues, [&](const std::string& each) { return arena.text(each); });
  to.missing_dead_letter_queue_count = from.missing_dead_letter_queues.size();
  to.owner_pid = from.owner_pid;
  to.expires_in_ms = or_unset(from.expires_in);
}

}  // namespace beltway::c
