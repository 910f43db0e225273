// See web_request.hpp.
#include "tool/web/web_request.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <vector>

#include "beltway/limits.hpp"
#include "tool/web/web_limits.hpp"

namespace beltway::tool {

namespace {

constexpr std::array<std::string_view, 8> k_acts{"purge",  "reset", "pause",   "resume",
                                                 "remove", "evict", "requeue", "move"};

[[noreturn]] void refuse(const std::string& why) { throw WebRefusal(400, why); }

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0;;) {
    const std::size_t end = text.find(at, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string_view::npos) return parts;
    begin = end + 1;
  }
}

std::string decoded(std::string_view text) {
  const std::optional<std::string> plain = percent_decoded(text);
  if (!plain) refuse("a % of the URL is not followed by two hexadecimal digits");
  return *plain;
}

std::uint64_t number_of(const std::string& name, std::string_view text, std::uint64_t most) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || value > most)
    refuse(name + ": expected a number of at most " + std::to_string(most));
  return value;
}

struct Field {
  std::string name;
  std::string value;
};

std::vector<Field> fields_of(std::string_view query) {
  std::vector<Field> fields;
  if (query.empty()) return fields;
  for (const std::string_view part : split(query, '&')) {
    const std::size_t equals = std::min(part.find('='), part.size());
    fields.push_back({decoded(part.substr(0, equals)), decoded(part.substr(std::min(equals + 1, part.size())))});
  }
  return fields;
}

std::string queue_name(std::string_view part) {
  std::string name = decoded(part);
  if (name.empty() || name.size() > k_max_name_length)
    refuse("a queue's name has 1 to " + std::to_string(k_max_name_length) + " characters");
  return name;
}

MetricsRequest metrics_request(std::string_view query) {
  MetricsRequest request;
  for (const Field& field : fields_of(query)) {
    if (field.name != "queues") refuse("unknown parameter \"" + field.name + "\": there is queues");
    request.queues = number_of(field.name, field.value, k_max_web_metrics_queues);
  }
  return request;
}

QueueRequest queue_request(std::string_view part, std::string_view query) {
  QueueRequest request{.queue = queue_name(part)};
  for (const Field& field : fields_of(query)) {
    if (field.name != "history_since") refuse("unknown parameter \"" + field.name + "\": there is history_since");
    request.history_since_s = static_cast<std::int64_t>(number_of(field.name, field.value, 1ULL << 40U));
  }
  return request;
}

MessagesRequest messages_request(std::string_view part, std::string_view query) {
  MessagesRequest request{.queue = queue_name(part)};
  for (const Field& field : fields_of(query)) {
    if (field.name == "group") {
      request.group = field.value;
    } else if (field.name == "from") {
      request.from = number_of(field.name, field.value, ~0ULL);
    } else if (field.name == "count") {
      request.count = number_of(field.name, field.value, k_max_web_messages);
    } else if (field.name == "max_bytes") {
      request.max_bytes = number_of(field.name, field.value, k_max_web_message_bytes);
    } else {
      refuse("unknown parameter \"" + field.name + "\": there are group, from, count and max_bytes");
    }
  }
  return request;
}

/// Which members of the body an act takes; the first `required` of them must be there.
struct Shape {
  std::vector<std::string_view> members;
  std::size_t required;
};

Shape shape_of(WebAct act) {
  switch (act) {
    case WebAct::reset: return {{"group", "to"}, 2};
    case WebAct::remove: return {{"confirm"}, 1};
    case WebAct::evict: return {{"consumer"}, 1};
    case WebAct::requeue: return {{"group", "to", "count"}, 0};
    case WebAct::move: return {{"position", "to", "group"}, 2};
    default: return {{"group"}, 1};
  }
}

std::string text_member(const nlohmann::json& body, const char* name) {
  const auto found = body.find(name);
  if (found == body.end()) return {};
  if (!found->is_string()) refuse(std::string(name) + ": expected a text");
  return found->get<std::string>();
}

