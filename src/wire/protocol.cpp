#include "wire/protocol.hpp"

#include <algorithm>
#include <array>

#include "beltway/limits.hpp"
#include "wire/json_reader.hpp"
#include "wire/least_reader.hpp"
#include "wire/validate.hpp"

namespace beltway::wire {

namespace {

struct ErrcName {
  Errc code;
  std::string_view name;
};
constexpr std::array k_errc_names{
    ErrcName{Errc::invalid_option, "invalid_option"},
    ErrcName{Errc::not_found, "not_found"},
    ErrcName{Errc::already_exists, "already_exists"},
    ErrcName{Errc::no_permission, "no_permission"},
    ErrcName{Errc::limit_reached, "limit_reached"},
    ErrcName{Errc::too_large, "too_large"},
    ErrcName{Errc::removed, "removed"},
    ErrcName{Errc::evicted, "evicted"},
    ErrcName{Errc::no_daemon, "no_daemon"},
    ErrcName{Errc::protocol, "protocol"},
    ErrcName{Errc::incompatible, "incompatible"},
    ErrcName{Errc::wrong_type, "wrong_type"},
    ErrcName{Errc::forked, "forked"},
    ErrcName{Errc::misuse, "misuse"},
    ErrcName{Errc::system, "system"},
    ErrcName{Errc::interrupted, "interrupted"},
};

constexpr std::array<std::string_view, 3> k_roles{"producer", "consumer", "inspector"};
constexpr std::array<std::string_view, 3> k_kinds{"named", "private", "lossy"};

EndpointInfo decode_endpoint(const json& object, const Description& description, const std::string& context) {
  const JsonReader fields(object, context + ": endpoint");
  EndpointInfo info;
  const auto owner = fields.number<std::uint8_t>("endpoint");
  info.producer = owner < ring::k_first_consumer;
  info.index = info.producer ? owner : owner - ring::k_first_consumer;
  info.pid = static_cast<int>(fields.number<std::uint32_t>("pid"));
  info.uid = fields.number<std::uint32_t>("uid");
  info.lossy = fields.flag("lossy");
  info.evicted = fields.flag("evicted");
  info.evictable = fields.flag("evictable");
  info.orphan = fields.flag("orphan");
  info.prefetch = fields.number_or<std::uint32_t>("prefetch", 0);
  info.name = fields.text_or("name", "");
  if (fields.has("leaving")) {
    const auto group = fields.number<std::uint32_t>("leaving");
    const auto found = std::find_if(description.leaving.begin(), description.leaving.end(),
                                    [group](const Description::Leaving& each) { return each.index == group; });
    if (found == description.leaving.end()) fields.refuse("leaving", "the index of a group that is leaving");
    info.group = found->name;
    info.leaving = true;
  }
  if (fields.has("group")) {
    const auto group = fields.number<std::uint32_t>("group");
    const auto& indexes = description.group_indexes;
    const auto found = std::find(indexes.begin(), indexes.end(), group);
    if (found == indexes.end()) fields.refuse("group", "the index of one of the queue's groups");
    info.group = description.info.options.groups[static_cast<std::size_t>(found - indexes.begin())].name;
  }
  return info;
}

}  // namespace

std::optional<std::vector<std::string>> decode_said(const json& request, const std::string& context) {
  const JsonReader fields(request, context);
  if (!fields.has("said")) return std::nullopt;
  std::vector<std::string> said;
  for (const json& name : fields.array("said")) {
    const std::string text = name.is_string() ? name.get<std::string>() : std::string();
    const QueueOption* const row = find_option<QueueOptions>(text);
    if (row == nullptr || row->redeclare == Redeclare::apart) fields.refuse("said", "a list of options' names");
    said.push_back(text);
  }
  return said;
}

json encode(const Description& description) {
  const QueueInfo& info = description.info;
  QueueOptions options = info.options;
  options.groups.clear();
  json groups = json::array();
  for (std::size_t i = 0; i < description.group_indexes.size(); ++i) {
    json group{{"index", description.group_indexes[i]}, {"name", info.options.groups[i].name}};
    encode_fields(group, info.options.groups[i].options);
    if (const auto paused_for = info.paused_for(info.options.groups[i].name)) group["paused_ms"] = paused_for->count();
    groups.push_back(std::move(group));
  }
  json endpoints = json::array();
  for (const EndpointInfo& endpoint : info.endpoints) {
    json item{{"endpoint", endpoint.producer ? endpoint.index : endpoint.index + ring::k_first_consumer},
              {"pid", static_cast<std::uint32_t>(endpoint.pid)},
              {"uid", endpoint.uid}};
    if (endpoint.lossy) item["lossy"] = true;
    if (endpoint.evicted) item["evicted"] = true;
    if (endpoint.evictable) item["evictable"] = true;
    if (endpoint.orphan) item["orphan"] = true;
    if (!endpoint.name.empty()) item["name"] = endpoint.name;
    if (endpoint.prefetch != 0) item["prefetch"] = endpoint.prefetch;
    if (endpoint.leaving) {
      const auto left = std::find_if(description.leaving.begin(), description.leaving.end(),
                                     [&](const Description::Leaving& each) { return each.name == endpoint.group; });
      if (left != description.leaving.end()) item["leaving"] = left->index;
    } else if (const auto at = find_group(description, endpoint.group)) {
      item["group"] = description.group_indexes[*at];
    }
    endpoints.push_back(std::move(item));
  }
  json object{{"name", info.name},
              {"id", info.id},
              {"owner_uid", info.owner_uid},
              {"owner_gid", info.owner_gid},
              {"shared_bytes", info.shared_bytes},
              {"groups", std::move(groups)},
              {"endpoints", std::move(endpoints)}};
  add_options(object, options);
  for (const ProducerName& each : info.producer_names) {
    object["producer_names"].push_back({{"name", each.name}, {"last_sequence", each.last_sequence}});
  }
  if (info.owner_pid != 0) object["owner_pid"] = static_cast<std::uint32_t>(info.owner_pid);
  if (info.expires_in) object["expires_in_ms"] = info.expires_in->count();
  for (const std::string& each : info.missing_dead_letter_queues) object["missing_dead_letter_queues"].push_back(each);
  if (const LeastReader least = least_reader(info.options); !least.option.empty()) {
    object["reader"] = least.layout.text();
    object["reader_option"] = least.option;
  }
  for (const Description::Leaving& each : description.leaving) {
    object["leaving"].push_back({{"index", each.index}, {"name", each.name}});
  }
  return object;
}

Description decode_description(const json& object, const std::string& context) {
  const JsonReader fields(object, context + ": queue");
  Description description;
  QueueInfo& info = description.info;
  info.name = fields.text("name");
  info.id = fields.number<std::uint64_t>("id");
  info.owner_uid = fields.number<std::uint32_t>("owner_uid");
  info.owner_gid = fields.number<std::uint32_t>("owner_gid");
  info.options = decode_options_of(fields, context);
  info.owner_pid = static_cast<int>(fields.number_or<std::uint32_t>("owner_pid", 0));
  if (fields.has("expires_in_ms"))
    info.expires_in = std::chrono::milliseconds(fields.number<std::uint32_t>("expires_in_ms"));
  info.shared_bytes = fields.number<std::uint64_t>("shared_bytes");
  for (const json& item : fields.array("groups")) {
    const JsonReader group(item, context + ": group");
    const auto index = group.number<std::uint32_t>("index");
    if (index >= info.options.max_groups) group.refuse("index", "below max_groups");
    description.group_indexes.push_back(index);
    NamedGroup& named = info.options.groups.emplace_back(group.text("name"));
    decode_fields(group, named.options, context);
    if (group.has("paused_ms")) {
      info.paused.push_back({named.name, std::chrono::milliseconds(group.number<std::uint64_t>("paused_ms"))});
    }
  }
  if (fields.has("leaving")) {
    for (const json& item : fields.array("leaving")) {
      const JsonReader group(item, context + ": group");
      const auto index = group.number<std::uint32_t>("index");
      if (index >= info.options.max_groups) group.refuse("index", "below max_groups");
      description.leaving.push_back({index, group.text("name")});
    }
  }
  if (fields.has("producer_names")) {
    for (const json& item : fields.array("producer_names")) {
      const JsonReader name(item, context + ": producer name");
      info.producer_names.push_back({name.text("name"), name.number<std::uint64_t>("last_sequence")});
    }
  }
  if (fields.has("missing_dead_letter_queues")) {
    for (const json& item : fields.array("missing_dead_letter_queues")) {
      if (!item.is_string()) fields.refuse("missing_dead_letter_queues", "a list of names");
      info.missing_dead_letter_queues.push_back(item);
    }
  }
  if (fields.has("endpoints")) {
    for (const json& item : fields.array("endpoints")) {
      info.endpoints.push_back(decode_endpoint(item, description, context));
    }
  }
  return description;
}

std::optional<std::size_t> find_group(const Description& description, std::string_view group) noexcept {
  const auto& groups = description.info.options.groups;
  const auto found =
      std::find_if(groups.begin(), groups.end(), [group](const NamedGroup& each) { return each.name == group; });
  if (found == groups.end()) return std::nullopt;
  return static_cast<std::size_t>(found - groups.begin());
}

Start decode_start(const json& object, const std::string& context) {
  const JsonReader fields(object, context);
  return fields.has("start") ? fields.word<Start>("start", Words<Start>::all) : Start::latest;
}

json encode(const AttachRequest& request) {
  json object{{"queue", request.queue},
              {"role", k_roles[static_cast<std::size_t>(request.role)]},
              {"barriers", request.barriers},
              {"bells", request.bells}};
  if (request.role == Role::consumer) encode_fields(object, request.consumer);
  if (request.role == Role::producer) encode_fields(object, request.producer);
  return object;
}

AttachRequest decode_attach_request(const json& object, const std::string& context) {
  const JsonReader fields(object, context);
  AttachRequest request;
  request.queue = fields.number<std::uint64_t>("queue");
  request.role = fields.word<Role>("role", k_roles);
  request.barriers = fields.flag("barriers");
  request.bells = fields.flag("bells");
  if (request.role == Role::producer) {
    decode_fields(fields, request.producer, context);
  } else {
    decode_fields(fields, request.consumer, context);
  }
  return request;
}

json encode(const AttachReply& reply) {
  json body{{"endpoint", reply.endpoint},
            {"incarnation", reply.incarnation},
            {"bells", reply.bells},
            {"group", reply.group},
            {"group_incarnation", reply.group_incarnation},
            {"kind", k_kinds[static_cast<std::size_t>(reply.kind)]},
            {"start", reply.start},
            {"evictable", reply.evictable}};
  if (reply.producers_ended) body["producers_ended"] = *reply.producers_ended;
  if (reply.sequence_record) body["sequence_record"] = *reply.sequence_record;
  if (reply.promised) body["promised"] = *reply.promised;
  if (!reply.dead_letter.empty()) body["dead_letter"] = reply.dead_letter;
  return body;
}

AttachReply decode_attach_reply(const json& object, const AttachRequest& request, const ring::Geometry& geometry,
                                const std::string& context) {
  const JsonReader fields(object, context);
  AttachReply reply;
  reply.bells = fields.number<std::uint32_t>("bells");
  if (request.role == Role::inspector) return reply;
  reply.endpoint = fields.number<std::uint8_t>("endpoint");
  reply.incarnation = fields.number<std::uint32_t>("incarnation");
  if (request.role == Role::producer) {
    if (reply.endpoint >= geometry.max_producers) fields.refuse("endpoint", "below max_producers");
    if (fields.has("sequence_record")) {
      reply.sequence_record = fields.number<std::uint32_t>("sequence_record");
      if (*reply.sequence_record >= k_max_producer_names) fields.refuse("sequence_record", "below 64");
    }
    if (request.producer.name.empty() == reply.sequence_record.has_value())
      fields.refuse("sequence_record", "that of a named producer, from a daemon of this version");
    if (fields.has("promised")) reply.promised = fields.number<std::uint64_t>("promised");
    return reply;
  }
  if (reply.endpoint < ring::k_first_consumer || reply.endpoint - ring::k_first_consumer >= geometry.max_consumers) {
    fields.refuse("endpoint", "a consumer's, below max_consumers");
  }
  reply.group = fields.number<std::uint32_t>("group");
  reply.group_incarnation = fields.number<std::uint32_t>("group_incarnation");
  reply.kind = fields.word<ring::GroupKind>("kind", k_kinds);
  reply.start = ring::wrap(fields.number<std::uint64_t>("start"));
  reply.evictable = fields.flag("evictable");
  if (fields.has("producers_ended")) reply.producers_ended = fields.number<std::uint64_t>("producers_ended");
  reply.dead_letter = fields.text_or("dead_letter", "");
  if (!reply.dead_letter.empty()) check_name(context + ": dead_letter", "queue", reply.dead_letter);
  const bool named = reply.kind == ring::GroupKind::named;
  const bool in_range = named ? reply.group < geometry.max_groups
                              : reply.group == geometry.max_groups + reply.endpoint - ring::k_first_consumer;
  if (!in_range || named == request.consumer.group.empty())
    fields.refuse("group", "the index of a group that was asked for");
  return reply;
}

json encode(const EndpointName& name) {
  return {{"queue", name.queue}, {"endpoint", name.endpoint}, {"incarnation", name.incarnation}};
}

EndpointName decode_endpoint_name(const json& object, const std::string& context) {
  const JsonReader fields(object, context);
  return {fields.number<std::uint64_t>("queue"), fields.number<std::uint8_t>("endpoint"),
          fields.number<std::uint32_t>("incarnation")};
}

json encode(const Error& error) {
  const auto* const found = std::find_if(k_errc_names.begin(), k_errc_names.end(),
                                         [&](const ErrcName& entry) { return entry.code == error.reason(); });
  const std::string_view name = found == k_errc_names.end() ? "system" : found->name;
  return {{"errc", name}, {"message", error.what()}};
}

void throw_if_error(const json& reply) {
  const auto field = reply.find("error");
  if (field == reply.end()) return;
  const JsonReader fields(*field, "error of the daemon");
  const std::string name = fields.text("errc");
  const auto* const found =
      std::find_if(k_errc_names.begin(), k_errc_names.end(), [&](const ErrcName& entry) { return entry.name == name; });
  throw Error(found == k_errc_names.end() ? Errc::protocol : found->code, fields.text("message"));
}

}  // namespace beltway::wire
