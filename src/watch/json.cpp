// See json.hpp.
#include "watch/json.hpp"

#include "watch/per_message.hpp"
#include "watch/process_info.hpp"
#include "wire/options_schema.hpp"

namespace beltway::watch {

namespace {

Json counters_json(const ProducerCounters& counters) {
  return {{"messages", counters.messages},
          {"bytes", counters.bytes},
          {"refused", counters.refused},
          {"wakes", counters.wakes},
          {"sleeps", counters.sleeps},
          {"rescued", counters.rescued},
          {"blocked_ns", counters.blocked_ns},
          {"high_water", counters.high_water},
          {"last_progress_ns", counters.last_progress_ns},
          {"needless_wakes", counters.needless_wakes}};
}

Json counters_json(const ConsumerCounters& counters) {
  return {{"messages", counters.messages},
          {"bytes", counters.bytes},
          {"lost", counters.lost},
          {"redelivered", counters.redelivered},
          {"corrupt", counters.corrupt},
          {"acks", counters.acks},
          {"nacks", counters.nacks},
          {"wakes", counters.wakes},
          {"sleeps", counters.sleeps},
          {"rescued", counters.rescued},
          {"blocked_ns", counters.blocked_ns},
          {"last_progress_ns", counters.last_progress_ns},
          {"needless_wakes", counters.needless_wakes},
          {"discarded", counters.discarded},
          {"expired", counters.expired},
          {"dead_lettered", counters.dead_lettered},
          {"timed_out", counters.timed_out},
          {"failed_moves", counters.failed_moves}};
}

Json ages_json(const MessageAges& ages) {
  return {{"oldest_us", ages.oldest ? Json(ages.oldest->count()) : Json(nullptr)},
          {"delivered", ages.delivered},
          {"p50_us", ages.p50.count()},
          {"p99_us", ages.p99.count()},
          {"max_us", ages.max.count()}};
}

Json totals_json(const QueueTotals& totals) {
  return {{"repairs", totals.repairs},     {"voided", totals.voided},
          {"released", totals.released},   {"messages_in", totals.messages_in},
          {"bytes_in", totals.bytes_in},   {"messages_out", totals.messages_out},
          {"bytes_out", totals.bytes_out}, {"refused", totals.refused},
          {"lost", totals.lost},           {"redelivered", totals.redelivered},
          {"wakes", totals.wakes},         {"sleeps", totals.sleeps},
          {"unread", totals.unread},       {"discarded", totals.discarded},
          {"expired", totals.expired},     {"dead_lettered", totals.dead_lettered},
          {"timed_out", totals.timed_out}};
}

/// An endpoint with what this machine tells of its process.
Json attached_json(const EndpointInfo& endpoint, SleepState sleep) {
  Json json = to_json(endpoint);
  json["user"] = user_name(endpoint.uid);
  const std::optional<ProcessInfo> process = process_info(endpoint.pid);
  json["process"] = process ? Json(process->name) : Json(nullptr);
  json["stopped"] = process && process->stopped();
  json["run_state"] = name_of(process);
  json["sleep"] = name_of(sleep);
  return json;
}

/// A time that is 0 where there is none.
Json or_null(std::uint64_t ns) { return ns == 0 ? Json(nullptr) : Json(ns); }

/// The value of an option as scripts read it.
struct OptionValue {
  wire::Unit unit;

