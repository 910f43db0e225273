// See record_text.hpp.
#include "survival/record_text.hpp"

#include <concepts>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "wire/json_reader.hpp"
#include "wire/options_json.hpp"
#include "wire/validate.hpp"

namespace beltway::daemon {
namespace {

using nlohmann::json;

constexpr const char* k_restore_queue = "restore a queue";
/// Far beyond any machine's uptime, and exact in every JSON reader.
constexpr std::uint64_t k_max_time_ms = (1ULL << 53) - 1;

json encode_version(wire::LayoutVersion version) { return json::array({version.major, version.minor}); }

template <std::unsigned_integral T>
T number_or(const json& object, const char* name, T otherwise) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned() ? found->get<T>() : otherwise;
}

/// A field that is there and cannot be understood means: no program.
wire::LayoutVersion version_or(const json& object, const char* name, wire::LayoutVersion otherwise) {
  const auto found = object.find(name);
  if (found == object.end()) return otherwise;
  const bool valid =
      found->is_array() && found->size() == 2 && (*found)[0].is_number_unsigned() && (*found)[1].is_number_unsigned();
  return valid ? wire::LayoutVersion{(*found)[0].get<std::uint32_t>(), (*found)[1].get<std::uint32_t>()}
               : wire::LayoutVersion{};
}

json encode_group(const GroupRecord& group, std::size_t index) {
  json object{{"index", index},
              {"name", group.name},
              {"leaving", group.state == GroupRecord::State::leaving},
              {"incarnation", group.incarnation}};
  wire::encode_fields(object, group.options);
  if (group.paused_since) object["paused_since_ms"] = group.paused_since->count();
  if (group.reset_to) object["reset_to"] = *group.reset_to;
  return object;
}

json encode_endpoint(const EndpointRecord& endpoint, std::size_t place) {
  json object{{"place", place}, {"incarnation", endpoint.incarnation}};
  if (!endpoint.attached) return object;
  object["pid"] = static_cast<std::uint32_t>(endpoint.pid);
  object["command"] = endpoint.command;
  object["uid"] = endpoint.uid;
  object["evicted"] = endpoint.evicted;
  object["evictable"] = endpoint.evictable;
  if (endpoint.name) object["name"] = *endpoint.name;
  if (endpoint.prefetch != 0) object["prefetch"] = endpoint.prefetch;
  object["group"] = endpoint.group;
  object["kind"] = static_cast<unsigned>(endpoint.kind);
  return object;
}

/// A time of CLOCK_MONOTONIC; nothing: the field is missing.
std::optional<std::chrono::milliseconds> decode_time(const wire::JsonReader& fields, const char* name) {
  if (!fields.has(name)) return std::nullopt;
  const auto since = fields.number<std::uint64_t>(name);
  if (since > k_max_time_ms) fields.refuse(name, "a time below 2^53");
  return std::chrono::milliseconds(since);
}

void decode_group(const json& object, QueueRecord& record) {
  const wire::JsonReader fields(object, k_restore_queue);
  const auto index = fields.number<std::uint32_t>("index");
  if (index >= record.groups.size()) fields.refuse("index", "below max_groups");
  GroupRecord& group = record.groups[index];
  group.name = fields.text("name");
  wire::decode_fields(fields, group.options, k_restore_queue);
  wire::check_group(k_restore_queue, {group.name, group.options});
  group.state = fields.flag("leaving") ? GroupRecord::State::leaving : GroupRecord::State::active;
  group.incarnation = fields.number<std::uint32_t>("incarnation");
  group.paused_since = decode_time(fields, "paused_since_ms");
  if (fields.has("reset_to")) group.reset_to = ring::wrap(fields.number<std::uint64_t>("reset_to"));
}

void decode_endpoint(const json& object, QueueRecord& record) {
  const wire::JsonReader fields(object, k_restore_queue);
  const auto place = fields.number<std::uint32_t>("place");
  if (place >= record.endpoints.size()) fields.refuse("place", "below max_producers + max_consumers");
  EndpointRecord& endpoint = record.endpoints[place];
  endpoint.incarnation = fields.number<std::uint32_t>("incarnation");
  if (!fields.has("pid")) return;
  endpoint.attached = true;
  endpoint.pid = static_cast<int>(fields.number<std::uint32_t>("pid"));
  endpoint.command = fields.text_or("command", "");
  endpoint.uid = fields.number<std::uint32_t>("uid");
  endpoint.evicted = fields.flag("evicted");
  endpoint.prefetch = fields.number_or<std::uint32_t>("prefetch", 0);
  if (fields.has("name")) {
    endpoint.name = fields.number<std::uint32_t>("name");
    if (*endpoint.name >= record.producer_names.size()) fields.refuse("name", "the index of a producer's name");
  }
  endpoint.group = fields.number<std::uint32_t>("group");
  if (endpoint.group >= record.groups.size() + record.options.max_consumers) fields.refuse("group", "a group's index");
  const auto kind = fields.number<std::uint8_t>("kind");
  if (kind > static_cast<unsigned>(ring::GroupKind::lossy)) fields.refuse("kind", "the kind of a group");
  endpoint.kind = static_cast<ring::GroupKind>(kind);
  // A daemon that wrote none could not change the option while the queue lived: it is as it was at the attach.
  endpoint.evictable = fields.flag("evictable", is_evictable(record, endpoint));
}

void decode_producer_names(const wire::JsonReader& fields, QueueRecord& record) {
  if (!fields.has("producer_names")) return;
  for (const json& name : fields.array("producer_names")) {
    if (!name.is_string()) fields.refuse("producer_names", "a list of names");
    record.producer_names.push_back(name);
    wire::check_name(k_restore_queue, "producer", record.producer_names.back());
  }
  if (record.producer_names.size() > k_max_producer_names) fields.refuse("producer_names", "at most 64 names");
}

/// The owner of an exclusive queue, and since when no endpoint is attached.
void decode_lifetime(const wire::JsonReader& fields, QueueRecord& record) {
  if (fields.has("owner_process")) {
    const wire::JsonReader owner(fields.object("owner_process"), k_restore_queue);
    record.owner_process.pid = static_cast<int>(owner.number<std::uint32_t>("pid"));
    record.owner_process.command = owner.text_or("command", "");
  }
  record.unused_since = decode_time(fields, "unused_since_ms");
}

}  // namespace

