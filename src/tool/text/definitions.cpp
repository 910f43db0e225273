#include "tool/text/definitions.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include "beltway/error.hpp"
#include "tool/process/exit_code.hpp"
#include "wire/options_checks.hpp"
#include "wire/options_json.hpp"

namespace beltway::tool {

namespace {

using Json = nlohmann::ordered_json;  // keys stay in the order of the table

constexpr const char* k_version_key = "beltway_definitions";
constexpr std::uint32_t k_version = 1;

[[noreturn]] void refuse(const std::string& what) { throw Failure(ExitCode::failed, what); }

/// Nothing: the option has its default, for which no value stands.
template <class Options>
std::optional<Json> value_of(const wire::OptionRow<Options>& row, const Options& options) {
  if (row.redeclare == wire::Redeclare::apart || !row.is_sent) return std::nullopt;
  const wire::json value = wire::encode_option(row, options);
  const bool is_nothing = value.is_null() || (value.is_object() && row.is_default(options)) || row.name == "exclusive";
  return is_nothing ? std::nullopt : std::optional(Json(value));
}

template <class Options>
Json object_of(const std::string& name, const Options& options) {
  Json object{{"name", name}};
  for (const wire::OptionRow<Options>& row : wire::options_of<Options>()) {
    if (std::optional<Json> value = value_of(row, options)) object[std::string(row.name)] = std::move(*value);
  }
  return object;
}

/// JSON that has each key once in an object: the library would keep the last of two.
wire::json parse_json(std::string_view text, const std::string& name) {
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  const auto check = [&](int /*depth*/, wire::json::parse_event_t event, wire::json& parsed) {
    if (event == wire::json::parse_event_t::object_start) keys.emplace_back();
    if (event == wire::json::parse_event_t::object_end) keys.pop_back();
    if (event == wire::json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second) {
      refuse(name + ": the key \"" + parsed.get<std::string>() + "\" stands twice in one object");
    }
    return true;
  };
  try {
    return wire::json::parse(text, check);
  } catch (const wire::json::parse_error& error) {
    refuse(name + ", byte " + std::to_string(error.byte) + ": no JSON");
  } catch (const wire::json::exception&) {
    refuse(name + ": it has a number that is too large");
  }
}

void check_groups_differ(const std::string& context, const std::vector<NamedGroup>& groups) {
  std::set<std::string> names;
  for (const NamedGroup& group : groups) {
    if (!names.insert(group.name).second) refuse(context + ": group \"" + group.name + "\" is defined twice");
  }
}

Definition parse_one(const wire::json& object, const std::string& name) {
  const wire::JsonReader fields(object, name + ": a queue");
  Definition definition{.name = fields.text("name"), .options = {}, .said = {}};
  const std::string context = name + ": queue \"" + definition.name + "\"";
  wire::check_name(context, "queue", definition.name);
  wire::json options = object;
  options.erase("name");
  for (const auto& item : options.items()) {
    if (item.key() != "groups") definition.said.push_back(item.key());
  }
  definition.options = wire::decode_options(options, context);
  check_groups_differ(context, definition.options.groups);
  wire::check_end_of_failures(context, definition.options, definition.options.groups);
  if (definition.options.exclusive) {
    refuse(context + ": it is exclusive, so it would end with this command; give it expire_after_ms instead");
  }
  return definition;
}

std::vector<Definition> parse_all(const wire::json& all, const std::string& name) {
  const wire::JsonReader fields(all, name);
  if (fields.number<std::uint32_t>(k_version_key) != k_version) {
    refuse(name + ": " + k_version_key + " is not " + std::to_string(k_version) +
           "; use the version of beltway that made it");
  }
  for (const auto& item : all.items()) {
    if (item.key() != k_version_key && item.key() != "queues") {
      refuse(name + ": the key \"" + item.key() + "\" is not known; there are " + k_version_key + " and queues");
    }
  }
  std::vector<Definition> definitions;
  std::set<std::string> names;
  for (const wire::json& each : fields.array("queues")) {
    definitions.push_back(parse_one(each, name));
    if (!names.insert(definitions.back().name).second) {
      refuse(name + ": queue \"" + definitions.back().name + "\" is defined twice");
    }
  }
  return definitions;
}

std::set<std::string> targets_of(const QueueOptions& options) {
  std::set<std::string> targets{options.dead_letter};
  for (const NamedGroup& group : options.groups) targets.insert(group.options.dead_letter.value_or(""));
  targets.erase("");
  return targets;
}

}  // namespace

std::string definitions_text(std::vector<QueueInfo> queues) {
  std::ranges::sort(queues, {}, &QueueInfo::name);
  Json list = Json::array();
  for (const QueueInfo& info : queues) {
    if (info.options.exclusive) continue;
    Json queue = object_of(info.name, info.options);
    queue["groups"] = Json::array();
    for (const NamedGroup& group : info.options.groups) queue["groups"].push_back(object_of(group.name, group.options));
    list.push_back(std::move(queue));
  }
  const Json all{{k_version_key, k_version}, {"queues", std::move(list)}};
  return all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::vector<Definition> parse_definitions(std::string_view text, const std::string& name) {
  try {
    return parse_all(parse_json(text, name), name);
  } catch (const Error& error) {
    refuse(error.what());
  }
}

std::vector<Definition> in_order_of_dead_letters(std::vector<Definition> definitions) {
  std::set<std::string> ahead;  // those that are not in `ordered` yet
  for (const Definition& each : definitions) ahead.insert(each.name);
  std::vector<Definition> ordered;
  while (!definitions.empty()) {
    const auto is_ready = [&ahead](const Definition& each) {
      return std::ranges::none_of(targets_of(each.options), [&](const std::string& target) {
        return target != each.name && ahead.contains(target);
      });
    };
    const auto next = std::ranges::find_if(definitions, is_ready);
    if (next == definitions.end()) {
      refuse("the dead letters of queue \"" + definitions.front().name + "\" would go round in a circle");
    }
    ahead.erase(next->name);
    ordered.push_back(std::move(*next));
    definitions.erase(next);
  }
  return ordered;
}

}  // namespace beltway::tool
