#include "python/info.hpp"

#include <initializer_list>
#include <optional>

#include "python/keyword_options.hpp"
#include "python/objects.hpp"
#include "python/properties_values.hpp"

namespace beltway::python {

namespace {

using python::info_object;  // beside those of this file
Ref info_object(const OtherDaemon& from);
Ref info_object(const Connection::HeldQueue& from);
Ref info_object(const EndpointInfo& from);
Ref info_object(const ProducerName& from);
Ref info_object(const PausedGroup& from);
Ref info_object(const OptionChange& from);
Ref info_object(const QueueTotals& from);
Ref info_object(const MessageAges& from);
Ref info_object(const ProducerState& from);
Ref info_object(const ConsumerState& from);
Ref info_object(const GroupState& from);
Ref info_object(const LeavingGroup& from);
Ref info_object(const PurgeHolder& from);
Ref info_object(const Event& from);

// Values of members.

Ref value_of(bool value) { return Ref(boolean(value)); }
Ref value_of(int value) { return Ref(PyLong_FromLong(value)); }
Ref value_of(std::uint32_t value) { return number(value); }
Ref value_of(std::uint64_t value) { return number(value); }
Ref value_of(const std::string& value) { return text(value); }
Ref value_of(const QueueOptions& options) { return options_dict(options); }
Ref value_of(std::chrono::milliseconds time) {
  return Ref(PyFloat_FromDouble(static_cast<double>(time.count()) / 1e3));
}
Ref value_of(std::chrono::microseconds time) {
  return Ref(PyFloat_FromDouble(static_cast<double>(time.count()) / 1e6));
}
Ref value_of(SleepState state) {
  switch (state) {
    case SleepState::awake: return text("awake");
    case SleepState::asleep: return text("asleep");
    case SleepState::signalled: return text("signalled");
  }
  return text("unknown");
}
Ref value_of(WaitsFor what) {
  switch (what) {
    case WaitsFor::nothing: return text("nothing");
    case WaitsFor::ring: return text("ring");
    case WaitsFor::lane: return text("lane");
    case WaitsFor::claim: return text("claim");
    case WaitsFor::own_loans: return text("own_loans");
  }
  return text("unknown");
}
template <class T>
Ref value_of(const std::optional<T>& value) {
  return value ? value_of(*value) : Ref(none());
}
template <class T>
  requires requires(const T& value) { info_object(value); }
Ref value_of(const T& value) {
  return info_object(value);
}
template <class T>
Ref value_of(const std::vector<T>& values) {
  Ref list(PyList_New(0));
  for (const T& each : values) {
    const Ref item = value_of(each);
    if (PyList_Append(list.get(), item.get()) != 0) throw ErrorIsSet{};
  }
  return list;
}

/// A member of a dataclass and its value.
struct Field {
  template <class T>
  Field(const char* its_name, const T& its_value) : name(its_name), value(value_of(its_value)) {}
  Field(const char* its_name, Ref its_value) : name(its_name), value(std::move(its_value)) {}
  const char* name;
  Ref value;
};

Ref object(const char* class_name, std::initializer_list<Field> fields) {
  static PyObject* const module = Ref(PyImport_ImportModule("beltway.info")).release();  // lives as long as the process
  const Ref type(PyObject_GetAttrString(module, class_name));
  const Ref named(PyDict_New());
  for (const Field& each : fields) {
    if (PyDict_SetItemString(named.get(), each.name, each.value.get()) != 0) throw ErrorIsSet{};
  }
  const Ref empty(PyTuple_New(0));
  return Ref(PyObject_Call(type.get(), empty.get(), named.get()));
}

Ref info_object(const OtherDaemon& from) { return object("OtherDaemon", {{"pid", from.pid}, {"socket", from.socket}}); }

Ref info_object(const Connection::HeldQueue& from) {
  return object("HeldQueue", {{"name", from.name}, {"layout", from.layout}, {"why", from.why}});
}

Ref info_object(const EndpointInfo& from) {
  return object("EndpointInfo", {{"index", from.index},
                                 {"producer", from.producer},
                                 {"pid", from.pid},
                                 {"uid", from.uid},
                                 {"group", from.group},
                                 {"lossy", from.lossy},
                                 {"evicted", from.evicted},
                                 {"evictable", from.evictable},
                                 {"orphan", from.orphan},
                                 {"leaving", from.leaving},
                                 {"prefetch", from.prefetch},
                                 {"name", from.name}});
}

Ref info_object(const ProducerName& from) {
  return object("ProducerName", {{"name", from.name}, {"last_sequence", from.last_sequence}});
}

Ref info_object(const PausedGroup& from) {
  return object("PausedGroup", {{"name", from.name}, {"paused_for", from.paused_for}});
}

Ref info_object(const OptionChange& from) {
  return object("OptionChange", {{"option", from.option}, {"group", from.group}, {"old", from.from}, {"new", from.to}});
}

Ref info_object(const QueueTotals& from) {
  return object("QueueTotals", {{"repairs", from.repairs},
                                {"voided", from.voided},
                                {"released", from.released},
                                {"messages_in", from.messages_in},
                                {"bytes_in", from.bytes_in},
                                {"messages_out", from.messages_out},
                                {"bytes_out", from.bytes_out},
                                {"refused", from.refused},
                                {"lost", from.lost},
                                {"redelivered", from.redelivered},
                                {"wakes", from.wakes},
                                {"sleeps", from.sleeps},
                                {"unread", from.unread},
                                {"discarded", from.discarded},
                                {"expired", from.expired},
                                {"dead_lettered", from.dead_lettered},
                                {"timed_out", from.timed_out}});
}

Ref info_object(const MessageAges& from) {
  return object("MessageAges", {{"oldest", from.oldest},
                                {"delivered", from.delivered},
                                {"p50", from.p50},
                                {"p99", from.p99},
                                {"max", from.max}});
}

Ref info_object(const ProducerState& from) {
  return object("ProducerState", {{"endpoint", from.endpoint},
                                  {"counters", from.counters},
                                  {"sleep", from.sleep},
                                  {"place_in_line", from.place_in_line},
                                  {"claimed", from.claimed},
                                  {"oldest_claim", from.oldest_claim},
                                  {"waits_since_ns", from.waits_since_ns},
                                  {"waits_for", from.waits_for},
                                  {"waits_past", from.waits_past},
                                  {"lane_messages", from.lane_messages},
                                  {"lane_used", from.lane_used}});
}

Ref info_object(const ConsumerState& from) {
  return object("ConsumerState", {{"endpoint", from.endpoint},
                                  {"counters", from.counters},
                                  {"sleep", from.sleep},
                                  {"waits_since_ns", from.waits_since_ns},
                                  {"held", from.held},
                                  {"lag", from.lag},
                                  {"floor", from.floor},
                                  {"ages", from.ages}});
}

Ref info_object(const GroupState& from) {
  return object("GroupState", {{"name", from.name},
                               {"floor", from.floor},
                               {"depth", from.depth},
                               {"holder", from.holder},
                               {"tries", from.tries},
                               {"available", from.available},
                               {"leased", from.leased},
                               {"retry", from.retry},
                               {"delayed", from.delayed},
                               {"due_in", from.due_in},
                               {"parked", from.parked},
                               {"oldest_parked", from.oldest_parked},
                               {"parked_holder", from.parked_holder},
                               {"evict_after", from.evict_after},
                               {"retry_delay", from.retry_delay},
                               {"retry_delay_max", from.retry_delay_max},
                               {"max_deliveries", from.max_deliveries},
                               {"discard", from.discard},
                               {"discarded", from.discarded},
                               {"dead_letter", from.dead_letter},
                               {"dead_lettered", from.dead_lettered},
                               {"to_move", from.to_move},
                               {"drop_oldest", from.drop_oldest},
                               {"dropped", from.dropped},
                               {"lease_timeout", from.lease_timeout},
                               {"overdue", from.overdue},
                               {"timed_out", from.timed_out},
                               {"consumers", from.consumers},
                               {"paused_for", from.paused_for},
                               {"ages", from.ages},
                               {"ttl", from.ttl},
                               {"expired", from.expired}});
}

Ref info_object(const LeavingGroup& from) {
  return object("LeavingGroup",
                {{"name", from.name}, {"holds", from.holds}, {"floor", from.floor}, {"leased", from.leased}});
}

Ref info_object(const PurgeHolder& from) {
  return object("PurgeHolder", {{"producer", from.producer},
                                {"index", from.index},
                                {"pid", from.pid},
                                {"messages", from.messages},
                                {"oldest", from.oldest}});
}

Ref info_object(const Event& from) {
  return object("Event", {{"sequence", from.sequence},
                          {"time_ns", from.time_ns},
                          {"monotonic_ns", from.monotonic_ns},
                          {"kind", from.kind},
                          {"queue", from.queue},
                          {"queue_id", from.queue_id},
                          {"group", from.group},
                          {"role", from.role},
                          {"index", from.index},
                          {"pid", from.pid},
                          {"uid", from.uid},
                          {"command", from.command},
                          {"voided", from.voided},
                          {"released", from.released},
                          {"messages", from.messages},
                          {"text", from.text}});
}

}  // namespace

Ref info_object(const EventPage& from) {
  return object("EventPage", {{"journal", from.journal},
                              {"events", from.events},
                              {"first", from.first},
                              {"last", from.last},
                              {"next", from.next},
                              {"more", from.more}});
}

Ref info_object(const Connection::DaemonInfo& from) {
  return object("DaemonInfo", {{"version", from.version},
                               {"layout", from.layout},
                               {"pid", from.pid},
                               {"uid", from.uid},
                               {"socket", from.socket},
                               {"log", from.log},
                               {"log_lost", from.log_lost},
                               {"asked", from.asked},
                               {"others", from.others},
                               {"passed_over", from.passed_over},
                               {"held", from.held}});
}

Ref info_object(const QueueInfo& from) {
  return object("QueueInfo", {{"name", from.name},
                              {"id", from.id},
                              {"owner_uid", from.owner_uid},
                              {"owner_gid", from.owner_gid},
                              {"options", from.options},
                              {"shared_bytes", from.shared_bytes},
                              {"endpoints", from.endpoints},
                              {"producer_names", from.producer_names},
                              {"owner_pid", from.owner_pid},
                              {"expires_in", from.expires_in},
                              {"paused", from.paused},
                              {"missing_dead_letter_queues", from.missing_dead_letter_queues}});
}

Ref info_object(const ProducerCounters& from) {
  return object("ProducerCounters", {{"messages", from.messages},
                                     {"bytes", from.bytes},
                                     {"refused", from.refused},
                                     {"wakes", from.wakes},
                                     {"sleeps", from.sleeps},
                                     {"rescued", from.rescued},
                                     {"blocked_ns", from.blocked_ns},
                                     {"high_water", from.high_water},
                                     {"last_progress_ns", from.last_progress_ns},
                                     {"needless_wakes", from.needless_wakes},
                                     {"unread", from.unread}});
}

Ref info_object(const ConsumerCounters& from) {
  return object("ConsumerCounters", {{"messages", from.messages},
                                     {"bytes", from.bytes},
                                     {"lost", from.lost},
                                     {"redelivered", from.redelivered},
                                     {"corrupt", from.corrupt},
                                     {"acks", from.acks},
                                     {"nacks", from.nacks},
                                     {"wakes", from.wakes},
                                     {"sleeps", from.sleeps},
                                     {"rescued", from.rescued},
                                     {"blocked_ns", from.blocked_ns},
                                     {"last_progress_ns", from.last_progress_ns},
                                     {"needless_wakes", from.needless_wakes},
                                     {"discarded", from.discarded},
                                     {"expired", from.expired},
                                     {"dead_lettered", from.dead_lettered},
                                     {"timed_out", from.timed_out},
                                     {"failed_moves", from.failed_moves}});
}

Ref info_object(const QueueSnapshot& from) {
  return object("QueueSnapshot", {{"info", from.info},
                                  {"position", from.position},
                                  {"used", from.used},
                                  {"parked", from.parked},
                                  {"max_parked", from.max_parked},
                                  {"symmetric_fences", from.symmetric_fences},
                                  {"removed", from.removed},
                                  {"broken", from.broken},
                                  {"totals", from.totals},
                                  {"producers", from.producers},
                                  {"consumers", from.consumers},
                                  {"groups", from.groups},
                                  {"leaving", from.leaving}});
}

Ref info_object(const PurgeResult& from) {
  return object("PurgeResult",
                {{"purged", from.purged}, {"left", from.left}, {"used", from.used}, {"holders", from.holders}});
}

Ref info_object(const ResetResult& from) {
  return object("ResetResult", {{"position", from.position},
                                {"acknowledged", from.acknowledged},
                                {"restored", from.restored},
                                {"held", from.held}});
}

Ref info_object(const PeekedMessage& from) {
  const PropertiesView view = from.properties();
  return object("PeekedMessage",
                {{"position", from.position},
                 {"producer", from.producer},
                 {"bytes", Ref(PyBytes_FromStringAndSize(reinterpret_cast<const char*>(from.bytes.data()),
                                                         static_cast<Py_ssize_t>(from.bytes.size())))},
                 {"size", from.size},
                 {"properties", properties_object(view, ReceivedState(view))},
                 {"age", from.age},
                 {"deliveries", from.deliveries},
                 {"holder", from.holder}});
}

Ref info_object(const Connection::Declared& declared, Ref queue) {
  return object("Declared",
                {{"queue", std::move(queue)}, {"created", declared.created}, {"changed", declared.changed}});
}

}  // namespace beltway::python
