#include "node/js_info.hpp"

#include <chrono>

#include "node/js_options.hpp"
#include "node/js_properties.hpp"
#include "node/napi.hpp"

namespace beltway::node {

namespace {

double ms(std::chrono::microseconds time) { return std::chrono::duration<double, std::milli>(time).count(); }

napi_value endpoint_to_js(napi_env env, const EndpointInfo& endpoint) {
  Object object(env);
  object.set("index", endpoint.index)
      .set("producer", endpoint.producer)
      .set("pid", endpoint.pid)
      .set("uid", endpoint.uid)
      .set("evicted", endpoint.evicted)
      .set("orphan", endpoint.orphan);
  if (endpoint.producer) return object.set("name", endpoint.name).value();
  return object.set("group", endpoint.group)
      .set("lossy", endpoint.lossy)
      .set("evictable", endpoint.evictable)
      .set("leaving", endpoint.leaving)
      .set("prefetch", endpoint.prefetch)
      .value();
}

napi_value producer_to_js(napi_env env, const ProducerState& state) {
  return Object(env)
      .set("endpoint", endpoint_to_js(env, state.endpoint))
      .set("counters", counters_to_js(env, state.counters))
      .set("asleep", state.sleep == SleepState::asleep)
      .set("placeInLine", state.place_in_line)
      .set("claimed", state.claimed)
      .set("laneMessages", state.lane_messages)
      .set("laneUsed", state.lane_used)
      .value();
}

napi_value consumer_to_js(napi_env env, const ConsumerState& state) {
  return Object(env)
      .set("endpoint", endpoint_to_js(env, state.endpoint))
      .set("counters", counters_to_js(env, state.counters))
      .set("asleep", state.sleep == SleepState::asleep)
      .set("held", state.held)
      .set("lag", state.lag)
      .value();
}

napi_value group_to_js(napi_env env, const GroupState& group) {
  Object object(env);
  object.set("name", group.name)
      .set("floor", group.floor)
      .set("depth", group.depth)
      .set("available", group.available)
      .set("leased", group.leased)
      .set("retry", group.retry)
      .set("delayed", group.delayed)
      .set("parked", group.parked)
      .set("discarded", group.discarded)
      .set("deadLetter", group.dead_letter)
      .set("deadLettered", group.dead_lettered)
      .set("toMove", group.to_move)
      .set("dropped", group.dropped)
      .set("overdue", group.overdue)
      .set("timedOut", group.timed_out)
      .set("expired", group.expired)
      .set("consumers", array_of(env, group.consumers, [env](unsigned index) { return number_to_js(env, index); }));
  if (group.due_in) object.set("dueIn", ms(*group.due_in));
  if (group.paused_for) object.set("pausedFor", ms(*group.paused_for));
  if (group.ages.oldest) object.set("oldestAge", ms(*group.ages.oldest));
  return object.value();
}

napi_value totals_to_js(napi_env env, const QueueTotals& totals) {
  return Object(env)
      .set("repairs", totals.repairs)
      .set("voided", totals.voided)
      .set("released", totals.released)
      .set("messagesIn", totals.messages_in)
      .set("bytesIn", totals.bytes_in)
      .set("messagesOut", totals.messages_out)
      .set("bytesOut", totals.bytes_out)
      .set("refused", totals.refused)
      .set("lost", totals.lost)
      .set("redelivered", totals.redelivered)
      .set("unread", totals.unread)
      .set("discarded", totals.discarded)
      .set("expired", totals.expired)
      .set("deadLettered", totals.dead_lettered)
      .set("timedOut", totals.timed_out)
      .value();
}

}  // namespace

napi_value info_to_js(napi_env env, const QueueInfo& info) {
  Object object(env);
  object.set("name", info.name)
      .set("id", info.id)
      .set("ownerUid", info.owner_uid)
      .set("ownerGid", info.owner_gid)
      .set("options", options_to_js(env, info.options))
      .set("sharedBytes", info.shared_bytes)
      .set("endpoints", array_of(env, info.endpoints, [env](const auto& each) { return endpoint_to_js(env, each); }))
      .set("producerNames", array_of(env, info.producer_names,
                                     [env](const ProducerName& each) {
                                       napi_value sequence = nullptr;
                                       check(env, napi_create_bigint_uint64(env, each.last_sequence, &sequence));
                                       return Object(env).set("name", each.name).set("lastSequence", sequence).value();
                                     }))
      .set("paused", array_of(env, info.paused,
                              [env](const PausedGroup& each) {
                                return Object(env).set("name", each.name).set("pausedFor", ms(each.paused_for)).value();
                              }))
      .set("missingDeadLetterQueues", array_of(env, info.missing_dead_letter_queues, [env](const std::string& each) {
             return to_js(env, std::string_view(each));
           }));
  if (info.owner_pid != 0) object.set("ownerPid", info.owner_pid);
  if (info.expires_in) object.set("expiresIn", ms(*info.expires_in));
  return object.value();
}

napi_value snapshot_to_js(napi_env env, const QueueSnapshot& snapshot) {
  return Object(env)
      .set("info", info_to_js(env, snapshot.info))
      .set("position", snapshot.position)
      .set("used", snapshot.used)
      .set("parked", snapshot.parked)
      .set("maxParked", snapshot.max_parked)
      .set("removed", snapshot.removed)
      .set("totals", totals_to_js(env, snapshot.totals))
      .set("producers",
           array_of(env, snapshot.producers, [env](const auto& each) { return producer_to_js(env, each); }))
      .set("consumers",
           array_of(env, snapshot.consumers, [env](const auto& each) { return consumer_to_js(env, each); }))
      .set("groups", array_of(env, snapshot.groups, [env](const auto& each) { return group_to_js(env, each); }))
      .value();
}

napi_value daemon_to_js(napi_env env, const Connection::DaemonInfo& daemon) {
  return Object(env)
      .set("version", daemon.version)
      .set("layout", daemon.layout)
      .set("pid", daemon.pid)
      .set("uid", daemon.uid)
      .set("socket", daemon.socket)
      .set("log", daemon.log)
      .set("logLost", daemon.log_lost)
      .set("asked", daemon.asked)
      .set("passedOver", daemon.passed_over)
      .set("others", array_of(env, daemon.others,
                              [env](const OtherDaemon& each) {
                                return Object(env).set("pid", each.pid).set("socket", each.socket).value();
                              }))
      .set("held",
           array_of(env, daemon.held,
                    [env](const Connection::HeldQueue& each) {
                      return Object(env).set("name", each.name).set("layout", each.layout).set("why", each.why).value();
                    }))
      .value();
}

napi_value changes_to_js(napi_env env, const std::vector<OptionChange>& changes) {
  return array_of(env, changes, [env](const OptionChange& each) {
    return Object(env)
        .set("option", js_name_of(each.option))
        .set("group", each.group)
        .set("from", each.from)
        .set("to", each.to)
        .value();
  });
}

napi_value purge_to_js(napi_env env, const PurgeResult& result) {
  return Object(env)
      .set("purged", result.purged)
      .set("left", result.left)
      .set("used", result.used)
      .set("holders", array_of(env, result.holders,
                               [env](const PurgeHolder& each) {
                                 return Object(env)
                                     .set("producer", each.producer)
                                     .set("index", each.index)
                                     .set("pid", each.pid)
                                     .set("messages", each.messages)
                                     .set("oldest", each.oldest)
                                     .value();
                               }))
      .value();
}

napi_value reset_to_js(napi_env env, const ResetResult& result) {
  return Object(env)
      .set("position", result.position)
      .set("acknowledged", result.acknowledged)
      .set("restored", result.restored)
      .set("held", result.held)
      .value();
}

napi_value peeked_to_js(napi_env env, const std::vector<PeekedMessage>& messages) {
  return array_of(env, messages, [env](const PeekedMessage& each) {
    napi_value data = nullptr;
    check(env, napi_create_buffer_copy(env, each.bytes.size(), each.bytes.data(), nullptr, &data));
    Object object(env);
    object.set("position", each.position)
        .set("producer", each.producer)
        .set("data", data)
        .set("size", each.size)
        .set("properties", properties_to_js(env, each.properties()));
    if (each.age) object.set("age", ms(*each.age));
    if (each.deliveries) object.set("deliveries", *each.deliveries);
    if (each.holder) object.set("holder", *each.holder);
    return object.value();
  });
}

napi_value events_to_js(napi_env env, const EventPage& page) {
  const auto event_to_js = [env](const Event& event) {
    Object object(env);
    object.set("sequence", event.sequence)
        .set("time", ms(std::chrono::microseconds(event.time_ns / 1000)))
        .set("kind", event.kind);
    if (!event.text.empty()) object.set("text", event.text);
    if (!event.queue.empty()) object.set("queue", event.queue).set("queueId", event.queue_id);
    if (!event.group.empty()) object.set("group", event.group);
    if (!event.role.empty()) object.set("role", event.role).set("index", event.index);
    if (event.pid != 0) object.set("pid", event.pid).set("uid", event.uid).set("command", event.command);
    if (event.voided != 0) object.set("voided", event.voided);
    if (event.released != 0) object.set("released", event.released);
    if (event.messages != 0) object.set("messages", event.messages);
    return object.value();
  };
  napi_value journal = nullptr;
  check(env, napi_create_bigint_uint64(env, page.journal, &journal));
  return Object(env)
      .set("journal", journal)
      .set("events", array_of(env, page.events, event_to_js))
      .set("first", page.first)
      .set("last", page.last)
      .set("next", page.next)
      .set("more", page.more)
      .value();
}

napi_value counters_to_js(napi_env env, const ProducerCounters& counters) {
  return Object(env)
      .set("messages", counters.messages)
      .set("bytes", counters.bytes)
      .set("refused", counters.refused)
      .set("wakes", counters.wakes)
      .set("sleeps", counters.sleeps)
      .set("rescued", counters.rescued)
      .set("highWater", counters.high_water)
      .set("needlessWakes", counters.needless_wakes)
      .set("unread", counters.unread)
      .value();
}

napi_value counters_to_js(napi_env env, const ConsumerCounters& counters) {
  return Object(env)
      .set("messages", counters.messages)
      .set("bytes", counters.bytes)
      .set("lost", counters.lost)
      .set("redelivered", counters.redelivered)
      .set("corrupt", counters.corrupt)
      .set("acks", counters.acks)
      .set("nacks", counters.nacks)
      .set("wakes", counters.wakes)
      .set("sleeps", counters.sleeps)
      .set("rescued", counters.rescued)
      .set("needlessWakes", counters.needless_wakes)
      .set("discarded", counters.discarded)
      .set("expired", counters.expired)
      .set("deadLettered", counters.dead_lettered)
      .set("timedOut", counters.timed_out)
      .set("failedMoves", counters.failed_moves)
      .value();
}

}  // namespace beltway::node
