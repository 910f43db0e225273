// See events_json.hpp.
#include "wire/events_json.hpp"

#include <limits>

#include "wire/json_reader.hpp"

namespace beltway::wire {

using nlohmann::json;

namespace {

/// Numbers stay exact in every JSON reader.
constexpr std::uint64_t k_max_exact = (1ULL << 53) - 1;

void put(json& object, const char* name, const std::string& text) {
  if (!text.empty()) object[name] = text;
}

void put(json& object, const char* name, std::uint64_t number) {
  if (number != 0) object[name] = number;
}

std::uint64_t exact(const JsonReader& fields, std::string_view name) {
  const auto number = fields.number_or<std::uint64_t>(name, 0);
  if (number > k_max_exact) fields.refuse(name, "a number below 2^53");
  return number;
}

}  // namespace

std::string printable(std::string_view text, std::size_t max_bytes) {
  std::string clean(text.substr(0, max_bytes));
  for (char& each : clean) {
    if (each < ' ' || each > '~') each = '?';
  }
  return clean;
}

json encode(const Event& event) {
  json object{{"sequence", event.sequence},
              {"time_ns", event.time_ns},
              {"monotonic_ns", event.monotonic_ns},
              {"kind", event.kind}};
  put(object, "queue", event.queue);
  put(object, "queue_id", event.queue_id);
  put(object, "group", event.group);
  if (!event.role.empty()) {
    object["role"] = event.role;
    object["index"] = event.index;
  }
  if (event.pid > 0) {
    object["pid"] = static_cast<std::uint32_t>(event.pid);
    object["uid"] = event.uid;
  }
  put(object, "command", event.command);
  put(object, "voided", event.voided);
  put(object, "released", event.released);
  put(object, "messages", event.messages);
  put(object, "text", event.text);
  return object;
}

Event decode_event(const json& object, const std::string& context) {
  const JsonReader fields(object, context);
  const auto pid = fields.number_or<std::uint32_t>("pid", 0);
  if (pid > static_cast<std::uint32_t>(std::numeric_limits<int>::max())) fields.refuse("pid", "a process number");
  return {.sequence = exact(fields, "sequence"),
          .time_ns = fields.number<std::uint64_t>("time_ns"),
          .monotonic_ns = fields.number<std::uint64_t>("monotonic_ns"),
          .kind = fields.text("kind"),
          .queue = fields.text_or("queue", ""),
          .queue_id = exact(fields, "queue_id"),
          .group = fields.text_or("group", ""),
          .role = fields.text_or("role", ""),
          .index = fields.number_or<std::uint32_t>("index", 0),
          .pid = static_cast<int>(pid),
          .uid = fields.number_or<std::uint32_t>("uid", 0),
          .command = fields.text_or("command", ""),
          .voided = fields.number_or<std::uint64_t>("voided", 0),
          .released = fields.number_or<std::uint64_t>("released", 0),
          .messages = fields.number_or<std::uint64_t>("messages", 0),
          .text = fields.text_or("text", "")};
}

json encode(const EventPage& page) {
  json events = json::array();
  for (const Event& event : page.events) events.push_back(encode(event));
  return {{"journal", page.journal}, {"events", std::move(events)}, {"first", page.first},
          {"last", page.last},       {"next", page.next},           {"more", page.more}};
}

EventPage decode_event_page(const json& object, const std::string& context) {
  const JsonReader fields(object, context);
  EventPage page{.journal = fields.number<std::uint64_t>("journal"),
                 .events = {},
                 .first = exact(fields, "first"),
                 .last = exact(fields, "last"),
                 .next = exact(fields, "next"),
                 .more = fields.flag("more")};
  for (const json& event : fields.array("events")) page.events.push_back(decode_event(event, context + ": event"));
  return page;
}

}  // namespace beltway::wire
