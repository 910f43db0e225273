// See properties_text.hpp.
#include "tool/text/properties_text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "base/utf8.hpp"
#include "tool/text/payload_text.hpp"
#include "tool/text/units.hpp"

namespace beltway::tool {

namespace {

/// "2026-11-29T08:00:00.000000001Z".
std::string time_text(PublishTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const std::time_t since_1970 = seconds.time_since_epoch().count();
  std::tm parts{};
  ::gmtime_r(&since_1970, &parts);
  std::array<char, 64> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%FT%T", &parts);
  std::snprintf(text.data() + size, text.size() - size, ".%09lldZ", static_cast<long long>((time - seconds).count()));
  return text.data();
}

/// Until a message expires by its own ttl.
std::optional<std::chrono::microseconds> time_left(const PropertiesView& properties) {
  if (!properties.expires_at()) return std::nullopt;
  const auto left = *properties.expires_at() - std::chrono::steady_clock::now();
  return std::max(std::chrono::duration_cast<std::chrono::microseconds>(left), std::chrono::microseconds(0));
}

/// A string, or an object with its base64.
Json text_json(std::string_view text) {
  if (is_utf8(text)) return text;
  return {{"base64", base64(text)}};
}

}  // namespace

std::string properties_text(const PropertiesView& properties) {
  std::string all;
  const auto add = [&all](const std::string& name, std::string_view value) {
    if (!value.empty()) all += (all.empty() ? "" : " ") + name + "=" + printable(value);
  };
  if (properties.publish_time() != PublishTime{}) add("publish-time", time_text(properties.publish_time()));
  if (const auto left = time_left(properties)) add("expires-in", format_duration(*left));
  add("key", properties.key());
  add("correlation-id", properties.correlation_id());
  add("reply-to", properties.reply_to());
  add("content-type", properties.content_type());
  add("trace-id", properties.trace_id());
  for (const MessageHeader& header : properties.headers()) {
    all += (all.empty() ? "header:" : " header:") + printable(header.name) + "=" + printable(header.value);
  }
  if (const DeadLetter* const letter = properties.dead_letter()) {
    add("dead-letter", to_string(letter->reason));
    add("from", std::string(letter->queue) + "/" + std::string(letter->group));
    add("position", std::to_string(letter->position));
    add("deliveries", std::to_string(letter->deliveries));
    add("first-time", time_text(letter->first_time));
    add("last-time", time_text(letter->last_time));
  }
  if (properties.is_damaged()) all += all.empty() ? "damaged" : " damaged";
  return all;
}

Json properties_json(const PropertiesView& properties) {
  Json json = Json::object();
  const auto add = [&json](const char* name, std::string_view value) {
    if (!value.empty()) json[name] = text_json(value);
  };
  if (properties.publish_time() != PublishTime{})
    json["publish_time_ns"] = properties.publish_time().time_since_epoch().count();
  if (const auto left = time_left(properties)) json["expires_in_us"] = left->count();
  add("key", properties.key());
  add("correlation_id", properties.correlation_id());
  add("reply_to", properties.reply_to());
  add("content_type", properties.content_type());
  add("trace_id", properties.trace_id());
  if (!properties.headers().empty()) json["headers"] = Json::array();
  for (const MessageHeader& header : properties.headers()) {
    json["headers"].push_back({{"name", text_json(header.name)}, {"value", text_json(header.value)}});
  }
  if (const DeadLetter* const letter = properties.dead_letter()) {
    json["dead_letter"] = {{"reason", to_string(letter->reason)},
                           {"queue", text_json(letter->queue)},
                           {"group", text_json(letter->group)},
                           {"position", letter->position},
                           {"deliveries", letter->deliveries},
                           {"first_time_ns", letter->first_time.time_since_epoch().count()},
                           {"last_time_ns", letter->last_time.time_since_epoch().count()}};
  }
  if (properties.is_damaged()) json["damaged"] = true;
  return json;
}

}  // namespace beltway::tool