std::optional<std::uint64_t> number_member(const nlohmann::json& body, const char* name) {
  const auto found = body.find(name);
  if (found == body.end()) return std::nullopt;
  if (!found->is_number_unsigned()) refuse(std::string(name) + ": expected a number");
  return found->get<std::uint64_t>();
}

/// Where a reset lets the group begin.
void take_place(ActRequest& request) {
  if (request.to == "oldest" || request.to == "latest") return;
  if (request.to.empty() || request.to.find_first_not_of("0123456789") != std::string::npos)
    refuse("to: expected \"oldest\", \"latest\" or a position");
  request.position = number_of("to", request.to, ~0ULL);
}

ActRequest act_request(WebAct act, std::string_view part, std::string_view text) {
  ActRequest request{.act = act, .queue = queue_name(part)};
  const nlohmann::json body = nlohmann::json::parse(text, nullptr, false);
  if (!body.is_object()) refuse("the body: expected a JSON object");
  const Shape shape = shape_of(act);
  for (const auto& [name, value] : body.items()) {
    if (std::ranges::find(shape.members, name) == shape.members.end())
      refuse("the body: " + std::string(name_of(act)) + " takes no \"" + name + "\"");
  }
  for (std::size_t i = 0; i < shape.required; ++i) {
    if (!body.contains(shape.members[i])) refuse("the body: \"" + std::string(shape.members[i]) + "\" is missing");
  }
  request.group = text_member(body, "group");
  request.to = text_member(body, "to");
  request.position = number_member(body, "position");
  request.consumer = number_member(body, "consumer");
  request.count = number_member(body, "count").value_or(0);
  if (act == WebAct::reset) take_place(request);
  if (act == WebAct::remove && text_member(body, "confirm") != request.queue)
    refuse("confirm: expected the name of the queue that is to be removed");
  return request;
}

void need_method(std::string_view method, std::string_view wanted) {
  if (method != wanted) throw WebRefusal(405, "this path takes " + std::string(wanted) + " only");
}

}  // namespace

std::string_view name_of(WebAct act) noexcept { return k_acts[static_cast<std::size_t>(act)]; }

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i];
      continue;
    }
    unsigned byte = 0;
    if (text.size() - i < 3) return std::nullopt;
    const char* const digits = text.data() + i + 1;
    const auto [stop, error] = std::from_chars(digits, digits + 2, byte, 16);
    if (error != std::errc() || stop != digits + 2) return std::nullopt;
    plain += static_cast<char>(static_cast<unsigned char>(byte));
    i += 2;
  }
  return plain;
}

WebRequest parse_web_request(std::string_view method, std::string_view target, std::string_view body) {
  const std::size_t mark = std::min(target.find('?'), target.size());
  const std::string_view path = target.substr(0, mark);
  const std::string_view query = target.substr(std::min(mark + 1, target.size()));
  const std::vector<std::string_view> parts = split(path, '/');  // the first one is empty
  if (parts.size() == 2 || !path.starts_with("/api/")) {
    need_method(method, "GET");
    if (path == "/metrics") return metrics_request(query);
    return FileRequest{path == "/" ? "index.html" : std::string(path.substr(std::min<std::size_t>(1, path.size())))};
  }
  if (parts.size() == 3 && (parts[2] == "fleet" || parts[2] == "events")) {
    need_method(method, "GET");
    return parts[2] == "fleet" ? WebRequest(FleetRequest{}) : WebRequest(EventsRequest{});
  }
  if (parts.size() == 4 && parts[2] == "queues") {
    need_method(method, "GET");
    return queue_request(parts[3], query);
  }
  if (parts.size() == 5 && parts[2] == "queues") {
    if (parts[4] == "messages") {
      need_method(method, "GET");
      return messages_request(parts[3], query);
    }
    const auto* const act = std::ranges::find(k_acts, parts[4]);
    if (act != k_acts.end()) {
      need_method(method, "POST");
      return act_request(static_cast<WebAct>(act - k_acts.begin()), parts[3], body);
    }
  }
  throw WebRefusal(404, "there is nothing at this path");
}

}  // namespace beltway::tool
