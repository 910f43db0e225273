#include "wire/options_json.hpp"

namespace beltway::wire {

json encode_value(const TypeTag& type) {
  return {{"name", type.name}, {"size", type.size}, {"alignment", type.alignment}};
}

json encode_value(const std::vector<NamedGroup>& groups) {
  json list = json::array();
  for (const NamedGroup& group : groups) list.push_back(encode(group));
  return list;
}

void decode_value(const ValueSource& from, TypeTag& type) {
  const JsonReader fields(from.fields.object(from.name), from.context + ": type");
  type = {fields.text("name"), fields.number<std::uint32_t>("size"), fields.number<std::uint32_t>("alignment")};
}

void decode_value(const ValueSource& from, std::vector<NamedGroup>& groups) {
  for (const json& group : from.fields.array(from.name)) groups.push_back(decode_group(group, from.context));
}

void decode_value(const ValueSource& from, std::chrono::milliseconds& time) {
  time = std::chrono::milliseconds(from.fields.number<std::uint32_t>(from.name));
}

namespace {

[[noreturn]] void refuse_unknown(const std::string& option) {
  throw Error(Errc::invalid_option, option + " is not known here; use a daemon of the same version");
}

}  // namespace

json encode(const NamedGroup& group) {
  if (group.options == GroupOptions{}) return group.name;
  json object{{"name", group.name}};
  encode_fields(object, group.options);
  return object;
}

NamedGroup decode_group(const json& group, const std::string& context) {
  NamedGroup decoded("");
  if (group.is_string()) {
    decoded.name = group.get<std::string>();
  } else {
    const JsonReader fields(group, context + ": a group, which is a name or an object");
    decoded.name = fields.text("name");
    decode_fields(fields, decoded.options, context);
    for (const auto& item : group.items()) {
      if (item.key() == "name" || find_option<GroupOptions>(item.key()) != nullptr) continue;
      refuse_unknown(error_subject(context + ": group", decoded.name) + " has an option that");
    }
  }
  check_group(context, decoded);
  return decoded;
}

json encode(const QueueOptions& options) {
  json object = json::object();
  encode_fields(object, options);
  return object;
}

QueueOptions decode_options(const json& object, const std::string& context) {
  const JsonReader fields(object, context + ": options");
  for (const auto& item : object.items()) {
    if (find_option<QueueOptions>(item.key()) == nullptr) {
      refuse_unknown(error_subject(context + ": option", item.key()));
    }
  }
  QueueOptions options;
  decode_fields(fields, options, context);
  check_options(context, options);
  return options;
}

void add_options(json& object, const QueueOptions& options) {
  json known_to_all = encode(options);
  for (const QueueOption& row : options_of<QueueOptions>()) {
    const auto field = known_to_all.find(row.name);
    if (!row.is_ignorable || field == known_to_all.end()) continue;
    object[std::string(row.name)] = std::move(*field);
    known_to_all.erase(field);
  }
  object["options"] = std::move(known_to_all);
}

QueueOptions decode_options_of(const JsonReader& fields, const std::string& context) {
  QueueOptions options = decode_options(fields.object("options"), context);
  for (const QueueOption& row : options_of<QueueOptions>()) {
    if (row.is_ignorable) decode_field(fields, row, options, context);
  }
  check_options(context, options);
  return options;
}

}  // namespace beltway::wire