  Json operator()(std::uint32_t number) const {
    return unit == wire::Unit::mode ? Json(wire::octal(number)) : Json(number);
  }
  Json operator()(std::uint64_t number) const { return number; }
  Json operator()(bool flag) const { return flag; }
  Json operator()(const std::string& text) const { return text; }
  Json operator()(std::chrono::milliseconds time) const { return time.count(); }
  template <class Value>
  Json operator()(const std::optional<Value>& own) const {
    return own ? (*this)(*own) : Json(nullptr);
  }
  Json operator()(const std::optional<std::uint32_t>& number) const { return number ? Json(*number) : Json(nullptr); }
  template <wire::Worded Enum>
  Json operator()(Enum value) const {
    return wire::word_of(value);
  }
  Json operator()(const TypeTag& type) const {
    if (type.size == 0) return nullptr;
    return {{"name", type.name}, {"size", type.size}, {"alignment", type.alignment}};
  }
  /// The names alone: add_own_options() has the rest.
  Json operator()(const std::vector<NamedGroup>& groups) const {
    Json names = Json::array();
    for (const NamedGroup& group : groups) names.push_back(group.name);
    return names;
  }
};

/// "own_X": each group that has its own X, with the value.
void add_own_options(Json& json, const std::vector<NamedGroup>& groups) {
  for (const wire::GroupOption& row : wire::options_of<GroupOptions>()) {
    Json values = Json::object();
    for (const NamedGroup& group : groups) {
      if (!row.is_default(group.options)) values[group.name] = row.visit(group.options, OptionValue{row.unit});
    }
    json["own_" + std::string(row.name)] = std::move(values);
  }
}

void add_options(Json& json, const QueueOptions& options) {
  for (const wire::QueueOption& row : wire::options_of<QueueOptions>()) {
    json[std::string(row.name)] = row.visit(options, OptionValue{row.unit});
    if (row.name == "groups") add_own_options(json, options.groups);
  }
}

}  // namespace

Json to_json(const Connection::DaemonInfo& daemon) {
  const bool uid_known = daemon.uid != Connection::k_unknown_uid;
  Json others = Json::array();
  for (const OtherDaemon& other : daemon.others) {
    others.push_back({{"pid", other.pid > 0 ? Json(other.pid) : Json(nullptr)}, {"socket", other.socket}});
  }
  Json held = Json::array();
  for (const Connection::HeldQueue& queue : daemon.held) {
    held.push_back({{"name", queue.name}, {"layout", queue.layout}, {"why", queue.why}});
  }
  return {{"version", daemon.version},
          {"layout", daemon.layout.empty() ? Json(nullptr) : Json(daemon.layout)},
          {"pid", daemon.pid},
          {"uid", uid_known ? Json(daemon.uid) : Json(nullptr)},
          {"user", uid_known ? Json(user_name(daemon.uid)) : Json(nullptr)},
          {"socket", daemon.socket},
          {"log", daemon.log},
          {"log_lost", daemon.log_lost},
          {"asked", daemon.asked},
          {"others", std::move(others)},
          {"passed_over", daemon.passed_over.empty() ? Json(nullptr) : Json(daemon.passed_over)},
          {"held", std::move(held)}};
}

Json to_json(const EndpointInfo& endpoint) {
  Json json{{"index", endpoint.index},
            {"role", endpoint.producer ? "producer" : "consumer"},
            {"pid", endpoint.pid == 0 ? Json(nullptr) : Json(endpoint.pid)},
            {"uid", endpoint.uid},
            {"orphan", endpoint.orphan}};
  if (endpoint.producer) {
    json["name"] = endpoint.name.empty() ? Json(nullptr) : Json(endpoint.name);
  } else {
    json["group"] = endpoint.group.empty() ? Json(nullptr) : Json(endpoint.group);
    json["lossy"] = endpoint.lossy;
    json["evicted"] = endpoint.evicted;
    json["evictable"] = endpoint.evictable;
    json["leaving"] = endpoint.leaving;
    json["prefetch"] = endpoint.prefetch == 0 ? Json(nullptr) : Json(endpoint.prefetch);
  }
  return json;
}

Json to_json(const QueueInfo& info) {
  Json json{{"name", info.name},
            {"id", info.id},
            {"owner_uid", info.owner_uid},
            {"owner_gid", info.owner_gid},
            {"mode", nullptr}};  // stands beside the owner, whose rights it tells; its value comes with the options
  add_options(json, info.options);
  json["owner_pid"] = info.owner_pid == 0 ? Json(nullptr) : Json(info.owner_pid);
  json["expires_in_ms"] = info.expires_in ? Json(info.expires_in->count()) : Json(nullptr);
  json["paused_ms"] = Json::object();
  for (const PausedGroup& group : info.paused) json["paused_ms"][group.name] = group.paused_for.count();
  json["missing_dead_letter_queues"] = info.missing_dead_letter_queues;
  json["shared_bytes"] = info.shared_bytes;
  json["producer_names"] = Json::array();
  for (const ProducerName& each : info.producer_names) {
    json["producer_names"].push_back({{"name", each.name}, {"last_sequence", each.last_sequence}});
  }
  json["endpoints"] = Json::array();
  for (const EndpointInfo& endpoint : info.endpoints) json["endpoints"].push_back(to_json(endpoint));
  return json;
}

Json to_json(const QueueSnapshot& snapshot) {
  Json state{{"position", snapshot.position},
             {"used", snapshot.used},
             {"parked", snapshot.parked},
             {"max_parked", snapshot.max_parked},
             {"symmetric_fences", snapshot.symmetric_fences},
             {"removed", snapshot.removed},
             {"broken", snapshot.broken},
             {"groups", Json::array()},
             {"leaving", Json::array()},
             {"producers", Json::array()},
             {"consumers", Json::array()},
             {"totals", totals_json(snapshot.totals)},
             {"per_message", to_json(per_message(flow_of(snapshot)))}};
  for (const GroupState& group : snapshot.groups) {
    state["groups"].push_back({{"name", group.name},
                               {"floor", group.floor},
                               {"depth", group.depth},
                               {"leased", group.leased},
                               {"retry", group.retry},
                               {"delayed", group.delayed},
                               {"due_in_us", group.due_in ? Json(group.due_in->count()) : Json(nullptr)},
                               {"available", group.available},
                               {"holder", group.holder ? Json(*group.holder) : Json(nullptr)},
                               {"tries", group.tries},
                               {"parked", group.parked},
                               {"oldest_parked", group.oldest_parked ? Json(*group.oldest_parked) : Json(nullptr)},
                               {"parked_holder", group.parked_holder ? Json(*group.parked_holder) : Json(nullptr)},
                               {"evict_after_ms", group.evict_after.count()},
                               {"paused_ms", group.paused_for ? Json(group.paused_for->count()) : Json(nullptr)},
                               {"retry_delay_ms", group.retry_delay.count()},
                               {"retry_delay_max_ms", group.retry_delay_max.count()},
                               {"max_deliveries", group.max_deliveries},
                               {"discard", group.discard},
                               {"discarded", group.discarded},
                               {"lease_timeout_ms", group.lease_timeout.count()},
                               {"overdue", group.overdue},
                               {"timed_out", group.timed_out},
                               {"dead_letter", group.dead_letter.empty() ? Json(nullptr) : Json(group.dead_letter)},
                               {"dead_lettered", group.dead_lettered},
                               {"to_move", group.to_move},
                               {"drop_oldest", group.drop_oldest},
                               {"dropped", group.dropped},
                               {"ttl_ms", group.ttl.count()},
                               {"expired", group.expired},
                               {"ages", ages_json(group.ages)},
                               {"consumers", group.consumers}});
  }
  for (const LeavingGroup& group : snapshot.leaving) {
    state["leaving"].push_back({{"name", group.name}, {"holds", group.holds}, {"leased", group.leased}});
  }
  for (const ProducerState& producer : snapshot.producers) {
    Json json = attached_json(producer.endpoint, producer.sleep);
    json["place_in_line"] = producer.place_in_line;
    json["claimed"] = producer.claimed;
    json["waits_for"] = name_of(producer.waits_for);
    json["waits_since_ns"] = or_null(producer.waits_since_ns);
    json["lane_messages"] = producer.lane_messages;
    json["lane_used"] = producer.lane_used;
    json["counters"] = counters_json(producer.counters);
    json["per_message"] = to_json(per_message(producer.counters));
    state["producers"].push_back(std::move(json));
  }
  for (const ConsumerState& consumer : snapshot.consumers) {
    Json json = attached_json(consumer.endpoint, consumer.sleep);
    json["held"] = consumer.held;
    json["lag"] = consumer.lag;
    json["ages"] = ages_json(consumer.ages);
    json["waits_since_ns"] = or_null(consumer.waits_since_ns);
    json["counters"] = counters_json(consumer.counters);
    json["per_message"] = to_json(per_message(consumer.counters));
    state["consumers"].push_back(std::move(json));
  }
  return {{"queue", to_json(snapshot.info)}, {"state", std::move(state)}};
}

std::string json_line(const Json& json) { return json.dump() + "\n"; }

std::string_view name_of(WaitsFor what) noexcept {
  switch (what) {
    case WaitsFor::nothing: return "nothing";
    case WaitsFor::ring: return "ring";
    case WaitsFor::lane: return "lane";
    case WaitsFor::claim: return "claim";
    case WaitsFor::own_loans: return "own_loans";
  }
  return "unknown";
}

std::string_view name_of(SleepState state) noexcept {
  switch (state) {
    case SleepState::awake: return "awake";
    case SleepState::asleep: return "asleep";
    case SleepState::signalled: return "signalled";
  }
  return "unknown";
}

}  // namespace beltway::watch