std::string encode(const QueueRecord& record) {
  json groups = json::array();
  for (std::size_t i = 0; i < record.groups.size(); ++i) {
    if (record.groups[i].state != GroupRecord::State::free) groups.push_back(encode_group(record.groups[i], i));
  }
  json endpoints = json::array();
  for (std::size_t i = 0; i < record.endpoints.size(); ++i) {
    if (record.endpoints[i].incarnation != 0) endpoints.push_back(encode_endpoint(record.endpoints[i], i));
  }
  json object{{"layout", encode_version(wire::k_own_layout)},
              {"reader", encode_version(least_reader(record).layout)},
              {"name", record.name},
              {"id", record.id},
              {"owner_uid", record.owner_uid},
              {"owner_gid", record.owner_gid},
              {"symmetric", record.symmetric},
              {"removing", record.removing},
              {"groups", std::move(groups)},
              {"endpoints", std::move(endpoints)}};
  wire::add_options(object, record.options);
  if (!record.producer_names.empty()) object["producer_names"] = record.producer_names;
  if (record.options.exclusive) {
    object["owner_process"] = {{"pid", static_cast<std::uint32_t>(record.owner_process.pid)},
                               {"command", record.owner_process.command}};
  }
  if (record.unused_since) object["unused_since_ms"] = record.unused_since->count();
  // A process may have given itself a name that is no UTF-8.
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

RecordStamp decode_stamp(std::string_view text) {
  RecordStamp stamp;
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object()) {
    stamp.layout = stamp.reader = {};
    return stamp;
  }
  if (const auto name = object.find("name"); name != object.end() && name->is_string()) stamp.name = *name;
  stamp.id = number_or<std::uint64_t>(object, "id", 0);
  stamp.owner_uid = number_or<std::uint32_t>(object, "owner_uid", 0);
  stamp.owner_gid = number_or<std::uint32_t>(object, "owner_gid", 0);
  if (const auto options = object.find("options"); options != object.end() && options->is_object()) {
    stamp.mode = number_or<std::uint32_t>(*options, "mode", 0);
  }
  stamp.layout = version_or(object, "layout", k_unsaid_layout);
  stamp.reader = version_or(object, "reader", stamp.layout);
  return stamp;
}

QueueRecord decode_record(std::string_view text) {
  const json object = json::parse(text, nullptr, false);
  const wire::JsonReader fields(object, k_restore_queue);
  QueueRecord record;
  record.name = fields.text("name");
  wire::check_name(k_restore_queue, "queue", record.name);
  record.id = fields.number<std::uint64_t>("id");
  record.owner_uid = fields.number<std::uint32_t>("owner_uid");
  record.owner_gid = fields.number<std::uint32_t>("owner_gid");
  record.symmetric = fields.flag("symmetric");
  record.removing = fields.flag("removing");
  record.options = wire::decode_options_of(fields, k_restore_queue);
  record.groups.resize(record.options.max_groups);
  record.endpoints.resize(record.options.max_producers + record.options.max_consumers);
  decode_producer_names(fields, record);
  for (const json& group : fields.array("groups")) decode_group(group, record);
  for (const json& endpoint : fields.array("endpoints")) decode_endpoint(endpoint, record);
  decode_lifetime(fields, record);
  return record;
}

}  // namespace beltway::daemon
